//! Custom tokens: <https://firebase.google.com/docs/auth/admin/create-custom-tokens>.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_domain::ports::IdentityError;
use portcullis_domain::{Claims, Subject, Timestamp};
use portcullis_google::ServiceAccount;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::claims;

/// Who takes them.
const AUDIENCE: &str =
    "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit";
/// How long one is good for, in seconds: Google's longest.
const SECONDS: i64 = 3_600;
/// Whom the emulator believes to have signed.
const NOBODY: &str = "firebase-auth-emulator@example.com";

/// Makes custom tokens.
pub(super) enum CustomTokens {
    /// Signed by the account.
    Signed(Box<ServiceAccount>),
    /// Not signed at all: the emulator takes them.
    Unsigned,
}

impl CustomTokens {
    pub(super) fn make(
        &self,
        subject: &Subject,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<SecretString, IdentityError> {
        let claims = claims::checked(claims)?;
        let issuer = match self {
            Self::Signed(account) => account.client_email(),
            Self::Unsigned => NOBODY,
        };
        let mut body = json!({
            "iss": issuer,
            "sub": issuer,
            "aud": AUDIENCE,
            "iat": now.as_seconds(),
            "exp": now.as_seconds() + SECONDS,
            "uid": subject.as_str(),
        });
        if !claims.is_empty() {
            body["claims"] = Value::Object(claims);
        }
        match self {
            Self::Signed(account) => account
                .sign_token(&body)
                .map(SecretString::from)
                .map_err(|error| IdentityError::Unavailable(error.into())),
            Self::Unsigned => Ok(unsigned(&body).into()),
        }
    }
}

/// A token without a signature (RFC 7519 §6.1).
fn unsigned(claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": "none", "typ": "JWT"}).to_string());
    format!("{header}.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()))
}
