//! The storage ports over SQL.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use portcullis_domain::ports::{
    Caller, Callers, Claim, Lease as ClaimLease, Mailbox, MailboxMessage, OutboxQueue, OwedLetter,
    SessionStore, Store, UnitOfWork,
};
use portcullis_domain::{
    LetterId, SeedDigest, Session, SessionEnd, SessionId, StoreError, Timestamp, UserId,
};

use crate::connection::{PoolFigures, Source, run};
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

    /// What the database's clock showed, and when that was by this machine's steady
    /// one. The wait for a connection is not part of it.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not tell.
    pub async fn time(&self) -> Result<(Timestamp, Instant), StoreError> {
        let mut lease = self.readers.lease().await?;
        let asked = Instant::now();
        let micros: i64 = run!(&mut lease,
            sqlite connection => diesel::select(sql::<BigInt>(
                "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
            )).get_result(connection),
            postgres connection => diesel::select(sql::<BigInt>(
                "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
            )).get_result(connection)
        )?;
        // It was read somewhere on the way there and back.
        Ok((Timestamp::from_micros(micros), asked + asked.elapsed() / 2))
    }

    /// How its pools are doing, by their names: one, where writers and readers share
    /// it.
    #[must_use]
    pub fn pools(&self) -> Vec<(&'static str, PoolFigures)> {
        if Arc::ptr_eq(&self.writers, &self.readers) {
            return vec![("database", self.writers.figures())];
        }
        vec![
            ("database_writes", self.writers.figures()),
            ("database_reads", self.readers.figures()),
        ]
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
            // Reading once more does no harm. Its place in the pool may be the only one.
            drop(lease);
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
    async fn bearer(
        &self,
        session: SessionId,
        _: UserId,
    ) -> Result<Option<Arc<Caller>>, StoreError> {
        Ok(self.caller(session).await?.map(Arc::new))
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
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        outbox::postpone(&mut self.writers.lease().await?, id, attempt.into(), due, &reason).await
    }

    async fn bury(
        &self,
        id: LetterId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        outbox::bury(&mut self.writers.lease().await?, id, attempt.into(), at, &reason).await
    }

    async fn release(&self, id: LetterId, attempt: u32) -> Result<(), StoreError> {
        outbox::release(&mut self.writers.lease().await?, id, attempt.into()).await
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
