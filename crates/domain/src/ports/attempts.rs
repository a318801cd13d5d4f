//! Logging in, one step before the password is checked and one after.

use std::fmt;

use async_trait::async_trait;

use crate::{
    LockoutPolicy, LoginIdentifier, Session, SourceAddress, Standing, StoreError, Timestamp, User,
};

/// The keyed digest of a login identifier, under which failures are counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentifierDigest(pub [u8; 32]);

impl fmt::Debug for IdentifierDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentifierDigest(…)")
    }
}

/// An attempt to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Who they say they are.
    pub identifier: LoginIdentifier,
    /// The same, as failures are counted.
    pub digest: IdentifierDigest,
    /// Where they come from.
    pub source: SourceAddress,
    /// When.
    pub at: Timestamp,
}

/// What an attempt meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempted {
    /// Whether it may go on.
    pub standing: Standing,
    /// The account it names, if there is one; it need not be read for an attempt
    /// that is refused.
    pub user: Option<User>,
}

/// A session to be opened by a password that was right, or by somebody else who
/// vouches for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The session.
    pub session: Session,
    /// The user's `password_changed_at` as of when they were known to be who they
    /// are.
    pub password_changed_at: Timestamp,
    /// The attempt that is forgiven, if a password was tried.
    pub attempt: Option<Attempt>,
}

/// What opening a session did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The user as they are then.
    pub user: User,
    /// How many older sessions ended to make room.
    pub displaced: u64,
}

/// Logging in, in single steps.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait LoginStore: Send + Sync {
    /// Counts the attempt as a failure against both counters, as
    /// [`count_attempt`](crate::lockout::count_attempt) decides, durably and
    /// before anything else is known; returns what it meets and the account.
    async fn attempt(
        &self,
        attempt: Attempt,
        policy: LockoutPolicy,
    ) -> Result<Attempted, StoreError>;

    /// Opens the session, sets the user's last login and forgives the counters of
    /// the attempt, if there was one, all at once. Of the user's sessions that are live then, this
    /// one and the newest others stay, [`MAX_LIVE_SESSIONS`] in all; older ones
    /// end in the same step, however many logins run in parallel. `None`, and
    /// nothing changes, if the user is no longer active or their password is
    /// no longer the one that was checked.
    ///
    /// [`MAX_LIVE_SESSIONS`]: crate::MAX_LIVE_SESSIONS
    async fn open(&self, opening: Opening) -> Result<Option<Opened>, StoreError>;

    /// Forgives the attempt's counters: its password was right, though it
    /// opened no session.
    async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError>;

    /// Takes the attempt back, as [`Failures::withdraw`](crate::Failures::withdraw)
    /// does: its password was never checked.
    async fn withdraw(&self, attempt: Attempt) -> Result<(), StoreError>;
}
