//! What changes users and sessions, and says so to the cache.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::ports::{
    Attempt, Attempted, Caller, LoginStore, Opened, Opening, SessionStore, Store, UnitOfWork,
};
use portcullis_domain::{
    LockoutPolicy, SeedDigest, Session, SessionEnd, SessionId, StoreError, Timestamp, UserId,
};
use tokio::time::Instant;

use super::CallerCache;
use super::unit::CachedUnit;

/// Units of work whose changes reach the cache at commit.
pub struct CachedStore {
    inner: Arc<dyn Store>,
    cache: CallerCache,
}

impl CachedStore {
    /// That store, before that cache.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, cache: CallerCache) -> Self {
        Self { inner, cache }
    }
}

#[async_trait]
impl Store for CachedStore {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StoreError> {
        let inner = self.inner.begin().await?;
        Ok(Box::new(CachedUnit::new(inner, self.cache.clone())))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

/// Sessions whose ends reach the cache.
pub struct CachedSessions {
    inner: Arc<dyn SessionStore>,
    cache: CallerCache,
}

impl CachedSessions {
    /// That store, before that cache.
    #[must_use]
    pub fn new(inner: Arc<dyn SessionStore>, cache: CallerCache) -> Self {
        Self { inner, cache }
    }
}

#[async_trait]
impl SessionStore for CachedSessions {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        self.inner.caller(id).await
    }

    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        // Counters may lag in the cache: nobody decides on them there.
        self.inner.advance(id, counter, seed, now).await
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        let (inner, cache) = (Arc::clone(&self.inner), self.cache.clone());
        // Seen through even if nobody waits for it any more. An end that failed,
        // or that found nothing to end, may have happened a moment ago.
        let ended = tokio::spawn(async move {
            let ended = inner.end(id, user, end).await;
            cache.changed(user, true, Instant::now()).await;
            ended
        });
        ended.await.map_err(|error| StoreError::Other(error.into()))?
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        self.inner.user_exists(id).await
    }
}

/// Logins, which change when a user was last seen, and may end older sessions.
pub struct CachedLogins {
    inner: Arc<dyn LoginStore>,
    cache: CallerCache,
}

impl CachedLogins {
    /// That store, before that cache.
    #[must_use]
    pub fn new(inner: Arc<dyn LoginStore>, cache: CallerCache) -> Self {
        Self { inner, cache }
    }
}

#[async_trait]
impl LoginStore for CachedLogins {
    async fn attempt(
        &self,
        attempt: Attempt,
        policy: LockoutPolicy,
    ) -> Result<Attempted, StoreError> {
        self.inner.attempt(attempt, policy).await
    }

    async fn open(&self, opening: Opening) -> Result<Option<Opened>, StoreError> {
        let (inner, cache) = (Arc::clone(&self.inner), self.cache.clone());
        let user = opening.session.user_id;
        // Seen through even if nobody waits for it any more. An opening that
        // failed may have happened, and have ended others.
        let opened = tokio::spawn(async move {
            let opened = inner.open(opening).await;
            let ends_others = match &opened {
                Ok(None) => return opened,
                Ok(Some(opened)) => opened.displaced > 0,
                Err(_) => true,
            };
            cache.changed(user, ends_others, Instant::now()).await;
            opened
        });
        opened.await.map_err(|error| StoreError::Other(error.into()))?
    }

    async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.inner.forgive(attempt).await
    }

    async fn withdraw(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.inner.withdraw(attempt).await
    }
}
