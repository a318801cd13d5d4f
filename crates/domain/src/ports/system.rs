//! Time, ids and randomness, and what is good to have.

use async_trait::async_trait;
use uuid::Uuid;

use crate::{AccessTokenId, Cause, JobId, LetterId, Seed, SessionId, Timestamp, UserId};

/// Tells the time.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now. It may step back.
    fn now(&self) -> Timestamp;
}

/// Makes ids that nobody has had before.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait IdGenerator: Send + Sync {
    /// A user's: a version 7 UUID, so that new rows sit together in an index.
    fn user(&self) -> UserId;
    /// A session's: unguessable.
    fn session(&self) -> SessionId;
    /// An access token's: unguessable.
    fn access_token(&self) -> AccessTokenId;
    /// A letter's: unguessable, since one-time tokens are derived from it.
    fn letter(&self) -> LetterId;
    /// An object's in an object store: unguessable, since whoever knows it may find
    /// the object.
    fn object(&self) -> Uuid;
    /// A job's: an operator's word for it.
    fn job(&self) -> JobId;
    /// A request's, where its client named none; it stands in logs and answers.
    fn request(&self) -> Uuid;
}

/// Draws secrets from a cryptographic source.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Randomness: Send + Sync {
    /// A new session's seed.
    fn seed(&self) -> Seed;
}

/// Something that is good to have and can be done without: a cache, a limiter
/// that instances share.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Auxiliary: Send + Sync {
    /// Asks for a sign of life.
    async fn ping(&self) -> Result<(), Cause>;
}
