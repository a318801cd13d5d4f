//! `GET /health`, and what orchestrators and load balancers ask.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use portcullis_app::App;
use portcullis_domain::error::with_causes;
use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::Api;

/// How long what the checks found is told again.
const REMEMBERED: Duration = Duration::from_secs(1);
/// How long a failure is: less, so that a recovery is seen soon.
const FAILURE_REMEMBERED: Duration = Duration::from_millis(250);

const HEALTHY: &str = "healthy";
const NO_DATABASE: &str = "Database connection failed";

/// How the service and its dependencies are.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthResponse {
    /// `healthy` or `unhealthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// What is wrong, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// When it was told.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    timestamp: String,
    /// The version that runs; `hidden` where the operator does not tell it.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Each dependency: `healthy`, `degraded` or `unhealthy`.
    #[schema(example = json!({"database": "healthy", "mail": "healthy"}))]
    checks: BTreeMap<&'static str, &'static str>,
}

/// Tell how the service is
///
/// 200 while the database answers; what can be done without, Redis and mail,
/// shows in `checks` alone. What was found is told again for up to a second.
#[utoipa::path(
    operation_id = "health",
    tag = "Operation",
    responses(
        (status = 200, description = "Healthy", body = HealthResponse),
        (
            status = 503,
            description = "The database does not answer",
            body = HealthResponse,
            example = json!({
                "status": "unhealthy",
                "error": "Database connection failed",
                "timestamp": "2026-01-01T00:00:00.000000Z",
                "version": "0.1.0",
                "checks": {"database": "unhealthy", "mail": "healthy"},
            })
        ),
    )
)]
#[get("/health")]
pub(crate) async fn health(api: Data<Api>) -> HttpResponse {
    let Found { has_database, checks } = api.health.look(&api.app).await;
    let answer = HealthResponse {
        status: if has_database { HEALTHY } else { "unhealthy" },
        error: (!has_database).then_some(NO_DATABASE),
        timestamp: api.app.now().to_string(),
        version: api.version(),
        checks,
    };
    if has_database { HttpResponse::Ok().json(answer) } else { unavailable(answer) }
}

/// Whether requests should be sent here.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadyResponse {
    /// `ready` or `not ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Tell whether requests should be sent here
///
/// For load balancers: 503 while the database does not answer, and from the
/// moment when the server is told to stop.
#[utoipa::path(
    operation_id = "health_ready",
    tag = "Operation",
    responses(
        (status = 200, description = "Ready", body = ReadyResponse),
        (
            status = 503,
            description = "Not ready",
            body = ReadyResponse,
            example = json!({"status": "not ready", "reason": "Stopping"})
        ),
    )
)]
#[get("/health/ready")]
pub(crate) async fn ready(api: Data<Api>) -> HttpResponse {
    let reason = if api.traffic.is_withdrawn() {
        Some("Stopping")
    } else if api.health.look(&api.app).await.has_database {
        None
    } else {
        Some(NO_DATABASE)
    };
    match reason {
        None => HttpResponse::Ok().json(ReadyResponse { status: "ready", reason }),
        Some(_) => unavailable(ReadyResponse { status: "not ready", reason }),
    }
}

/// The process serves.
#[derive(Serialize, ToSchema)]
pub(crate) struct LiveResponse {
    /// Always `alive`.
    #[schema(example = "alive")]
    status: &'static str,
}

/// Tell that the process serves
///
/// Asks no dependency: whoever restarts what does not answer here would mend
/// nothing by a restart while the database is away.
#[utoipa::path(
    operation_id = "health_live",
    tag = "Operation",
    responses((status = 200, description = "Alive", body = LiveResponse))
)]
#[get("/health/live")]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(LiveResponse { status: "alive" })
}

fn unavailable(answer: impl Serialize) -> HttpResponse {
    HttpResponse::ServiceUnavailable().insert_header(("retry-after", "2")).json(answer)
}

/// The checks, made by one request at a time and remembered for a moment:
/// whoever asks for health a thousand times asks the database once.
#[derive(Default)]
pub(crate) struct Health {
    last: Mutex<Option<(Instant, Found)>>,
}

/// What the checks found.
#[derive(Clone)]
struct Found {
    has_database: bool,
    checks: BTreeMap<&'static str, &'static str>,
}

impl Health {
    /// Each dependency, and whether it answers.
    pub(crate) async fn dependencies(&self, app: &App) -> Vec<(&'static str, bool)> {
        let checks = self.look(app).await.checks;
        checks.into_iter().map(|(name, state)| (name, state == HEALTHY)).collect()
    }

    /// What was found a moment ago, or else now. Those who come while somebody
    /// looks wait for what is found.
    async fn look(&self, app: &App) -> Found {
        let mut last = self.last.lock().await;
        if let Some((at, found)) = &*last {
            let remembered = if found.has_database { REMEMBERED } else { FAILURE_REMEMBERED };
            if at.elapsed() < remembered {
                return found.clone();
            }
        }
        let found = Found::now(app).await;
        *last = Some((Instant::now(), found.clone()));
        found
    }
}

impl Found {
    async fn now(app: &App) -> Self {
        let (checked, auxiliaries) = app.check_health().await;
        if let Err(failure) = &checked {
            tracing::warn!(cause = with_causes(failure), "the database does not answer");
        }
        let mut checks: BTreeMap<_, _> = auxiliaries
            .into_iter()
            .map(|(name, is_there)| (name, if is_there { HEALTHY } else { "degraded" }))
            .collect();
        let has_database = checked.is_ok();
        checks.insert("database", if has_database { HEALTHY } else { "unhealthy" });
        Self { has_database, checks }
    }
}
