//! What a failure of Cloud Messaging means:
//! <https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>.

use portcullis_domain::ports::PushError;
use portcullis_google::{Failure, FailureKind, Refusal};

/// A failure in the port's words.
pub(super) fn push_error(failure: Failure) -> PushError {
    if failure.refusal().is_some_and(says_unregistered) {
        return PushError::Unregistered(failure.into());
    }
    // The token belongs to another project's app, which is how a wrong project
    // in the settings looks, too: nobody should forget their tokens for that.
    if failure.refusal().is_some_and(|refusal| refusal.is_because("SENDER_ID_MISMATCH")) {
        return PushError::Refused(failure.into());
    }
    match failure.kind() {
        FailureKind::Denied => PushError::Denied(failure.into()),
        FailureKind::RateLimited(retry_after) => {
            PushError::RateLimited { retry_after, cause: failure.into() }
        }
        FailureKind::Unavailable => PushError::Unavailable(failure.into()),
        // A 404 without Cloud Messaging's own word is about the address or the
        // project, and not about a device.
        FailureKind::Refused if is_not_found(&failure) => PushError::Unexpected(failure.into()),
        FailureKind::Refused => PushError::Refused(failure.into()),
        FailureKind::Unexpected => PushError::Unexpected(failure.into()),
    }
}

/// Once there was such a device, or what was given has never been a token.
fn says_unregistered(refusal: &Refusal) -> bool {
    let is_gone = refusal.status == 404 && refusal.is_because("UNREGISTERED");
    // What was never a token is answered like any other mistake in a message: of
    // late only the text tells, before that a field did.
    let is_about_token = refusal.told.contains("registration token")
        || refusal.fields.iter().any(|field| field == "message.token");
    is_gone || (refusal.status == 400 && is_about_token)
}

fn is_not_found(failure: &Failure) -> bool {
    failure.refusal().is_some_and(|refusal| refusal.status == 404)
}
