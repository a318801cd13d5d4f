//! A memory store that can be taken away, with a defect.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_conformance::{Outage, Stores, Switch};
use portcullis_domain::ports::{
    AccountsArchive, Attempt, Attempted, Audit, Caller, Callers, Claim, Devices, IdentityLinks,
    Lease, Lockouts, LoginStore, Mailbox, MailboxMessage, OneTimeTokens, Opened, Opening, Outbox,
    OutboxQueue, OwedLetter, SessionStore, Sessions, Store, UnitOfWork, Users,
};
use portcullis_domain::{
    ImportOutcome, ImportedUser, LetterId, LockoutPolicy, LoginIdentifier, NewUser, PasswordHash,
    PersonName, SeedDigest, Session, SessionEnd, SessionId, Standing, StoreError, Timestamp, User,
    UserId, UserNumber,
};
use portcullis_memory::MemoryStore;
use tokio::sync::{Semaphore, watch};

use super::Defect;

/// How the store is reached: what it would be if it were elsewhere.
struct Line {
    defect: Defect,
    is_away: watch::Sender<bool>,
    connections: Semaphore,
    store: Mutex<MemoryStore>,
}

/// A store with that defect, and its switch.
pub(crate) fn broken_outage(defect: Defect) -> Outage {
    let line = Arc::new(Line {
        defect,
        is_away: watch::Sender::new(false),
        connections: Semaphore::new(16),
        store: Mutex::new(MemoryStore::new()),
    });
    let far = Far(Arc::clone(&line));
    Outage {
        stores: Stores::of(far.clone(), ()),
        switch: Box::new(far),
        secret: "s3cret-of-the-store".into(),
    }
}

#[derive(Clone)]
pub(super) struct Far(Arc<Line>);

#[async_trait]
impl Switch for Far {
    async fn off(&self) {
        self.0.is_away.send_replace(true);
        if self.0.defect == Defect::ForgetInAnOutage {
            *self.0.store.lock().unwrap() = MemoryStore::new();
        }
    }

    async fn on(&self) {
        self.0.is_away.send_replace(self.0.defect == Defect::StayAway);
    }
}

impl Line {
    fn is_away(&self) -> bool {
        *self.is_away.borrow()
    }

    fn unavailable(&self) -> StoreError {
        let is_told = self.defect == Defect::TellSecrets;
        let cause = if is_told { "no route to s3cret-of-the-store" } else { "no route" };
        StoreError::Unavailable(cause.into())
    }

    /// Fails while the store is away.
    async fn reach(&self) -> Result<(), StoreError> {
        if self.is_away() { self.without_a_store(()).await } else { Ok(()) }
    }

    /// What is answered while the store is away; a good adapter needs a moment
    /// to find that out.
    async fn without_a_store<T>(&self, lie: T) -> Result<T, StoreError> {
        match self.defect {
            Defect::SayNothingIsThere => return Ok(lie),
            Defect::AnswerOneByOne => {
                let connection = self.connections.acquire_many(16).await.unwrap();
                tokio::time::sleep(Duration::from_millis(150)).await;
                drop(connection);
            }
            Defect::LoseConnections => {
                let connection = self.connections.acquire().await.unwrap();
                connection.forget();
                tokio::time::sleep(Duration::from_millis(300)).await;
                // Not reached by whoever hangs up.
                self.connections.add_permits(1);
            }
            _ => tokio::time::sleep(Duration::from_millis(150)).await,
        }
        Err(self.unavailable())
    }
}

impl Far {
    fn store(&self) -> MemoryStore {
        self.0.store.lock().unwrap().clone()
    }

    /// Does a step if the store is there; `lie` is what a bad adapter answers
    /// if it is not.
    pub(super) async fn reach<T, F>(
        &self,
        step: impl FnOnce(MemoryStore) -> F,
        lie: T,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        if self.0.is_away() {
            return self.0.without_a_store(lie).await;
        }
        let _connection = self.0.connections.acquire().await.unwrap();
        step(self.store()).await
    }
}

#[async_trait]
impl Store for Far {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        if self.0.is_away() {
            self.0.without_a_store(()).await?;
        }
        let inner = Some(self.store().begin().await?);
        Ok(Box::new(FarUnit { line: Arc::clone(&self.0), inner }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.reach(async |store| store.ping().await, ()).await
    }
}

#[async_trait]
impl SessionStore for Far {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        self.reach(async |store| store.caller(id).await, None).await
    }

    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.reach(async |store| store.advance(id, counter, seed, now).await, None).await
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        self.reach(async |store| SessionStore::end(&store, id, user, end).await, false).await
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        self.reach(async |store| store.user_exists(id).await, false).await
    }
}

#[async_trait]
impl Callers for Far {
    async fn bearer(&self, id: SessionId, user: UserId) -> Result<Option<Arc<Caller>>, StoreError> {
        self.reach(async |store| store.bearer(id, user).await, None).await
    }
}

#[async_trait]
impl LoginStore for Far {
    async fn attempt(
        &self,
        attempt: Attempt,
        policy: LockoutPolicy,
    ) -> Result<Attempted, StoreError> {
        let nobody = Attempted { standing: Standing::Open { last: false }, user: None };
        self.reach(async |store| store.attempt(attempt, policy).await, nobody).await
    }

    async fn open(&self, opening: Opening) -> Result<Option<Opened>, StoreError> {
        self.reach(async |store| store.open(opening).await, None).await
    }

    async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.reach(async |store| store.forgive(attempt).await, ()).await
    }

    async fn withdraw(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.reach(async |store| store.withdraw(attempt).await, ()).await
    }
}

