//! Sessions, one step at a time: the hot path.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{SeedDigest, Session, SessionEnd, SessionId, StoreError, Timestamp, User, UserId};

/// A session and its user, whatever state they are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The session.
    pub session: Session,
    /// Its user.
    pub user: User,
}

/// Sessions in single steps. Each is one indexed statement.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// The session and its user.
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError>;

    /// Moves a session on to its next counter and returns it as it is then,
    /// if at `now` it is live, stands at `counter`, has the seed of that digest,
    /// and its user is active. Otherwise changes nothing. Of any number of
    /// parallel calls with one counter of a rotating session, one succeeds.
    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError>;

    /// Ends a session if it is that user's and live at `end.at`; says whether
    /// it did.
    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError>;

    /// Whether there is such a user, active or not.
    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError>;
}

/// Who bears an access token: asked by every authenticated request, and
/// therefore worth caching.
///
/// What it tells is never older than the last change that was acknowledged: a
/// session whose end was acknowledged is not live here, on no instance and
/// under no fault of a cache. Only counter and time of use of a session that is
/// live may lag; whoever decides on those asks [`SessionStore::caller`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Callers: Send + Sync {
    /// The session and its user, shared with whoever asks for them at the same time.
    /// `user` is whose the session is said to be; whether it is, is for the asker to
    /// check.
    async fn bearer(
        &self,
        session: SessionId,
        user: UserId,
    ) -> Result<Option<Arc<Caller>>, StoreError>;
}
