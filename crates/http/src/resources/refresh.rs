//! `POST /api/v1/auth/refresh`: both contracts, by the session's own policy.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, post};
use portcullis_app::RefreshRefused;
use tracing::warn;
use utoipa::ToSchema;

use super::tokens::TokenPair;
use crate::Api;
use crate::extract::body::Body;
use crate::extract::client::Sender;
use crate::extract::fields::text;
use crate::extract::subject::Subject;
use crate::outcomes;
use crate::problem::Problem;

/// A refresh token.
#[derive(ToSchema)]
#[schema(as = RefreshRequest)]
#[expect(dead_code, reason = "documents what `refresh` and logout read")]
pub(crate) struct RefreshRequest {
    /// The newest refresh token of the session.
    #[schema(example = "AWCbw1pvTCWfHpnN3u…")]
    refresh_token: String,
}

/// Refresh the session
///
/// A session of contract A gets a new refresh token each time; presenting the
/// old one again within the grace gives the same new one, later it ends the
/// session. A session of contract B keeps its refresh token.
#[utoipa::path(
    operation_id = "refresh",
    tag = "Both contracts",
    request_body(content = RefreshRequest, content_type = "application/json"),
    responses((
        status = 200,
        description = "Refreshed",
        body = TokenPair,
        links(("refresh again" = (
            operation_id = "refresh",
            request_body = json!({"refresh_token": "$response.body#/refresh_token"}),
        )))
    ))
)]
#[post("/api/v1/auth/refresh")]
pub(crate) async fn refresh(
    request: HttpRequest,
    api: Data<Api>,
    Sender(client): Sender,
    body: Body,
) -> Result<Json<TokenPair>, Problem> {
    let mut fields = body.json()?;
    let token = fields.required("refresh_token", text).ok_or_else(|| fields.refusal())?;
    let refreshed = api.app.refresh(&token, &client).await;
    api.metrics.refreshes.count((outcomes::of_refresh(&refreshed),));
    if let Err(RefreshRefused::Reused(user)) = &refreshed {
        warn!(event = "refresh_token_reused", user = %user.as_uuid());
    }
    let tokens = refreshed?.tokens;
    Subject::from(&tokens).note(&request);
    Ok(Json(tokens.into()))
}
