//! An assertion for an access token (RFC 7523 §2.1):
//! <https://developers.google.com/identity/protocols/oauth2/service-account>.

use std::time::Duration;

use portcullis_api_client::{Answer, ApiClient, CallError, Method, Repeat};
use portcullis_domain::Timestamp;
use portcullis_domain::error::remark;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::TokenError;
use crate::scope::Scope;
use crate::service_account::ServiceAccount;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long an assertion is good for, in seconds: Google's longest.
const ASSERTION_SECONDS: i64 = 3_600;
/// Longest life of a token that is believed.
const MAX_LIFETIME: Duration = Duration::from_hours(12);

/// An access token, and how long it lasts from now on.
pub(super) struct Granted {
    pub(super) token: SecretString,
    pub(super) lifetime: Duration,
}

#[derive(Serialize)]
struct Assertion<'a> {
    iss: &'a str,
    scope: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    expires_in: u64,
    token_type: String,
}

/// RFC 6749 §5.2.
#[derive(Default, Deserialize)]
struct Refused {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

/// Fetches a token. A second request would only give another, so it is repeated
/// whenever that may help.
pub(super) async fn fetch(
    client: &ApiClient,
    account: &ServiceAccount,
    scope: Scope,
    now: Timestamp,
) -> Result<Granted, TokenError> {
    let audience = account.token_uri.as_str().trim_end_matches('/');
    let assertion = Assertion {
        iss: account.client_email(),
        scope: scope.as_str(),
        aud: audience,
        iat: now.as_seconds(),
        exp: now.as_seconds() + ASSERTION_SECONDS,
    };
    let assertion = account
        .sign_token(&assertion)
        .map_err(|error| TokenError::Unavailable(error.to_string()))?;
    let form = [("grant_type", GRANT), ("assertion", &assertion)];
    let call = client.call(Method::POST, &[]).form(&form);
    let answer = call.send(Repeat::Safe).await.map_err(|error| not_answered(&error))?;
    if !answer.status.is_success() {
        return Err(refused(&answer));
    }
    let grant: Grant = answer.json().map_err(|error| not_answered(&error))?;
    if !grant.token_type.eq_ignore_ascii_case("Bearer") || grant.expires_in == 0 {
        return Err(TokenError::Unexpected("it is no bearer token that lasts".into()));
    }
    let lifetime = Duration::from_secs(grant.expires_in).min(MAX_LIFETIME);
    Ok(Granted { token: grant.access_token.into(), lifetime })
}

fn not_answered(error: &CallError) -> TokenError {
    if error.is_outage() {
        TokenError::Unavailable(error.to_string())
    } else {
        TokenError::Unexpected(error.to_string())
    }
}

fn refused(answer: &Answer) -> TokenError {
    let Refused { error, error_description } = answer.json().unwrap_or_default();
    let told = remark(&format!("{} {error} {error_description}", answer.status.as_u16()));
    match answer.status.as_u16() {
        // `invalid_grant` comes as 400: a key that was deleted, a clock that is wrong.
        400 | 401 | 403 => TokenError::Denied(told),
        429 => TokenError::RateLimited { told, retry_after: answer.retry_after() },
        408 | 500..=599 => TokenError::Unavailable(told),
        _ => TokenError::Unexpected(told),
    }
}
