//! The resources of both contracts, one file each.

pub(crate) mod avatar;
pub(crate) mod devices;
pub(crate) mod firebase_login;
pub(crate) mod health;
pub(crate) mod jwks;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password_reset;
pub(crate) mod profile;
pub(crate) mod purchases;
pub(crate) mod refresh;
pub(crate) mod register;
pub(crate) mod sign_up;
pub(crate) mod tokens;
pub(crate) mod users;
pub(crate) mod verify_email;

use serde::Serialize;
use utoipa::ToSchema;

/// A sentence for whoever asked.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    /// What happened.
    pub(crate) message: &'static str,
}
