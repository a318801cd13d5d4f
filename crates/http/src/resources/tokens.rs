//! Pairs of tokens, as both contracts show them.

use portcullis_app::Tokens;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

/// An access token for the API and a refresh token for the next one.
#[derive(Serialize, ToSchema)]
pub(crate) struct TokenPair {
    /// The access token, a JSON Web Token: `Authorization: Bearer <token>`.
    #[schema(example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9…")]
    access_token: String,
    /// The refresh token to present next, opaque. Keep the newest one.
    #[schema(example = "AWCbw1pvTCWfHpnN3u…")]
    refresh_token: String,
    /// Always `bearer`.
    #[schema(example = "bearer")]
    token_type: &'static str,
    /// Life of the access token in seconds.
    #[schema(example = 1800)]
    expires_in: u64,
}

impl From<Tokens> for TokenPair {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access.expose_secret().to_owned(),
            refresh_token: tokens.refresh.expose_secret().to_owned(),
            token_type: "bearer",
            expires_in: tokens.access_ttl.as_secs(),
        }
    }
}
