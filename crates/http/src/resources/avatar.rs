//! `PUT`, `GET` and `DELETE /api/v1/auth/me/avatar`: the own picture.

use actix_web::web::{Data, Json, Payload};
use actix_web::{Error, HttpRequest, HttpResponse, delete, get, put};
use portcullis_app::ShownAvatar;
use portcullis_domain::Contract;
use serde::Serialize;
use tracing::{info, warn};
use utoipa::ToSchema;

use crate::Api;
use crate::extract::bearer::Bearer;
use crate::extract::body::read_upload;
use crate::problem::Problem;

/// A picture and where it can be fetched.
#[derive(Serialize, ToSchema)]
pub(crate) struct AvatarResponse {
    /// Where anybody can fetch it, until it expires. Not to be kept.
    #[schema(example = "https://files.example.com/avatars/1f6a….png?signature=…")]
    url: String,
    /// When the URL stops working; ask again then.
    #[schema(format = DateTime, example = "2026-01-01T01:00:00.000000Z")]
    expires_at: String,
    /// What it is: `image/png` or `image/jpeg`.
    #[schema(example = "image/png")]
    content_type: String,
    /// Its length in bytes.
    #[schema(example = 40_213)]
    size: u64,
    /// Since when it is the picture.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    updated_at: String,
}

impl From<ShownAvatar> for AvatarResponse {
    fn from(shown: ShownAvatar) -> Self {
        Self {
            url: shown.url.expose().to_owned(),
            expires_at: shown.expires_at.to_string(),
            content_type: shown.avatar.content_type.as_str().to_owned(),
            size: shown.avatar.size,
            updated_at: shown.avatar.set_at.to_string(),
        }
    }
}

/// Set the own picture
///
/// The body is a JPEG, PNG or WebP image. It is decoded, turned as its camera
/// says, scaled down to 512 pixels a side and encoded anew: of the file that was
/// sent nothing is kept but what is seen, no place and no date.
///
/// Exists where `OBJECT_STORE_URL` is set.
#[utoipa::path(
    operation_id = "set_avatar",
    tag = "Contract A: JSON and e-mail",
    request_body(content(
        ("image/png"),
        ("image/jpeg"),
        ("image/webp"),
    )),
    responses((status = 200, description = "The picture as it is now", body = AvatarResponse)),
    security(("password" = []), ("bearer" = []))
)]
#[put("/api/v1/auth/me/avatar")]
pub(crate) async fn set(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
    payload: Payload,
) -> Result<Json<AvatarResponse>, Error> {
    // Nobody sends so much before we know who they are.
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    let place = api.app.admit_avatar().map_err(Problem::from)?;
    let content = read_upload(&request, payload, api.settings.avatar_max_bytes).await?;
    let set = api.app.set_avatar(caller.user.id, place, content).await;
    let shown = set.map_err(Problem::from)?;
    if let Some(error) = &shown.left_behind {
        warn!(event = "picture_left_behind", %error, "the replaced picture is still in the store");
    }
    info!(event = "avatar_set", user = %caller.user.id.as_uuid(), size = shown.avatar.size);
    Ok(Json(shown.into()))
}

/// Where the own picture is
#[utoipa::path(
    operation_id = "read_avatar",
    tag = "Contract A: JSON and e-mail",
    responses((status = 200, description = "The picture", body = AvatarResponse)),
    security(("password" = []), ("bearer" = []))
)]
#[get("/api/v1/auth/me/avatar")]
pub(crate) async fn show(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
) -> Result<Json<AvatarResponse>, Problem> {
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    Ok(Json(api.app.avatar(caller.user.id).await?.into()))
}

/// Remove the own picture
///
/// The same answer whether or not there was one.
#[utoipa::path(
    operation_id = "remove_avatar",
    tag = "Contract A: JSON and e-mail",
    responses((status = 204, description = "There is no picture any more")),
    security(("password" = []), ("bearer" = []))
)]
#[delete("/api/v1/auth/me/avatar")]
pub(crate) async fn remove(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
) -> Result<HttpResponse, Problem> {
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    api.app.remove_avatar(caller.user.id).await?;
    Ok(HttpResponse::NoContent().finish())
}
