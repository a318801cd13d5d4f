//! What a call of a Google API may end with.

use std::time::Duration;

use portcullis_api_client::{Answer, CallError};
use portcullis_domain::error::remark;
use serde::Deserialize;

use crate::access_tokens::TokenError;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no access token to make it with.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The answer is a refusal.
    #[error(transparent)]
    Refusal(Box<Refusal>),
}

/// What a caller can do about a failure, where the service's own words do not
/// say more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Our credentials were refused: an operator can mend it.
    Denied,
    /// Come back later, after so long if it said so.
    RateLimited(Option<Duration>),
    /// It is away, slow or broken; trying again later may succeed.
    Unavailable,
    /// The request was refused for what it says.
    Refused,
    /// It answered with something else than it publishes.
    Unexpected,
}

/// An answer that is no success, in Google's form:
/// <https://cloud.google.com/apis/design/errors#http_mapping>.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{told}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Google's name for it, like `NOT_FOUND`; empty if it gave none.
    pub code: String,
    /// The first word of the message: Identity Toolkit's name for what is wrong,
    /// like `EMAIL_EXISTS`.
    pub keyword: String,
    /// The services' own names for what is wrong, like `UNREGISTERED` of Cloud
    /// Messaging or `rateLimitExceeded` of Cloud Storage.
    pub reasons: Vec<String>,
    /// The fields of the request that are wrong, like `message.token`.
    pub fields: Vec<String>,
    /// When to come back, if it said so.
    pub retry_after: Option<Duration>,
    /// Status, names and message, fit for a log.
    pub told: String,
}

#[derive(Default, Deserialize)]
struct Body {
    #[serde(default)]
    error: ErrorBody,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    status: String,
    message: String,
    details: Vec<Detail>,
    errors: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: Option<String>,
    reason: Option<String>,
    field_violations: Vec<FieldViolation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FieldViolation {
    field: String,
}

impl Refusal {
    /// Reads an answer.
    #[must_use]
    pub fn of(answer: &Answer) -> Self {
        let Body { error } = answer.json().unwrap_or_default();
        let (mut reasons, mut fields) = (Vec::new(), Vec::new());
        for detail in error.details.into_iter().chain(error.errors) {
            reasons.extend(detail.error_code.into_iter().chain(detail.reason));
            fields.extend(detail.field_violations.into_iter().map(|violation| violation.field));
        }
        let status = answer.status.as_u16();
        let keyword = error.message.split([' ', ':']).next().unwrap_or_default().to_owned();
        let said = format!("{status} {} {}", spaced(&error.status), spaced(&error.message));
        Self {
            status,
            code: error.status,
            keyword,
            reasons,
            fields,
            retry_after: answer.retry_after(),
            told: remark(&said),
        }
    }

    /// Whether one of the names for what is wrong is this.
    #[must_use]
    pub fn is_because(&self, reason: &str) -> bool {
        self.reasons.iter().any(|given| given == reason)
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        let is_quota = ["rateLimitExceeded", "userRateLimitExceeded"];
        match self.status {
            403 if is_quota.iter().any(|reason| self.is_because(reason)) => {
                FailureKind::RateLimited(self.retry_after)
            }
            401 | 403 => FailureKind::Denied,
            429 => FailureKind::RateLimited(self.retry_after),
            408 | 500..=599 => FailureKind::Unavailable,
            400..=499 => FailureKind::Refused,
            _ => FailureKind::Unexpected,
        }
    }
}

/// Names like `EMAIL_EXISTS` are words, longer than what a remark keeps of one.
fn spaced(text: &str) -> String {
    text.replace('_', " ")
}

impl Failure {
    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Token(TokenError::Denied(_)) => FailureKind::Denied,
            Self::Token(TokenError::RateLimited { retry_after, .. }) => {
                FailureKind::RateLimited(*retry_after)
            }
            Self::Token(TokenError::Unavailable(_)) => FailureKind::Unavailable,
            Self::Call(error) if error.is_outage() => FailureKind::Unavailable,
            Self::Token(TokenError::Unexpected(_)) | Self::Call(_) => FailureKind::Unexpected,
            Self::Refusal(refusal) => refusal.kind(),
        }
    }

    /// The refusal, if it is one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refusal(refusal) => Some(refusal),
            Self::Token(_) | Self::Call(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_api_client::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    use super::*;

    fn refusal(status: u16, body: &Value) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap();
        let body = body.to_string().into_bytes();
        Refusal::of(&Answer { status, headers: HeaderMap::new(), body })
    }

    #[test]
    fn what_google_says_is_read() {
        let unregistered = refusal(
            404,
            &json!({"error": {
                "code": 404,
                "message": "Requested entity was not found.",
                "status": "NOT_FOUND",
                "details": [
                    {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "message.token"}]},
                    {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError",
                     "errorCode": "UNREGISTERED"}
                ]
            }}),
        );
        assert_eq!(unregistered.code, "NOT_FOUND");
        assert!(unregistered.is_because("UNREGISTERED"));
        assert_eq!(unregistered.fields, ["message.token"]);
        assert_eq!(unregistered.to_string(), "404 NOT FOUND Requested entity was not found.");
        let weak = refusal(400, &json!({"error": {"message": "WEAK_PASSWORD : too short"}}));
        assert_eq!(weak.keyword, "WEAK_PASSWORD");
    }

    #[test]
    fn an_answer_that_is_no_json_is_known_by_its_status() {
        let status = StatusCode::BAD_GATEWAY;
        let answer = Answer { status, headers: HeaderMap::new(), body: b"<html>".to_vec() };
        let refusal = Refusal::of(&answer);
        assert_eq!((refusal.to_string(), refusal.kind()), ("502".into(), FailureKind::Unavailable));
    }

    #[test]
    fn a_quota_is_not_a_lack_of_rights() {
        let quota = json!({"error": {"errors": [{"reason": "userRateLimitExceeded"}]}});
        assert_eq!(refusal(403, &quota).kind(), FailureKind::RateLimited(None));
        assert_eq!(refusal(403, &json!({})).kind(), FailureKind::Denied);
    }

    #[test]
    fn a_message_that_quotes_a_token_is_not_told_whole() {
        let quoting =
            json!({"error": {"message": "bad ya29.A0b1C2d3E4f5 at https://x.example/?k=v"}});
        assert_eq!(refusal(400, &quoting).to_string(), "400 bad … at …");
    }
}
