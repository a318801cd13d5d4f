//! What can go wrong with Backblaze's own API.

use std::error::Error;
use std::time::Duration;

use portcullis_api_client::{Answer, CallError};
use portcullis_domain::Cause;
use portcullis_domain::error::{remark, with_causes};
use serde::Deserialize;

/// Why Backblaze did not do what it was asked. It tells no key and no token.
#[derive(Debug, thiserror::Error)]
pub enum B2Error {
    /// No bucket can have that name.
    #[error("{0:?} is not the name of a bucket: 6 to 63 of A-Z, a-z, 0-9 and '-'")]
    BucketName(String),
    /// No file can have that id.
    #[error("a file's id must be of visible ASCII characters")]
    FileId,
    /// The text is no URL with one file's id in it.
    #[error("the URL does not hold the id of a file")]
    UrlWithoutFileId,
    /// A link would be good for too short or too long.
    #[error("a link is good for 1 second to 7 days")]
    Lifetime,
    /// There is no bucket of that name, or none that this key may see.
    #[error("there is no bucket {0:?}")]
    BucketNotFound(String),
    /// The bucket was deleted since it was looked at.
    #[error("the bucket is not there any more")]
    BucketGone(#[source] Cause),
    /// Somebody, anywhere, has a bucket of that name.
    #[error("the name of the bucket is taken")]
    BucketNameTaken(#[source] Cause),
    /// A bucket is deleted empty only.
    #[error("the bucket is not empty")]
    BucketNotEmpty(#[source] Cause),
    /// Somebody else changed the bucket since it was looked at.
    #[error("the bucket was changed by somebody else")]
    BucketChanged(#[source] Cause),
    /// There is no file of that id, or none of that id and name.
    #[error("there is no such file")]
    FileNotFound(#[source] Cause),
    /// The key is wrong, or may not do this.
    #[error("Backblaze denies access")]
    Denied(#[source] Cause),
    /// Backblaze asks to be asked less often.
    #[error("Backblaze limits how often it is asked")]
    RateLimited {
        /// How long it wants to be left alone, if it says so.
        retry_after: Option<Duration>,
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// Backblaze cannot be reached, is too slow or has trouble of its own.
    #[error("Backblaze is unavailable")]
    Unavailable(#[source] Cause),
    /// Backblaze will never do this: the request is wrong.
    #[error("Backblaze refused the request")]
    Refused(#[source] Cause),
    /// The answer is none that Backblaze publishes.
    #[error("Backblaze gave an unexpected answer")]
    UnexpectedAnswer(#[source] Cause),
}

/// An answer that is no success:
/// <https://www.backblaze.com/docs/cloud-storage-native-api-error-handling>.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub(super) struct Refusal {
    pub(super) code: String,
    told: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    code: String,
    message: String,
}

impl Refusal {
    pub(super) fn of(answer: &Answer) -> Self {
        let Body { code, message } = answer.json().unwrap_or_default();
        let said = format!("{} {} {message}", answer.status.as_u16(), code.replace('_', " "));
        Self { told: remark(&said), code }
    }
}

impl B2Error {
    pub(super) fn of(answer: &Answer) -> Self {
        let refusal = Refusal::of(answer);
        let (status, retry_after) = (answer.status.as_u16(), answer.retry_after());
        match (status, refusal.code.as_str()) {
            (400, "bad_bucket_id") => Self::BucketGone(refusal.into()),
            (400, "duplicate_bucket_name") => Self::BucketNameTaken(refusal.into()),
            (400, "cannot_delete_non_empty_bucket") => Self::BucketNotEmpty(refusal.into()),
            (409, "conflict") => Self::BucketChanged(refusal.into()),
            (404, _) | (400, "file_not_present") => Self::FileNotFound(refusal.into()),
            (401 | 403, _) => Self::Denied(refusal.into()),
            (429, _) => Self::RateLimited { retry_after, cause: refusal.into() },
            (408 | 500..=599, _) => Self::Unavailable(refusal.into()),
            (400..=499, _) => Self::Refused(refusal.into()),
            _ => Self::UnexpectedAnswer(refusal.into()),
        }
    }
}

/// What somebody else was told.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Hearsay(String);

impl B2Error {
    /// The same of a failed authorization, for somebody else who waited for it.
    pub(super) fn told_again(&self) -> Self {
        let told = self.source().map(with_causes).unwrap_or_default();
        let cause = Hearsay(told).into();
        match self {
            Self::Denied(_) => Self::Denied(cause),
            Self::RateLimited { retry_after, .. } => {
                Self::RateLimited { retry_after: *retry_after, cause }
            }
            Self::Unavailable(_) => Self::Unavailable(cause),
            Self::Refused(_) => Self::Refused(cause),
            // Of a bucket or a file an authorization says nothing.
            _ => Self::UnexpectedAnswer(cause),
        }
    }
}

impl From<CallError> for B2Error {
    fn from(error: CallError) -> Self {
        if error.is_outage() {
            Self::Unavailable(error.into())
        } else {
            Self::UnexpectedAnswer(error.into())
        }
    }
}
