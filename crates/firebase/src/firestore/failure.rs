//! What a failure of Firestore means:
//! <https://cloud.google.com/firestore/docs/understand-error-codes>.

use portcullis_api_client::CallError;
use portcullis_domain::ports::DocumentError;
use portcullis_google::{Failure, FailureKind};

/// How Firestore begins when the whole database is missing. What it says of a
/// document begins otherwise, and goes on with its name, in which anything may
/// stand.
const NO_DATABASE: &str = "404 NOT FOUND The database ";

/// Whether it says that the document is not there. If the whole database is
/// not, that is no absence but a mistake in the settings.
pub(super) fn is_absence(failure: &Failure) -> bool {
    failure.refusal().is_some_and(|refusal| {
        refusal.status == 404
            && refusal.code == "NOT_FOUND"
            && !refusal.told.starts_with(NO_DATABASE)
    })
}

/// Whether the answer was longer than is read.
pub(super) fn is_too_long(failure: &Failure) -> bool {
    matches!(failure, Failure::Call(CallError::TooLong(_)))
}

/// A failure in the port's words.
pub(super) fn document_error(failure: Failure) -> DocumentError {
    if is_absence(&failure) {
        return DocumentError::NotFound;
    }
    // Others wrote at the same time.
    if failure.refusal().is_some_and(|refusal| refusal.code == "ABORTED") {
        return DocumentError::Unavailable(failure.into());
    }
    match failure.kind() {
        FailureKind::Denied => DocumentError::Denied(failure.into()),
        FailureKind::RateLimited(retry_after) => {
            DocumentError::RateLimited { retry_after, cause: failure.into() }
        }
        FailureKind::Unavailable => DocumentError::Unavailable(failure.into()),
        FailureKind::Refused => DocumentError::Refused(failure.into()),
        FailureKind::Unexpected => DocumentError::Unexpected(failure.into()),
    }
}
