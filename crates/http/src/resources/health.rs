//! `GET /health`.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use portcullis_domain::error::with_causes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Api;

/// How the service and its dependencies are.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthResponse {
    /// `healthy` or `unhealthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// What is wrong, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// When it was looked at.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    timestamp: String,
    /// The version that runs.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// Each dependency: `healthy`, `degraded` or `unhealthy`.
    #[schema(example = json!({"database": "healthy", "mail": "healthy"}))]
    checks: BTreeMap<&'static str, &'static str>,
}

/// Tell how the service is
///
/// 200 while the database answers; what can be done without, Redis and mail,
/// shows in `checks` alone.
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
    let checked = api.app.check_database().await;
    if let Err(failure) = &checked {
        tracing::warn!(cause = with_causes(failure), "the database does not answer");
    }
    let word = if checked.is_ok() { "healthy" } else { "unhealthy" };
    let auxiliaries = api.app.check_auxiliaries().await.into_iter();
    let mut checks: BTreeMap<_, _> = auxiliaries
        .map(|(name, is_there)| (name, if is_there { "healthy" } else { "degraded" }))
        .collect();
    checks.insert("database", word);
    let answer = HealthResponse {
        status: word,
        error: checked.is_err().then_some("Database connection failed"),
        timestamp: api.app.now().to_string(),
        version: api.settings.version,
        checks,
    };
    if checked.is_ok() {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::ServiceUnavailable().insert_header(("retry-after", "2")).json(answer)
    }
}
