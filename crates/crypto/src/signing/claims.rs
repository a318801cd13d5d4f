//! What stands in a token's header and payload, letter for letter.

use serde::{Deserialize, Deserializer, Serialize};

/// The header. Anything besides these three is refused: `crit` (RFC 7515
/// §4.1.11), and every parameter that would supply a key (RFC 8725 §3.10).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderText {
    pub(super) alg: String,
    pub(super) typ: String,
    pub(super) kid: String,
}

/// The payload. Times are integers; `nbf` is tolerated and checked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ClaimsText {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: String,
    pub(super) sid: String,
    pub(super) jti: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    #[serde(skip_serializing_if = "Option::is_none", default, deserialize_with = "number")]
    pub(super) nbf: Option<i64>,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// A claim that may be missing, but is a number where it is there: not null.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    i64::deserialize(deserializer).map(Some)
}

/// The `type` claim of an access token (contract §5).
pub(super) const ACCESS: &str = "access";
