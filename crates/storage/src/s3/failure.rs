//! What S3's answers mean that are no success.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use object_store::client::HttpError;
use portcullis_domain::ObjectName;
use portcullis_domain::error::remark;
use portcullis_domain::ports::ObjectError;
use serde::Deserialize;

/// Why a request brought nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It could not be reached, or the connection ended before its answer did.
    #[error("the connection failed: {0}")]
    Unreachable(String),
    /// It did not answer within that time.
    #[error("it did not answer within {0:?}")]
    TimedOut(Duration),
    /// The answer is not of the published form.
    #[error("the answer is not as published: {0}")]
    Unreadable(String),
    /// The answer is a refusal.
    #[error(transparent)]
    Refusal(Refusal),
}

/// An answer that is no success:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{told}")]
pub(super) struct Refusal {
    status: u16,
    /// S3's name for it; an answer to HEAD has none.
    code: String,
    retry_after: Option<Duration>,
    told: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Body {
    code: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let body: Body = quick_xml::de::from_reader(body).unwrap_or_default();
        let told = remark(&format!("{status} {} {}", spaced(&body.code), body.message));
        Self { status, code: body.code, retry_after, told }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    fn into_error(self, name: Option<&ObjectName>) -> ObjectError {
        let (status, retry_after) = (self.status, self.retry_after);
        match (self.status, self.code.as_str(), name) {
            // An upload in parts that the service has given up: it takes another.
            (_, "NoSuchUpload", _) => ObjectError::Unavailable(self.into()),
            (_, "NoSuchBucket", _) | (404, _, None) => ObjectError::BucketNotFound(self.into()),
            (404, _, Some(name)) => {
                ObjectError::NotFound { name: name.clone(), cause: self.into() }
            }
            (401 | 403, _, _) => ObjectError::Denied(self.into()),
            (429, _, _) | (_, "SlowDown" | "TooManyRequests", _) => {
                ObjectError::RateLimited { retry_after, cause: self.into() }
            }
            _ => match status {
                // Someone else changes the same object at this moment, or a part of
                // an upload did not arrive in time: each passes.
                408 | 409 | 500..=599 => ObjectError::Unavailable(self.into()),
                300..=499 => ObjectError::Refused(self.into()),
                _ => ObjectError::UnexpectedAnswer(self.into()),
            },
        }
    }
}

/// The status of a failure that is told after a status of success was sent: S3
/// may begin an answer before it knows. Like Amazon's own clients, this takes it
/// for trouble of the service, whatever it says.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
pub(super) fn status_within(body: &[u8]) -> Option<StatusCode> {
    let body = std::str::from_utf8(body).ok()?.trim_start();
    let declared = body.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>"));
    let body = declared.map_or(body, |(_, rest)| rest.trim_start());
    let rest = body.strip_prefix("<Error")?;
    if !rest.starts_with(['>', '/', ' ', '\t', '\r', '\n']) {
        return None;
    }
    Some(if body.contains("<Code>SlowDown</Code>") {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    })
}

/// Codes are words written as one.
fn spaced(code: &str) -> String {
    let mut words = String::new();
    for letter in code.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

impl Failure {
    /// What it means, for the object of that name.
    pub(super) fn into_error(self, name: Option<&ObjectName>) -> ObjectError {
        match self {
            Self::Refusal(refusal) => refusal.into_error(name),
            Self::Unreachable(_) | Self::TimedOut(_) => ObjectError::Unavailable(self.into()),
            Self::Unreadable(_) => ObjectError::UnexpectedAnswer(self.into()),
        }
    }

    /// Of a client's error.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        Self::Unreachable(remark(&deepest(error)))
    }
}

/// What an error of the `object_store` crate means. Its own text, which may quote
/// anything, is not handed on.
pub(super) fn object_error(error: &object_store::Error, name: Option<&ObjectName>) -> ObjectError {
    let (mut failure, mut next) = (None, Some(error as &(dyn Error + 'static)));
    while let Some(error) = next {
        if let Some(ours) = error.downcast_ref::<Failure>() {
            failure = Some(ours.clone());
        } else if error.is::<HttpError>() && failure.is_none() {
            // Of the body of an answer: its connection has ended.
            failure = Some(Failure::of(error));
        }
        next = error.source();
    }
    let failure = failure.unwrap_or_else(|| Failure::Unreadable(remark(&deepest(error))));
    failure.into_error(name)
}

fn deepest(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(status: u16, code: &str, name: Option<&str>) -> ObjectError {
        let body = format!(
            "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>No.</Message></Error>"
        );
        let name = name.map(|name| ObjectName::parse(name).unwrap());
        let refusal = Refusal::new(status, Some(Duration::from_secs(7)), body.as_bytes());
        Failure::Refusal(refusal).into_error(name.as_ref())
    }

    #[test]
    fn each_refusal_means_something() {
        let object = Some("a");
        assert!(matches!(meaning(404, "NoSuchKey", object), ObjectError::NotFound { .. }));
        assert!(matches!(meaning(404, "", object), ObjectError::NotFound { .. }));
        assert!(matches!(meaning(404, "NoSuchBucket", object), ObjectError::BucketNotFound(_)));
        assert!(matches!(meaning(404, "", None), ObjectError::BucketNotFound(_)));
        for (status, code) in [(403, "SignatureDoesNotMatch"), (401, ""), (403, "AccessDenied")] {
            assert!(matches!(meaning(status, code, object), ObjectError::Denied(_)), "{code}");
        }
        for (status, code) in [(429, ""), (503, "SlowDown")] {
            let wait = Some(Duration::from_secs(7));
            let error = meaning(status, code, object);
            assert!(
                matches!(error, ObjectError::RateLimited { retry_after, .. } if retry_after == wait)
            );
        }
        let forgotten = meaning(404, "NoSuchUpload", object);
        assert!(matches!(forgotten, ObjectError::Unavailable(_)), "{forgotten:?}");
        for status in [408, 409, 500, 502, 503] {
            assert!(matches!(meaning(status, "", object), ObjectError::Unavailable(_)), "{status}");
        }
        for (status, code) in [(400, "EntityTooLarge"), (301, "PermanentRedirect")] {
            assert!(matches!(meaning(status, code, object), ObjectError::Refused(_)), "{code}");
        }
    }

    #[test]
    fn a_failure_is_told_from_an_answer_by_its_root() {
        let within = |body: &str| status_within(body.as_bytes()).map(|status| status.as_u16());
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        for body in ["<Error><Code>InternalError</Code></Error>", "<Error/>", " <Error x=\"1\">"] {
            assert_eq!(within(body), Some(500), "{body}");
            assert_eq!(within(&format!("\n  {declaration}\n\n{body}")), Some(500), "{body}");
        }
        assert_eq!(within("<Error><Code>SlowDown</Code></Error>"), Some(503));
        for body in ["", "<?xml", declaration, "<Errors/>", "<A><Error/></A>", "{}"] {
            assert_eq!(within(body), None, "{body}");
        }
    }

    #[test]
    fn what_s3_says_is_told_in_words() {
        let refusal = Refusal::new(
            403,
            None,
            b"<Error><Code>InvalidAccessKeyId</Code><Message>No AKIA0123 here.</Message></Error>",
        );
        assert_eq!(refusal.to_string(), "403 invalid access key id No \u{2026} here.");
        let refusal = Refusal::new(502, None, b"<html>oh no</html>");
        assert_eq!(refusal.to_string(), "502");
    }
}
