//! `PUT` and `DELETE /api/v1/auth/me/devices/{token}`: where to be notified.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, delete, put};
use portcullis_domain::Contract;
use portcullis_domain::push::DeviceToken;

use crate::Api;
use crate::extract::bearer::Bearer;
use crate::problem::Problem;

/// What stands in the path.
fn token(text: &str) -> Result<DeviceToken, Problem> {
    DeviceToken::parse(text).map_err(Problem::bad_device_token)
}

/// Register a device
///
/// From now on it is told of each new sign-in of the account. A device has one
/// owner, who registered it last; an account has 20 devices, the newest.
///
/// Exists where `FIREBASE_MESSAGING` is on.
#[utoipa::path(
    operation_id = "register_device",
    tag = "Contract A: JSON and e-mail",
    params(("token" = String, Path, description = "The device's Firebase Cloud Messaging token",
        min_length = 1, max_length = 4096, pattern = "^[!-~]+$")),
    responses((status = 204, description = "Registered")),
    security(("password" = []), ("bearer" = []))
)]
#[put("/api/v1/auth/me/devices/{token}")]
pub(crate) async fn register(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
    text: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    api.app.register_device(caller.user.id, token(&text)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Forget a device
#[utoipa::path(
    operation_id = "forget_device",
    tag = "Contract A: JSON and e-mail",
    params(("token" = String, Path, description = "The device's Firebase Cloud Messaging token",
        min_length = 1, max_length = 4096, pattern = "^[!-~]+$")),
    responses((status = 204, description = "Forgotten")),
    security(("password" = []), ("bearer" = []))
)]
#[delete("/api/v1/auth/me/devices/{token}")]
pub(crate) async fn forget(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
    text: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    api.app.forget_device(caller.user.id, &token(&text)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
