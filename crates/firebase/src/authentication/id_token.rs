//! ID tokens: <https://firebase.google.com/docs/auth/admin/verify-id-tokens>.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use portcullis_domain::ports::IdentityError;
use portcullis_domain::{Email, PhoneNumber, Subject, Timestamp, VerifiedIdentity};
use serde_json::{Map, Value};

use super::claims;
use super::public_keys::{NoKey, PublicKeys};

/// Longest token that is looked at. Google's have one or two thousand bytes.
const MAX_BYTES: usize = 16 * 1024;
/// So far ahead of ours Google's clock may be.
const SKEW: Duration = Duration::from_mins(1);

/// Why a token is no ID token of this project. For logs: whoever brought it is
/// told that it is invalid, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdToken {
    /// It does not consist of three parts in base64, the first two of them JSON.
    #[error("it is not a token")]
    Malformed,
    /// It is not signed with RS256.
    #[error("its algorithm is not RS256")]
    Algorithm,
    /// It names no key, or one that Google does not have.
    #[error("its key is unknown")]
    Key,
    /// The signature is not that key's.
    #[error("its signature is wrong")]
    Signature,
    /// It is for another project.
    #[error("its audience is another project")]
    Audience,
    /// It is by somebody else.
    #[error("its issuer is another")]
    Issuer,
    /// It names no user.
    #[error("its subject is missing or too long")]
    Subject,
    /// It lacks a time, or one lies ahead.
    #[error("its times are missing or lie ahead")]
    Times,
}

impl From<InvalidIdToken> for IdentityError {
    fn from(why: InvalidIdToken) -> Self {
        Self::InvalidToken(why.into())
    }
}

/// Verifies ID tokens of a project.
pub(super) struct IdTokens {
    project: String,
    proof: Proof,
}

/// What proves that a token is Google's.
enum Proof {
    Signature(Box<PublicKeys>),
    /// Nothing: it is the emulator's.
    None,
}

impl IdTokens {
    /// Tokens that are signed by one of these keys.
    pub(super) fn signed(project: String, keys: PublicKeys) -> Self {
        Self { project, proof: Proof::Signature(Box::new(keys)) }
    }

    /// The emulator's tokens, which are not signed.
    pub(super) fn unsigned(project: String) -> Self {
        Self { project, proof: Proof::None }
    }

    pub(super) async fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<VerifiedIdentity, IdentityError> {
        if token.len() > MAX_BYTES {
            return Err(InvalidIdToken::Malformed.into());
        }
        let claims = match &self.proof {
            Proof::Signature(keys) => signed_claims(token, keys).await?,
            Proof::None => unsigned_claims(token)?,
        };
        self.check(claims, now)
    }

    /// Who it is that the claims name, if they hold now.
    fn check(
        &self,
        mut claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<VerifiedIdentity, IdentityError> {
        let issuer = format!("https://securetoken.google.com/{}", self.project);
        if take_text(&mut claims, "aud") != Some(self.project.clone()) {
            return Err(InvalidIdToken::Audience.into());
        }
        if take_text(&mut claims, "iss") != Some(issuer.clone()) {
            return Err(InvalidIdToken::Issuer.into());
        }
        let subject = take_text(&mut claims, "sub").and_then(|sub| Subject::parse(&sub).ok());
        let subject = subject.ok_or(InvalidIdToken::Subject)?;
        let mut time = |name| {
            let seconds = claims.remove(name)?.as_i64()?;
            Some(Timestamp::from_seconds(seconds))
        };
        let (Some(issued_at), Some(expires_at), Some(authenticated_at)) =
            (time("iat"), time("exp"), time("auth_time"))
        else {
            return Err(InvalidIdToken::Times.into());
        };
        if issued_at > now + SKEW || authenticated_at > now + SKEW {
            return Err(InvalidIdToken::Times.into());
        }
        if expires_at <= now {
            return Err(IdentityError::Expired);
        }
        let email = take(&mut claims, "email", |text| Email::parse(text).ok());
        let verified = claims.remove("email_verified") == Some(Value::Bool(true));
        Ok(VerifiedIdentity {
            subject,
            issuer,
            audience: self.project.clone(),
            email_verified: email.is_some() && verified,
            email,
            name: take_text(&mut claims, "name"),
            picture: take_text(&mut claims, "picture"),
            phone: take(&mut claims, "phone_number", |text| PhoneNumber::parse(text).ok()),
            authenticated_at,
            issued_at,
            expires_at,
            sign_in_provider: claims
                .get("firebase")
                .and_then(|firebase| firebase["sign_in_provider"].as_str())
                .map(str::to_owned),
            claims: claims::read(claims),
        })
    }
}

/// Takes a claim out if it is a text of that form; otherwise it stays among the
/// others.
fn take<T>(
    claims: &mut Map<String, Value>,
    name: &str,
    form: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let taken = form(claims.get(name)?.as_str()?)?;
    claims.remove(name);
    Some(taken)
}

fn take_text(claims: &mut Map<String, Value>, name: &str) -> Option<String> {
    take(claims, name, |text| Some(text.to_owned()))
}

/// The claims of a token that one of the keys signed. Its times are checked
/// later, by our own clock.
async fn signed_claims(
    token: &str,
    keys: &PublicKeys,
) -> Result<Map<String, Value>, IdentityError> {
    let id = key_id(token)?;
    let key = match keys.find(&id).await {
        Ok(key) => key,
        Err(NoKey::Unknown) => return Err(InvalidIdToken::Key.into()),
        Err(NoKey::Unavailable(cause)) => return Err(IdentityError::Unavailable(cause)),
    };
    let mut form = Validation::new(Algorithm::RS256);
    form.required_spec_claims.clear();
    form.validate_exp = false;
    form.validate_aud = false;
    let decoded = decode(token, &key, &form);
    Ok(decoded.map_err(|_| InvalidIdToken::Signature)?.claims)
}

/// The key that a token names; nothing it says is believed yet.
fn key_id(token: &str) -> Result<String, InvalidIdToken> {
    let header = header(token)?;
    if header["alg"] != "RS256" {
        return Err(InvalidIdToken::Algorithm);
    }
    let Header { kid, .. } = decode_header(token).map_err(|_| InvalidIdToken::Malformed)?;
    kid.filter(|id| !id.is_empty()).ok_or(InvalidIdToken::Key)
}

/// The claims of a token without a signature; one that has a signature is none
/// of the emulator's.
fn unsigned_claims(token: &str) -> Result<Map<String, Value>, InvalidIdToken> {
    if header(token)?["alg"] != "none" {
        return Err(InvalidIdToken::Algorithm);
    }
    match token.split('.').collect::<Vec<_>>()[..] {
        [_, claims, ""] => match json(claims)? {
            Value::Object(claims) => Ok(claims),
            _ => Err(InvalidIdToken::Malformed),
        },
        _ => Err(InvalidIdToken::Malformed),
    }
}

fn header(token: &str) -> Result<Value, InvalidIdToken> {
    match token.split('.').collect::<Vec<_>>()[..] {
        [header, _, _] => json(header),
        _ => Err(InvalidIdToken::Malformed),
    }
}

fn json(part: &str) -> Result<Value, InvalidIdToken> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidIdToken::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| InvalidIdToken::Malformed)
}

impl fmt::Debug for IdTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proof {
            Proof::Signature(keys) => f.debug_tuple("Signed").field(keys).finish(),
            Proof::None => f.write_str("Unsigned"),
        }
    }
}
