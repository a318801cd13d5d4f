//! The outbox as its worker sees it.

use async_trait::async_trait;
use portcullis_domain::ports::{Claim, Lease, OutboxQueue, OwedLetter, TURNS_AMONG, take_turns};
use portcullis_domain::{LetterId, StoreError, Timestamp};

use crate::MemoryStore;
use crate::state::OutboxEntry;

#[async_trait]
impl OutboxQueue for MemoryStore {
    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<Claim>, StoreError> {
        let mut state = self.state().await;
        let mut due: Vec<&OwedLetter> = state
            .outbox
            .values()
            .filter(|entry| entry.is_due(now))
            .map(|entry| &entry.owed)
            .collect();
        due.sort_by_key(|owed| owed.due_at);
        let due = due.into_iter().map(|owed| (owed.letter.id, owed.letter.recipient.clone()));
        let chosen = take_turns(due.take(TURNS_AMONG as usize), lease.limit);
        let claims = chosen.into_iter().filter_map(|id| {
            let owed = &mut state.outbox.get_mut(&id)?.owed;
            owed.attempts += 1;
            owed.due_at = now + lease.duration;
            Some(Claim { letter: owed.letter.clone(), attempt: owed.attempts })
        });
        Ok(claims.collect())
    }

    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        self.change(id, |entry| entry.settled_at = Some(at)).await
    }

    async fn postpone(
        &self,
        id: LetterId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.change_held(id, attempt, |entry| {
            entry.owed.due_at = due;
            entry.owed.reason = Some(reason);
        })
        .await
    }

    async fn bury(
        &self,
        id: LetterId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.change_held(id, attempt, |entry| {
            entry.owed.buried_at = Some(at);
            entry.owed.reason = Some(reason);
        })
        .await
    }

    async fn release(&self, id: LetterId, attempt: u32) -> Result<(), StoreError> {
        self.change_held(id, attempt, |entry| {
            entry.owed.attempts -= 1;
            entry.owed.due_at = entry.owed.letter.created_at;
        })
        .await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedLetter>, StoreError> {
        let state = self.state().await;
        let unsettled = state.outbox.values().filter(|entry| entry.settled_at.is_none());
        let mut listed: Vec<OwedLetter> = unsettled
            .map(|entry| entry.owed.clone())
            .filter(|owed| owed.buried_at.is_some() == buried)
            .collect();
        listed.sort_by_key(|owed| owed.letter.created_at);
        listed.truncate(limit as usize);
        Ok(listed)
    }

    async fn revive(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError> {
        let mut state = self.state().await;
        let found = state.outbox.get_mut(&id).filter(|entry| entry.owed.buried_at.is_some());
        let Some(entry) = found else { return Ok(false) };
        entry.owed.buried_at = None;
        entry.owed.due_at = at;
        Ok(true)
    }
}

impl MemoryStore {
    /// Changes it while that attempt holds it.
    async fn change_held(
        &self,
        id: LetterId,
        attempt: u32,
        change: impl FnOnce(&mut OutboxEntry) + Send,
    ) -> Result<(), StoreError> {
        self.change(id, |entry| {
            if entry.owed.attempts == attempt {
                change(entry);
            }
        })
        .await
    }

    async fn change(
        &self,
        id: LetterId,
        change: impl FnOnce(&mut OutboxEntry) + Send,
    ) -> Result<(), StoreError> {
        if let Some(entry) = self.state().await.outbox.get_mut(&id) {
            change(entry);
        }
        Ok(())
    }
}
