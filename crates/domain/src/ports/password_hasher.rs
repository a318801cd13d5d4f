//! Hashing and checking passwords.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use crate::{Cause, Password, PasswordHash};

/// Whether whoever asked for something has left. Clones tell the same.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Says that nobody waits any more.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A place in a hasher's queue, given back when it is dropped.
pub struct Turn {
    cancellation: Cancellation,
    _place: Box<dyn Any + Send>,
}

impl Turn {
    /// A turn that gives back this place when it is over.
    pub fn new(cancellation: Cancellation, place: impl Any + Send) -> Self {
        Self { cancellation, _place: Box::new(place) }
    }

    /// Whether nobody waits for it any more.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }
}

/// Why no hash was computed.
#[derive(Debug, thiserror::Error)]
pub enum HasherError {
    /// Too many are waiting; trying again a little later may succeed.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded,
    /// Whoever asked had left before the work began.
    #[error("nobody waits for the hash any more")]
    Cancelled,
    /// A defect of ours.
    #[error("a password could not be hashed")]
    Failed(#[source] Cause),
}

/// What checking a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// It is the right one. `outdated` says that the hash was made by another
    /// scheme or cost than new ones are, and should be replaced.
    Match {
        /// Whether the hash should be replaced.
        outdated: bool,
    },
    /// It is not, or there is no such account, or the hash is damaged.
    Mismatch,
}

/// Computes password hashes, a bounded number at a time, off the threads that
/// serve requests.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Takes a place in the queue, before anything is written for the one who
    /// asks: whoever comes in vain is sent away at once.
    ///
    /// # Errors
    /// [`HasherError::Overloaded`] when they would have to wait too long.
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError>;

    /// Hashes a new password with a fresh salt, by the scheme and cost that
    /// are set. Work that has begun is finished, although it was cancelled.
    ///
    /// # Errors
    /// [`HasherError::Cancelled`] when the turn was cancelled before the work
    /// began, [`HasherError::Overloaded`] when it came too late.
    async fn hash(&self, turn: Turn, password: Password) -> Result<PasswordHash, HasherError>;

    /// Checks a password. Without a hash (no such account) it does the same
    /// work against a hash that nothing matches. Work that has begun is finished,
    /// although it was cancelled.
    ///
    /// # Errors
    /// As [`PasswordHasher::hash`].
    async fn verify(
        &self,
        turn: Turn,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError>;
}
