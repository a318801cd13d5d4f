//! What a failure of Identity Toolkit means.

use portcullis_domain::ports::{IdentityError, MalformedIdentity};
use portcullis_google::{Failure, FailureKind};

/// A failure in the port's words.
pub(super) fn identity_error(failure: Failure) -> IdentityError {
    let keyword = failure.refusal().map_or("", |refusal| refusal.keyword.as_str());
    if let Some(named) = named(keyword) {
        return named;
    }
    // These come as 400.
    if ["QUOTA_EXCEEDED", "TOO_MANY_ATTEMPTS_TRY_LATER"].contains(&keyword) {
        return IdentityError::RateLimited { retry_after: None, cause: failure.into() };
    }
    match failure.kind() {
        FailureKind::Denied => IdentityError::Denied(failure.into()),
        FailureKind::RateLimited(retry_after) => {
            IdentityError::RateLimited { retry_after, cause: failure.into() }
        }
        FailureKind::Unavailable => IdentityError::Unavailable(failure.into()),
        FailureKind::Refused | FailureKind::Unexpected => IdentityError::Unexpected(failure.into()),
    }
}

/// The names that Identity Toolkit has for what is wrong with a request.
fn named(keyword: &str) -> Option<IdentityError> {
    let which = match keyword {
        "USER_NOT_FOUND" => return Some(IdentityError::NotFound),
        "USER_DISABLED" => return Some(IdentityError::Disabled),
        "DUPLICATE_LOCAL_ID" | "EMAIL_EXISTS" | "DUPLICATE_EMAIL" | "PHONE_NUMBER_EXISTS" => {
            return Some(IdentityError::AlreadyExists);
        }
        "INVALID_LOCAL_ID" => MalformedIdentity::Subject,
        "INVALID_EMAIL" | "INVALID_NEW_EMAIL" => MalformedIdentity::Email,
        "INVALID_PHONE_NUMBER" => MalformedIdentity::Phone,
        "WEAK_PASSWORD" | "INVALID_PASSWORD" | "PASSWORD_DOES_NOT_MEET_REQUIREMENTS" => {
            MalformedIdentity::Password
        }
        "INVALID_DISPLAY_NAME" => MalformedIdentity::Name,
        "INVALID_PHOTO_URL" => MalformedIdentity::Picture,
        "INVALID_PAGE_SELECTION" | "INVALID_NEXT_PAGE_TOKEN" => MalformedIdentity::PageToken,
        "FORBIDDEN_CLAIM" => MalformedIdentity::ReservedClaim,
        "CLAIMS_TOO_LARGE" => MalformedIdentity::ClaimsTooLong,
        "INVALID_CLAIMS" => MalformedIdentity::Claim,
        _ => return None,
    };
    Some(IdentityError::Malformed(which))
}
