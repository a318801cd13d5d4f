//! The outbox as its worker sees it.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Letter, LetterId, StoreError, Timestamp};

/// A letter that a worker holds until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The letter.
    pub letter: Letter,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// How long and how much a worker claims at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// How long nobody else may claim it.
    pub duration: Duration,
    /// At most this many letters.
    pub limit: u32,
}

/// Letters on their way out, in single steps.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OutboxQueue: Send + Sync {
    /// Claims letters that are due at `now`, oldest first. A letter is held by
    /// one claim at a time; one whose lease ended is due again.
    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<Claim>, StoreError>;

    /// The letter is delivered, or there is nobody to deliver it to.
    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError>;

    /// The letter is to be tried again at `due`, because of `reason`.
    async fn postpone(
        &self,
        id: LetterId,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError>;

    /// The letter will never be delivered, because of `reason`; it is kept
    /// for an operator.
    async fn bury(&self, id: LetterId, at: Timestamp, reason: String) -> Result<(), StoreError>;

    /// The claim is given back untried, due at once.
    async fn release(&self, id: LetterId) -> Result<(), StoreError>;
}
