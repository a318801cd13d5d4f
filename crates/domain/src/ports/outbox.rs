//! The outbox as its worker sees it.

use std::collections::HashMap;
use std::hash::Hash;
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
    /// At most this many letters, or jobs.
    pub limit: u32,
}

/// Recipients take turns among so many of the letters that are due longest; so do
/// kinds among jobs.
pub const TURNS_AMONG: u32 = 1_000;

/// Chooses `limit` of the letters that are due, given oldest first with their
/// recipients: everybody's oldest, then everybody's second, and so on, so that
/// whoever is owed many letters does not keep others waiting.
#[must_use]
pub fn take_turns<T, R: Eq + Hash>(
    oldest_first: impl IntoIterator<Item = (T, R)>,
    limit: u32,
) -> Vec<T> {
    let mut taken: HashMap<R, u32> = HashMap::new();
    let numbered = oldest_first.into_iter().map(|(letter, recipient)| {
        let turn = taken.entry(recipient).or_default();
        *turn += 1;
        (*turn, letter)
    });
    let mut turns: Vec<(u32, T)> = numbered.collect();
    // Stable: within a turn the oldest stays first.
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, letter)| letter).take(limit as usize).collect()
}

/// A letter that is still in the outbox, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedLetter {
    /// The letter.
    pub letter: Letter,
    /// How often it has been tried.
    pub attempts: u32,
    /// When it is due, or its claim ends.
    pub due_at: Timestamp,
    /// When it was given up.
    pub buried_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub reason: Option<String>,
}

/// Letters on their way out, in single steps.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait OutboxQueue: Send + Sync {
    /// Claims letters that are due at `now`, as [`take_turns`] chooses them. A
    /// letter is held by one claim at a time; one whose lease ended is due again.
    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<Claim>, StoreError>;

    /// The letter is delivered, or there is nobody to deliver it to, whoever holds it.
    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError>;

    /// The letter is to be tried again at `due`, because of `reason`. Like the next
    /// two steps, this changes nothing once another attempt holds it.
    async fn postpone(
        &self,
        id: LetterId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError>;

    /// The letter will never be delivered, because of `reason`; it is kept
    /// for an operator.
    async fn bury(
        &self,
        id: LetterId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError>;

    /// The claim is given back untried, due at once.
    async fn release(&self, id: LetterId, attempt: u32) -> Result<(), StoreError>;

    /// Letters that were given up, or the ones that are still to be sent.
    /// Oldest first, at most `limit`.
    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedLetter>, StoreError>;

    /// A letter that was given up is due again at `at`; says whether there is one.
    async fn revive(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recipients_take_turns_and_the_oldest_goes_first() {
        let due = [("a1", "ann"), ("a2", "ann"), ("b1", "bob"), ("a3", "ann"), ("b2", "bob")];
        assert_eq!(take_turns(due, 3), ["a1", "b1", "a2"]);
        assert_eq!(take_turns(due, 9), ["a1", "b1", "a2", "b2", "a3"]);
        assert_eq!(take_turns(due, 0), Vec::<&str>::new());
    }
}
