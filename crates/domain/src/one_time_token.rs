//! Tokens that work once: e-mail verification and password reset.

use std::fmt;

use crate::{Timestamp, UserId};

/// What a one-time token is for. A token for one purpose is nothing for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Proves that its bearer reads the account's mailbox.
    EmailVerification,
    /// Lets its bearer choose a new password.
    PasswordReset,
}

/// SHA-256 of a one-time token: all that a store keeps of it (contract §5).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenDigest(pub [u8; 32]);

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

/// A one-time token as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    /// The digest of the token.
    pub digest: TokenDigest,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose it is.
    pub user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was spent, if it was.
    pub used_at: Option<Timestamp>,
}

impl OneTimeToken {
    /// Whether presenting it at `now` would have an effect.
    #[must_use]
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }
}
