//! The development mailbox.

use async_trait::async_trait;
use portcullis_domain::StoreError;
use portcullis_domain::ports::{MAILBOX_CAPACITY, Mailbox, MailboxMessage};

use crate::MemoryStore;

#[async_trait]
impl Mailbox for MemoryStore {
    async fn put(&self, message: MailboxMessage) -> Result<(), StoreError> {
        let mut state = self.state().await;
        if state.mailbox.iter().all(|other| other.id != message.id) {
            state.mailbox.push(message);
            let surplus = state.mailbox.len().saturating_sub(MAILBOX_CAPACITY as usize);
            state.mailbox.drain(..surplus);
        }
        Ok(())
    }

    async fn list(
        &self,
        to: Option<String>,
        limit: u32,
    ) -> Result<Vec<MailboxMessage>, StoreError> {
        let state = self.state().await;
        let wanted = |message: &&MailboxMessage| to.as_ref().is_none_or(|to| message.to == *to);
        let newest_first = state.mailbox.iter().rev().filter(wanted);
        Ok(newest_first.take(limit as usize).cloned().collect())
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.state().await.mailbox.clear();
        Ok(())
    }
}
