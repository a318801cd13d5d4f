//! An identity provider: somebody else who knows people.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

use crate::Cause;
use crate::identity::{
    Claims, Identity, IdentityKey, IdentityPage, NewIdentity, Subject, VerifiedIdentity,
};

/// Whether the provider is asked if a token that is otherwise good was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationCheck {
    /// It is asked: one request. A revoked token, or one of a user who is
    /// disabled or gone, is refused at once.
    Ask,
    /// It is not: a revoked token passes until it expires, an hour at most.
    Skip,
}

/// What of a request cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedIdentity {
    /// The user's id.
    #[error("the user's id is malformed")]
    Subject,
    /// The e-mail address.
    #[error("the e-mail address is malformed")]
    Email,
    /// The telephone number.
    #[error("the telephone number is malformed")]
    Phone,
    /// The password is too short or too long.
    #[error("the password is too short or too long")]
    Password,
    /// The name is too long.
    #[error("the name is too long")]
    Name,
    /// The picture is no URL.
    #[error("the picture's URL is malformed")]
    Picture,
    /// A page has 1 to 1000 users.
    #[error("a page has 1 to 1000 users")]
    PageSize,
    /// The page does not follow any other.
    #[error("the page's token is malformed")]
    PageToken,
    /// A claim's name belongs to the token itself.
    #[error("a claim has a reserved name")]
    ReservedClaim,
    /// The claims have more than 1000 bytes as JSON.
    #[error("the claims have more than 1000 bytes")]
    ClaimsTooLong,
    /// A claim's number is infinite or none.
    #[error("a claim is not a number")]
    Claim,
}

/// Why an identity provider did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The request cannot be meant. Nothing was sent, or it was refused.
    #[error("{0}")]
    Malformed(MalformedIdentity),
    /// It is no ID token, is not from this provider or not for us, or is forged.
    #[error("the ID token is invalid")]
    InvalidToken(#[source] Cause),
    /// The ID token was good once.
    #[error("the ID token has expired")]
    Expired,
    /// The ID token belongs to a sign-in that was revoked.
    #[error("the ID token has been revoked")]
    Revoked,
    /// The user may not sign in.
    #[error("the user is disabled")]
    Disabled,
    /// There is no such user.
    #[error("the user was not found")]
    NotFound,
    /// Another user has this id, e-mail address or telephone number.
    #[error("a user with this id, e-mail address or telephone number exists")]
    AlreadyExists,
    /// Our own credentials were refused: an operator can mend it.
    #[error("the identity provider refused our credentials")]
    Denied(#[source] Cause),
    /// Too many requests.
    #[error("the identity provider asks for patience")]
    RateLimited {
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// The provider is away, slow or broken; trying again later may succeed.
    #[error("the identity provider is unavailable")]
    Unavailable(#[source] Cause),
    /// The provider answered with something else than it publishes.
    #[error("the identity provider answered unexpectedly")]
    Unexpected(#[source] Cause),
}

/// Knows people and vouches for them with ID tokens.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait IdentityProvider: Send + Sync {
    /// Checks an ID token: form, algorithm, key, signature, issuer, audience and
    /// times, and on request whether it was revoked.
    ///
    /// # Errors
    /// [`IdentityError::InvalidToken`] and [`IdentityError::Expired`];
    /// [`IdentityError::Revoked`], [`IdentityError::Disabled`] and
    /// [`IdentityError::NotFound`] when revocation is asked for.
    async fn verify_id_token(
        &self,
        token: SecretString,
        check: RevocationCheck,
    ) -> Result<VerifiedIdentity, IdentityError>;

    /// Looks a user up.
    async fn find(&self, key: IdentityKey) -> Result<Option<Identity>, IdentityError>;

    /// Creates a user, as one step.
    ///
    /// # Errors
    /// [`IdentityError::AlreadyExists`] when the id, the address or the number
    /// is somebody's; [`IdentityError::Malformed`] when a value is refused.
    async fn create(&self, user: NewIdentity) -> Result<Identity, IdentityError>;

    /// Up to `size` users (1–1000), from the beginning, or `after` the page
    /// whose [`IdentityPage::next`] this is.
    async fn list(&self, size: u16, after: Option<String>) -> Result<IdentityPage, IdentityError>;

    /// Makes a token with which an app signs this user in at the provider, for
    /// an hour. The claims become the ID token's.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] when the claims have reserved names or more
    /// than 1000 bytes.
    async fn custom_token(
        &self,
        subject: Subject,
        claims: Claims,
    ) -> Result<SecretString, IdentityError>;

    /// Replaces the claims that each later ID token of the user carries.
    ///
    /// # Errors
    /// [`IdentityError::NotFound`]; [`IdentityError::Malformed`] when the claims
    /// have reserved names or more than 1000 bytes.
    async fn set_custom_claims(
        &self,
        subject: Subject,
        claims: Claims,
    ) -> Result<(), IdentityError>;
}
