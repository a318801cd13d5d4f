//! What Google's answers mean that are no success.

use portcullis_api_client::{CallError, StatusCode};
use portcullis_domain::ObjectName;
use portcullis_domain::ports::ObjectError;
use portcullis_google::{Failure, FailureKind};

/// What a failure means, for the object of that name or for the bucket.
pub(super) fn object_error(failure: Failure, name: Option<&ObjectName>) -> ObjectError {
    let is_absent = failure.refusal().is_some_and(|refusal| refusal.status == 404);
    match (failure.kind(), name) {
        (_, Some(name)) if is_absent && !is_of_bucket(&failure) => {
            ObjectError::NotFound { name: name.clone(), cause: failure.into() }
        }
        _ if is_absent => ObjectError::BucketNotFound(failure.into()),
        (FailureKind::Denied, _) => ObjectError::Denied(failure.into()),
        (FailureKind::RateLimited(retry_after), _) => {
            ObjectError::RateLimited { retry_after, cause: failure.into() }
        }
        (FailureKind::Unavailable, _) => ObjectError::Unavailable(failure.into()),
        (FailureKind::Refused, _) => ObjectError::Refused(failure.into()),
        (FailureKind::Unexpected, _) => ObjectError::UnexpectedAnswer(failure.into()),
    }
}

/// Google gives a missing bucket the same name as a missing object, `notFound`,
/// and tells them apart in words.
pub(super) fn is_of_bucket(failure: &Failure) -> bool {
    failure.refusal().is_some_and(|refusal| refusal.told.contains("bucket does not exist"))
}

/// An answer of a status that is not published for its request.
pub(super) fn unpublished(status: StatusCode) -> ObjectError {
    let told = format!("its status is {}", status.as_u16());
    ObjectError::UnexpectedAnswer(CallError::Unreadable(told).into())
}

pub(super) fn unreadable(error: CallError) -> ObjectError {
    ObjectError::UnexpectedAnswer(error.into())
}

/// The connection of a download has ended.
pub(super) fn interrupted() -> ObjectError {
    let told = "it ended in the middle of an object".to_owned();
    ObjectError::Unavailable(CallError::Unreachable(told).into())
}