#[async_trait]
impl OutboxQueue for Far {
    async fn claim(&self, now: Timestamp, lease: Lease) -> Result<Vec<Claim>, StoreError> {
        self.reach(async |store| store.claim(now, lease).await, Vec::new()).await
    }

    async fn settle(&self, id: LetterId, at: Timestamp) -> Result<(), StoreError> {
        self.reach(async |store| store.settle(id, at).await, ()).await
    }

    async fn postpone(
        &self,
        id: LetterId,
        attempt: u32,
        due: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.reach(async |store| store.postpone(id, attempt, due, reason).await, ()).await
    }

    async fn bury(
        &self,
        id: LetterId,
        attempt: u32,
        at: Timestamp,
        reason: String,
    ) -> Result<(), StoreError> {
        self.reach(async |store| store.bury(id, attempt, at, reason).await, ()).await
    }

    async fn release(&self, id: LetterId, attempt: u32) -> Result<(), StoreError> {
        self.reach(async |store| store.release(id, attempt).await, ()).await
    }

    async fn list(&self, buried: bool, limit: u32) -> Result<Vec<OwedLetter>, StoreError> {
        let list = async |store| OutboxQueue::list(&store, buried, limit).await;
        self.reach(list, Vec::new()).await
    }

    async fn revive(&self, id: LetterId, at: Timestamp) -> Result<bool, StoreError> {
        self.reach(async |store| store.revive(id, at).await, false).await
    }
}

#[async_trait]
impl AccountsArchive for Far {
    async fn import(&self, batch: Vec<ImportedUser>) -> Result<Vec<ImportOutcome>, StoreError> {
        self.reach(async |store| store.import(batch).await, Vec::new()).await
    }

    async fn compare(
        &self,
        batch: Vec<ImportedUser>,
    ) -> Result<Vec<Option<ImportOutcome>>, StoreError> {
        self.reach(async |store| store.compare(batch).await, Vec::new()).await
    }

    async fn export(&self, after: UserNumber, limit: u32) -> Result<Vec<User>, StoreError> {
        self.reach(async |store| store.export(after, limit).await, Vec::new()).await
    }
}

#[async_trait]
impl Mailbox for Far {
    async fn put(&self, message: MailboxMessage) -> Result<(), StoreError> {
        self.reach(async |store| store.put(message).await, ()).await
    }

    async fn list(
        &self,
        to: Option<String>,
        limit: u32,
    ) -> Result<Vec<MailboxMessage>, StoreError> {
        self.reach(async |store| Mailbox::list(&store, to, limit).await, Vec::new()).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.reach(async |store| store.clear().await, ()).await
    }
}

/// A unit over the line. The laws of outages write accounts alone.
struct FarUnit {
    line: Arc<Line>,
    inner: Option<Box<dyn UnitOfWork>>,
}

impl FarUnit {
    fn inner(&mut self) -> &mut dyn UnitOfWork {
        &mut **self.inner.as_mut().unwrap()
    }
}

impl Drop for FarUnit {
    fn drop(&mut self) {
        let inner = self.inner.take().filter(|_| self.line.defect == Defect::CommitOnDrop);
        drop(inner.map(|inner| tokio::spawn(inner.commit())));
    }
}

#[async_trait]
impl UnitOfWork for FarUnit {
    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn one_time_tokens(&mut self) -> &mut dyn OneTimeTokens {
        self.inner().one_time_tokens()
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self.inner().sessions()
    }

    fn lockouts(&mut self) -> &mut dyn Lockouts {
        self.inner().lockouts()
    }

    fn outbox(&mut self) -> &mut dyn Outbox {
        self.inner().outbox()
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self.inner().audit()
    }

    fn identity_links(&mut self) -> &mut dyn IdentityLinks {
        self.inner().identity_links()
    }

    fn devices(&mut self) -> &mut dyn Devices {
        self.inner().devices()
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let told = self.line.reach().await;
        let inner = self.inner.take().unwrap();
        if told.is_err() && self.line.defect == Defect::CommitHalf {
            drop(inner);
            let store = self.line.store.lock().unwrap().clone();
            portcullis_conformance::build::stored_user(&store, "bob").await;
            return told;
        }
        told?;
        inner.commit().await
    }
}

#[async_trait]
impl Users for FarUnit {
    async fn add(&mut self, user: NewUser) -> Result<User, StoreError> {
        self.line.reach().await?;
        self.inner().users().add(user).await
    }

    async fn add_discreetly(&mut self, user: NewUser) -> Result<User, StoreError> {
        self.line.reach().await?;
        self.inner().users().add_discreetly(user).await
    }

    async fn by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.line.reach().await?;
        self.inner().users().by_id(id).await
    }

    async fn by_identifier(
        &mut self,
        identifier: &LoginIdentifier,
    ) -> Result<Option<User>, StoreError> {
        self.line.reach().await?;
        self.inner().users().by_identifier(identifier).await
    }

    async fn mark_email_verified(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.line.reach().await?;
        self.inner().users().mark_email_verified(id, at).await
    }

    async fn rename(
        &mut self,
        id: UserId,
        name: &PersonName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.line.reach().await?;
        self.inner().users().rename(id, name, at).await
    }

    async fn change_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.line.reach().await?;
        self.inner().users().change_password(id, hash, at).await
    }

    async fn upgrade_hash(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.line.reach().await?;
        self.inner().users().upgrade_hash(id, old, new).await
    }

    async fn remove_unverified(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.line.reach().await?;
        self.inner().users().remove_unverified(before, limit).await
    }
}
