//! Bearer tokens (RFC 6750 §2.1), from the `Authorization` header alone.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use portcullis_domain::ports::{Bucket, Caller, Quota, Verdict};
use portcullis_domain::{AccessClaims, Contract};

use super::subject::Subject;
use crate::Api;
use crate::middleware::admission::Admitted;
use crate::middleware::rate_limit::{Verdicts, retry_after};
use crate::problem::Problem;

/// Who a request speaks for, as far as is known, as an argument of a handler.
pub(crate) enum Bearer {
    /// Nobody, and why.
    Nobody(NoToken),
    /// Whoever the token was issued to, which was not looked at yet.
    Token(String),
    /// What was found out about them before the handler asks.
    Admitted(Box<Admitted>),
}

/// Why the `Authorization` header holds no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoToken {
    /// It says nothing, or nothing about a bearer.
    Absent,
    /// What it says about a bearer is not one token.
    Malformed,
}

impl FromRequest for Bearer {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let admitted = request.extensions_mut().remove().map(Self::Admitted);
        ready(Ok(admitted.unwrap_or_else(|| match token_of(request.headers()) {
            Ok(token) => Self::Token(token.to_owned()),
            Err(none) => Self::Nobody(none),
        })))
    }
}

/// The token that the headers of a request hold.
pub(crate) fn token_of(headers: &HeaderMap) -> Result<&str, NoToken> {
    let mut values = headers.get_all(header::AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Err(NoToken::Absent),
        (Some(value), None) => text_of(value).ok_or(NoToken::Malformed).and_then(parse),
        (Some(_), Some(_)) => Err(NoToken::Malformed),
    }
}

/// The scheme in any case, one blank, one token without blanks.
fn parse(value: &str) -> Result<&str, NoToken> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NoToken::Absent);
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    if token.is_empty() || !are_all(token.as_bytes(), is_plain) {
        return Err(NoToken::Malformed);
    }
    Ok(token)
}

/// What a header's value says, if it is visible ASCII, blanks and tabs: as
/// `HeaderValue::to_str` has it, which looks at one byte after the other.
fn text_of(value: &HeaderValue) -> Option<&str> {
    let is_text = |byte: u8| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic();
    let bytes = value.as_bytes();
    if are_all(bytes, is_text) { str::from_utf8(bytes).ok() } else { None }
}

/// Whether all bytes are of that kind. To the end in any case: without a way out, many
/// bytes are looked at in one step.
fn are_all(bytes: &[u8], is_kind: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(true, |are, byte| are & is_kind(*byte))
}

impl Bearer {
    /// Finds out who it is, counting the request against their own limit
    /// before any store is asked. Refusals speak the given contract.
    pub(crate) async fn authenticate(
        self,
        request: &HttpRequest,
        contract: Contract,
    ) -> Result<Arc<Caller>, Problem> {
        let api = request.app_data::<web::Data<Api>>().ok_or_else(Problem::internal)?;
        let denied = |denied| Problem::of_access(denied, contract);
        let recognised = match self {
            Self::Nobody(NoToken::Absent) => return Err(Problem::not_authenticated(contract)),
            Self::Nobody(NoToken::Malformed) => return Err(Problem::invalid_token()),
            Self::Admitted(admitted) => {
                let Admitted { claims, own, found } = *admitted;
                heed(request, api, own)?;
                let found = found.map_err(|error| denied(error.into()))?;
                api.app.recognise(&claims, found).await
            }
            Self::Token(token) => {
                let claims = api.app.verify_access_token(&token).map_err(denied)?;
                if let Some(own) = own_limit(api, &claims).await {
                    heed(request, api, own)?;
                }
                api.app.authenticate(&claims).await
            }
        };
        let caller = recognised.map_err(denied)?;
        Subject::from(&*caller).note(request);
        Ok(caller)
    }
}

/// Takes the request from its user's own limit. One that is away lets requests through
/// (contract §6).
async fn own_limit(api: &Api, claims: &AccessClaims) -> Option<Verdict> {
    let limits = api.settings.rate_limits?;
    let quota = Quota { limit: limits.user, window: limits.window };
    api.limiters.shared.take(Bucket::User(claims.user), quota, api.app.now()).await.ok()
}

/// What the user's own limit said, for the answer's headers and for the request.
fn heed(request: &HttpRequest, api: &Api, verdict: Verdict) -> Result<(), Problem> {
    Verdicts::add(&mut request.extensions_mut(), verdict);
    if verdict.allowed {
        return Ok(());
    }
    Err(Problem::rate_limited(retry_after(&verdict, api.app.now())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_read_in_any_case_and_the_rest_strictly() {
        for good in ["Bearer a.b.c", "bearer a.b.c", "BEARER a.b.c"] {
            assert_eq!(parse(good), Ok("a.b.c"), "{good}");
        }
        for bad in ["Bearer", "Bearer ", "Bearer  x", "Bearer x y", "Bearer x\ty", "Bearer x,y"] {
            assert_eq!(parse(bad), Err(NoToken::Malformed), "{bad}");
        }
        for other in ["", "Basic x", "Bearerx y", "Token x"] {
            assert_eq!(parse(other), Err(NoToken::Absent), "{other}");
        }
    }

    #[test]
    fn a_header_is_text_exactly_where_the_framework_says_so() {
        for byte in 0..=u8::MAX {
            let long = [b"Bearer ".as_slice(), &[b'a'; 40], &[byte], &[b'z'; 7]].concat();
            let Ok(value) = HeaderValue::from_bytes(&long) else { continue };
            assert_eq!(text_of(&value), value.to_str().ok(), "{byte}");
        }
    }
}
