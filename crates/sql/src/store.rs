//! The storage ports over SQL.

use std::sync::Arc;

use async_trait::async_trait;
use diesel_async::SimpleAsyncConnection;
use portcullis_domain::ports::{
    Caller, Callers, Claim, Lease as ClaimLease, Mailbox, MailboxMessage, OutboxQueue, OwedLetter,
    SessionStore, Store, UnitOfWork,
};
use portcullis_domain::{
    LetterId, SeedDigest, Session, SessionEnd, SessionId, StoreError, Timestamp, UserId,
};

use crate::connection::{Source, run};
use crate::queries::{mailbox, outbox, sessions, users};
use crate::unit::SqlUnit;

/// Every storage port over a relational database.
#[derive(Clone)]
pub struct SqlStore {
    pub(crate) writers: Arc<dyn Source>,
    pub(crate) readers: Arc<dyn Source>,
}

impl SqlStore {
    /// A store that writes on connections of one source and reads on the other's.
    #[must_use]
    pub fn new(writers: Arc<dyn Source>, readers: Arc<dyn Source>) -> Self {
        Self { writers, readers }
    }

    pub(crate) async fn unit(&self) -> Result<SqlUnit, StoreError> {
        SqlUnit::begin(&*self.writers).await
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        Ok(Box::new(self.unit().await?))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut lease = self.readers.lease().await?;
        run!(&mut lease, connection => connection.batch_execute("SELECT 1 FROM users LIMIT 1"))
    }
}

#[async_trait]
impl SessionStore for SqlStore {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        let mut lease = self.readers.lease().await?;
        let found = sessions::caller(&mut lease, id).await;
        if found.is_err() && lease.is_lost() {
            // Reading once more does no harm.
            return sessions::caller(&mut self.readers.lease().await?, id).await;
        }
        found
    }

    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        sessions::advance(&mut self.writers.lease().await?, id, counter, seed, now).await
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        sessions::end(&mut self.writers.lease().await?, id, user, end).await
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        users::is_there(&mut self.readers.lease().await?, id).await
    }
}

#[async_trait]
impl Callers for SqlStore {
    async fn bearer(&self, session: SessionId, _: UserId) -> Result<Option<Caller>, StoreError> {
        self.caller(session).await
    }
}

#[async_trait]
impl OutboxQueue for SqlStore {
    async fn claim(&self, now: Timestamp, claim: ClaimLease) -> Result<Vec<Claim>, StoreError> {
        // A look without any lock first: usually nothing is due.
        if !outbox::is_any_due(&mut self.readers.lease().await?, now).await? {
            return Ok(Vec::new());
        }
        let mut unit = self.unit().await?;
        let claims = outbox::claim(&mut unit.lease, now, claim).await?;
        unit.lease.commit().await?;
        Ok(claims)
    }

    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        outbox::settle(&mut self.writers.lease().await?, id, at).await
    }

    async fn postpone(
        &self,
        id: LetterId,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        outbox::postpone(&mut self.writers.lease().await?, id, due, &reason).await
    }

    async fn bury(&self, id: LetterId, at: Timestamp, reason: String) -> Result<(), StoreError> {
        outbox::bury(&mut self.writers.lease().await?, id, at, &reason).await
    }

    async fn release(&self, id: LetterId) -> Result<(), StoreError> {
        outbox::release(&mut self.writers.lease().await?, id).await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedLetter>, StoreError> {
        outbox::list(&mut self.readers.lease().await?, buried, limit).await
    }

    async fn revive(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError> {
        outbox::revive(&mut self.writers.lease().await?, id, at).await
    }
}

#[async_trait]
impl Mailbox for SqlStore {
    async fn put(&self, message: MailboxMessage) -> Result<(), StoreError> {
        mailbox::put(&mut self.writers.lease().await?, message).await
    }

    async fn list(
        &self,
        to: Option<String>,
        limit: u32,
    ) -> Result<Vec<MailboxMessage>, StoreError> {
        mailbox::list(&mut self.readers.lease().await?, to.as_deref(), limit).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        mailbox::clear(&mut self.writers.lease().await?).await
    }
}
