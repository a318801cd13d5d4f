//! `GET /api/v1/users/me`: contract B's profile.

use actix_web::web::Json;
use actix_web::{HttpRequest, get};
use portcullis_domain::{Contract, User};
use serde::Serialize;
use utoipa::ToSchema;

use crate::extract::bearer::Bearer;
use crate::problem::Problem;

/// An account as contract B shows it to its owner.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserDetails {
    /// The account's number.
    #[schema(example = 1)]
    id: i64,
    /// The username; null for accounts that registered by contract A.
    #[schema(required = true, example = "johndoe")]
    username: Option<String>,
    /// The address.
    #[schema(example = "john@example.com")]
    email: String,
    /// The first name.
    #[schema(example = "John")]
    first_name: String,
    /// The last name; may be empty.
    #[schema(example = "Doe")]
    last_name: String,
    /// When it was registered.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    created_at: String,
    /// When the profile last changed; at first, when it was registered.
    #[schema(format = DateTime, example = "2026-01-01T00:00:00.000000Z")]
    updated_at: String,
}

impl From<&User> for UserDetails {
    fn from(user: &User) -> Self {
        Self {
            id: user.number.get(),
            username: user.username.as_ref().map(ToString::to_string),
            email: user.email.to_string(),
            first_name: user.name.first().to_owned(),
            last_name: user.name.last().to_owned(),
            created_at: user.created_at.to_string(),
            updated_at: user.updated_at.unwrap_or(user.created_at).to_string(),
        }
    }
}

/// Read the own account
#[utoipa::path(
    operation_id = "read_user",
    tag = "Contract B: forms and username",
    responses((status = 200, description = "The account", body = UserDetails)),
    security(("password" = []), ("bearer" = []))
)]
#[get("/api/v1/users/me")]
pub(crate) async fn show(
    request: HttpRequest,
    bearer: Bearer,
) -> Result<Json<UserDetails>, Problem> {
    let caller = bearer.authenticate(&request, Contract::Form).await?;
    Ok(Json((&caller.user).into()))
}
