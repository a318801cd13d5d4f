//! `POST /api/v1/auth/logout`: with a body contract A's, without one B's.

use std::sync::Arc;

use actix_web::web::{Data, Json};
use actix_web::{Either, HttpRequest, HttpResponse, post};
use portcullis_domain::Contract;
use portcullis_domain::ports::Caller;
use portcullis_metrics as metrics;
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::refresh::RefreshRequest;
use crate::Api;
use crate::extract::bearer::Bearer;
use crate::extract::body::Body;
use crate::extract::fields::text;
use crate::outcomes;
use crate::problem::{ErrorCode, Problem};

/// What contract B's logout answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogoutResponse {
    /// What happened.
    #[schema(example = "Successfully logged out")]
    message: &'static str,
    /// Since when the tokens are dead.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    revoked_at: String,
}

/// Log out
///
/// Ends the session: its refresh token and all its access tokens are dead at
/// once. With a body (contract A) the answer is 204, without one (contract B)
/// it tells when.
#[utoipa::path(
    operation_id = "log_out",
    tag = "Both contracts",
    request_body(content = Option<RefreshRequest>, content_type = "application/json"),
    responses(
        (status = 204, description = "Logged out (contract A: with a body)"),
        (
            status = 200,
            description = "Logged out (contract B: without a body)",
            body = LogoutResponse
        ),
    ),
    security(("password" = []), ("bearer" = []))
)]
#[post("/api/v1/auth/logout")]
pub(crate) async fn log_out(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
    body: Body,
) -> Result<Either<Json<LogoutResponse>, HttpResponse>, Problem> {
    if body.is_empty() {
        let caller = authenticate(bearer, &request).await?;
        let ended = api.app.log_out(&caller).await;
        api.metrics.logouts.count((metrics::Contract::Form, outcomes::of_logout(&ended)));
        let revoked_at = ended?.to_string();
        info!(event = "logout", user = %caller.user.id.as_uuid());
        let message = "Successfully logged out";
        return Ok(Either::Left(Json(LogoutResponse { message, revoked_at })));
    }
    let mut fields = body.json()?;
    let caller = authenticate(bearer, &request).await?;
    let token = fields.required("refresh_token", text).ok_or_else(|| fields.refusal())?;
    let ended = api.app.log_out_with(&caller, &token).await;
    api.metrics.logouts.count((metrics::Contract::Json, outcomes::of_logout(&ended)));
    ended?;
    info!(event = "logout", user = %caller.user.id.as_uuid());
    Ok(Either::Right(HttpResponse::NoContent().finish()))
}

/// Whoever is gone has no session to end: logout knows no 404.
async fn authenticate(bearer: Bearer, request: &HttpRequest) -> Result<Arc<Caller>, Problem> {
    let denied = |problem: Problem| match problem.code {
        ErrorCode::NotFound => Problem::revoked(),
        _ => problem,
    };
    bearer.authenticate(request, Contract::Form).await.map_err(denied)
}
