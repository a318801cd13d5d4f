//! Hashing and checking passwords.

use async_trait::async_trait;

use crate::{Cause, Password, PasswordHash};

/// Why no hash was computed.
#[derive(Debug, thiserror::Error)]
pub enum HasherError {
    /// Too many are waiting; trying again a little later may succeed.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded,
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
    /// Hashes a new password with a fresh salt, by the scheme and cost that
    /// are set.
    async fn hash(&self, password: Password) -> Result<PasswordHash, HasherError>;

    /// Checks a password. Without a hash (no such account) it does the same
    /// work against a hash that nothing matches.
    async fn verify(
        &self,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError>;
}
