//! The outbox as its worker sees it.

use async_trait::async_trait;
use portcullis_domain::ports::{Claim, Lease, OutboxQueue};
use portcullis_domain::{LetterId, StoreError, Timestamp};

use crate::MemoryStore;
use crate::state::OwedLetter;

#[async_trait]
impl OutboxQueue for MemoryStore {
    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<Claim>, StoreError> {
        let mut state = self.state().await;
        let mut due: Vec<&mut OwedLetter> =
            state.outbox.values_mut().filter(|owed| owed.is_due(now)).collect();
        due.sort_by_key(|owed| owed.due_at);
        let claims = due.into_iter().take(lease.limit as usize).map(|owed| {
            owed.attempts += 1;
            owed.due_at = now + lease.duration;
            Claim { letter: owed.letter.clone(), attempt: owed.attempts }
        });
        Ok(claims.collect())
    }

    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        self.change(id, |owed| owed.settled_at = Some(at)).await
    }

    async fn postpone(
        &self,
        id: LetterId,
        due: Timestamp,
        _reason: String,
    ) -> Result<(), StoreError> {
        self.change(id, |owed| owed.due_at = due).await
    }

    async fn bury(&self, id: LetterId, at: Timestamp, reason: String) -> Result<(), StoreError> {
        self.change(id, |owed| owed.buried = Some((at, reason))).await
    }

    async fn release(&self, id: LetterId) -> Result<(), StoreError> {
        self.change(id, |owed| {
            owed.attempts -= 1;
            owed.due_at = owed.letter.created_at;
        })
        .await
    }
}

impl MemoryStore {
    async fn change(
        &self,
        id: LetterId,
        change: impl FnOnce(&mut OwedLetter) + Send,
    ) -> Result<(), StoreError> {
        if let Some(owed) = self.state().await.outbox.get_mut(&id) {
            change(owed);
        }
        Ok(())
    }
}
