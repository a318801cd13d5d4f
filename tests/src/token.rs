//! What can be read in an access token without a key.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

/// The header of an access token.
#[must_use]
#[track_caller]
pub fn header(token: &str) -> Value {
    part(token, 0)
}

/// The claims of an access token.
#[must_use]
#[track_caller]
pub fn claims(token: &str) -> Value {
    part(token, 1)
}

#[track_caller]
fn part(token: &str, number: usize) -> Value {
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "an access token has three parts");
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[number]).unwrap()).unwrap()
}
