//! A unit of work that remembers whom it changed.

use std::collections::HashMap;

use async_trait::async_trait;
use portcullis_domain::ports::{
    Audit, Devices, IdentityLinks, Lockouts, OneTimeTokens, Outbox, Sessions, UnitOfWork, Users,
};
use portcullis_domain::{
    LoginIdentifier, NewUser, PasswordHash, PersonName, Session, SessionEnd, SessionId, StoreError,
    Timestamp, User, UserId,
};
use tokio::time::Instant;

use super::CallerCache;

/// Passes everything on, and tells the cache at commit.
pub(super) struct CachedUnit {
    inner: Box<dyn UnitOfWork>,
    cache: CallerCache,
    /// Whether the change shows somebody out.
    changed: HashMap<UserId, bool>,
}

impl CachedUnit {
    pub(super) fn new(inner: Box<dyn UnitOfWork>, cache: CallerCache) -> Self {
        Self { inner, cache, changed: HashMap::new() }
    }

    fn note(&mut self, user: UserId, is_urgent: bool) {
        *self.changed.entry(user).or_default() |= is_urgent;
    }
}

#[async_trait]
impl UnitOfWork for CachedUnit {
    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn one_time_tokens(&mut self) -> &mut dyn OneTimeTokens {
        self.inner.one_time_tokens()
    }

    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    fn lockouts(&mut self) -> &mut dyn Lockouts {
        self.inner.lockouts()
    }

    fn outbox(&mut self) -> &mut dyn Outbox {
        self.inner.outbox()
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self.inner.audit()
    }

    fn identity_links(&mut self) -> &mut dyn IdentityLinks {
        self.inner.identity_links()
    }

    fn devices(&mut self) -> &mut dyn Devices {
        self.inner.devices()
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        let Self { inner, cache, changed } = *self;
        // Seen through even if nobody waits for it any more. A commit that failed
        // may have happened all the same.
        let committed = tokio::spawn(async move {
            let committed = inner.commit().await;
            let since = Instant::now();
            for (user, is_urgent) in changed {
                cache.changed(user, is_urgent, since).await;
            }
            committed
        });
        committed.await.map_err(|error| StoreError::Other(error.into()))?
    }
}

#[async_trait]
impl Users for CachedUnit {
    async fn add(&mut self, user: NewUser) -> Result<User, StoreError> {
        self.inner.users().add(user).await
    }

    async fn add_discreetly(&mut self, user: NewUser) -> Result<User, StoreError> {
        self.inner.users().add_discreetly(user).await
    }

    async fn by_id(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        self.inner.users().by_id(id).await
    }

    async fn by_identifier(
        &mut self,
        identifier: &LoginIdentifier,
    ) -> Result<Option<User>, StoreError> {
        self.inner.users().by_identifier(identifier).await
    }

    async fn mark_email_verified(&mut self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        self.note(id, false);
        self.inner.users().mark_email_verified(id, at).await
    }

    async fn rename(
        &mut self,
        id: UserId,
        name: &PersonName,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.note(id, false);
        self.inner.users().rename(id, name, at).await
    }

    async fn change_password(
        &mut self,
        id: UserId,
        hash: &PasswordHash,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.note(id, true);
        self.inner.users().change_password(id, hash, at).await
    }

    async fn upgrade_hash(
        &mut self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool, StoreError> {
        self.note(id, false);
        self.inner.users().upgrade_hash(id, old, new).await
    }

    async fn remove_unverified(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        // Nobody can have logged in to these.
        self.inner.users().remove_unverified(before, limit).await
    }
}

#[async_trait]
impl Sessions for CachedUnit {
    async fn open(&mut self, session: &Session) -> Result<(), StoreError> {
        self.inner.sessions().open(session).await
    }

    async fn end(
        &mut self,
        id: SessionId,
        user: UserId,
        end: SessionEnd,
    ) -> Result<bool, StoreError> {
        self.note(user, true);
        self.inner.sessions().end(id, user, end).await
    }

    async fn end_all(&mut self, user: UserId, end: SessionEnd) -> Result<u64, StoreError> {
        self.note(user, true);
        self.inner.sessions().end_all(user, end).await
    }

    async fn remove_expired(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // An expired session is live for nobody, kept or not.
        self.inner.sessions().remove_expired(before, limit).await
    }
}
