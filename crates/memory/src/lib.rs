//! Every port in process: for tests, and the embedded rate limiter.
//!
//! [`MemoryStore`] keeps everything behind one lock: each single step holds it
//! for a moment, a unit of work until it is committed or dropped.

mod archive;
mod belongings;
mod jobs;
mod limiter;
mod mailbox;
mod mailbox_mailer;
mod objects;
mod outbox;
mod state;
mod steps;
mod unit;

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::StoreError;
use portcullis_domain::ports::{Store, UnitOfWork};
use tokio::sync::{Mutex, MutexGuard};

use crate::state::State;
use crate::unit::MemoryUnit;

pub use limiter::MemoryLimiter;
pub use mailbox_mailer::MailboxMailer;
pub use objects::MemoryObjects;

/// A store that forgets everything when its last clone is dropped.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    async fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().await
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let state = Arc::clone(&self.state).lock_owned().await;
        Ok(Box::new(MemoryUnit::new(state)))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
