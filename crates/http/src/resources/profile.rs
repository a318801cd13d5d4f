//! `GET` and `PATCH /api/v1/auth/me`: contract A's profile.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, get, patch};
use portcullis_domain::{Contract, FullName, User};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::extract::bearer::Bearer;
use crate::extract::body::Body;
use crate::problem::Problem;

/// An account as contract A shows it to its owner.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserResponse {
    /// The account's id.
    id: Uuid,
    /// Its address.
    #[schema(example = "john.doe@example.com")]
    email: String,
    /// Its name.
    #[schema(example = "John Doe")]
    name: String,
    /// Whether the address is proven.
    #[schema(example = true)]
    email_verified: bool,
    /// When it was registered.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    created_at: String,
    /// When a password last opened a session, if ever.
    #[schema(format = DateTime, required = true, example = "2026-01-02T00:00:00.000000Z")]
    last_login_at: Option<String>,
}

impl From<&User> for UserResponse {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.as_uuid(),
            email: user.email.to_string(),
            name: user.name.full().as_str().to_owned(),
            email_verified: user.is_email_verified(),
            created_at: user.created_at.to_string(),
            last_login_at: user.last_login_at.map(|at| at.to_string()),
        }
    }
}

/// An account's profile as contract A shows it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProfileResponse {
    #[serde(flatten)]
    user: UserResponse,
    /// When the profile last changed, if ever.
    #[schema(format = DateTime, required = true, example = "2026-01-03T00:00:00.000000Z")]
    updated_at: Option<String>,
}

impl From<&User> for ProfileResponse {
    fn from(user: &User) -> Self {
        Self { user: user.into(), updated_at: user.updated_at.map(|at| at.to_string()) }
    }
}

/// What may be changed. Other fields are ignored.
#[derive(ToSchema)]
#[schema(as = ProfileUpdate)]
#[expect(dead_code, reason = "documents what `change` reads")]
pub(crate) struct ProfileUpdate {
    /// The new name; absent or null changes nothing.
    #[schema(min_length = 1, max_length = 255, example = "John Updated Doe")]
    name: Option<String>,
}

/// Read the own profile
#[utoipa::path(
    operation_id = "read_profile",
    tag = "Contract A: JSON and e-mail",
    responses((status = 200, description = "The profile", body = ProfileResponse)),
    security(("password" = []), ("bearer" = []))
)]
#[get("/api/v1/auth/me")]
pub(crate) async fn show(
    request: HttpRequest,
    bearer: Bearer,
) -> Result<Json<ProfileResponse>, Problem> {
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    Ok(Json((&caller.user).into()))
}

/// Change the own profile
///
/// Only the name can be changed.
#[utoipa::path(
    operation_id = "change_profile",
    tag = "Contract A: JSON and e-mail",
    request_body(content = Option<ProfileUpdate>, content_type = "application/json"),
    responses((status = 200, description = "The profile as it is now", body = ProfileResponse)),
    security(("password" = []), ("bearer" = []))
)]
#[patch("/api/v1/auth/me")]
pub(crate) async fn change(
    api: Data<Api>,
    request: HttpRequest,
    bearer: Bearer,
    body: Body,
) -> Result<Json<ProfileResponse>, Problem> {
    let mut fields = body.json()?;
    let caller = bearer.authenticate(&request, Contract::Json).await?;
    let name = fields.optional("name", FullName::parse);
    fields.check()?;
    let Some(name) = name else { return Ok(Json((&caller.user).into())) };
    let renamed = api.app.rename(caller.user.id, name).await;
    let user = renamed.map_err(|denied| Problem::of_access(denied, Contract::Json))?;
    Ok(Json((&user).into()))
}
