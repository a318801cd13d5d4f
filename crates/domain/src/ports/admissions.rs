//! Letting a bearer in: their limits and who they are, asked in one step.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Bucket, Caller, Quota, Verdict};
use crate::{SessionId, StoreError, Timestamp, UserId};

/// Somebody with a good token, before any store was asked.
#[derive(Clone, Copy, Debug)]
pub struct Entrant {
    /// What the request is taken from first: its client's limit.
    pub client: (Bucket, Quota),
    /// What it is taken from next, if the first allows it: the user's own.
    pub own: Quota,
    /// The session that the token speaks of.
    pub session: SessionId,
    /// The user whom the token names.
    pub user: UserId,
}

/// What became of an entrant.
#[derive(Debug)]
pub enum Admission {
    /// The client's limit refuses; nothing else was asked.
    ClientLimited(Verdict),
    /// The client's limit allows, the user's own refuses; nothing else was asked.
    UserLimited(Verdict, Verdict),
    /// Both limits allow; who it is, as [`Callers::bearer`](super::Callers::bearer)
    /// tells.
    Allowed(Verdict, Verdict, Result<Option<Arc<Caller>>, StoreError>),
}

/// Limits and callers that one place knows, so that one call does for both.
#[async_trait]
pub trait Admissions: Send + Sync {
    /// Takes from the client's limit, then from the user's, then looks the caller up.
    /// The answer is the one that [`RateLimiter`](super::RateLimiter) and
    /// [`Callers`](super::Callers) would give one after the other.
    ///
    /// `None` when it cannot be done in one step now: they have to be asked one after
    /// the other.
    async fn admit(&self, entrant: &Entrant, now: Timestamp) -> Option<Admission>;
}
