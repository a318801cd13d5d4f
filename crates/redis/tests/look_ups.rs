//! Who asks for the same caller at the same time asks the store once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use portcullis_conformance::build::{START, session, stored_session, stored_user};
use portcullis_domain::ports::{Caller, Callers, SessionStore};
use portcullis_domain::{
    EndReason, SeedDigest, Session, SessionEnd, SessionId, StoreError, Timestamp, UserId,
};
use portcullis_memory::MemoryStore;
use portcullis_redis::{CacheKey, CachedCallers, CachedSessions, CallerCache, Redis};
use portcullis_testkit::Redis as Server;

const MANY: usize = 50;
const END: SessionEnd = SessionEnd { at: START, reason: EndReason::Logout };

/// A store that takes its time, and counts how often it is asked for a caller.
#[derive(Default)]
struct Slow {
    inner: MemoryStore,
    asked: AtomicUsize,
    is_out: AtomicBool,
}

#[async_trait]
impl SessionStore for Slow {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        let found = self.inner.caller(id).await;
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
        if self.is_out.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("it is out".into()));
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
        self.inner.advance(id, counter, seed, now).await
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        SessionStore::end(&self.inner, id, user, end).await
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        self.inner.user_exists(id).await
    }
}

struct Instance {
    store: Arc<Slow>,
    callers: CachedCallers,
    sessions: CachedSessions,
    _server: Server,
}

impl Instance {
    fn new() -> Self {
        let (server, store) = (Server::start(), Arc::new(Slow::default()));
        let redis = Redis::open(&server.url().parse().unwrap()).unwrap();
        let cache = CallerCache::new(redis, &CacheKey([7; 32]));
        let inner: Arc<dyn SessionStore> = store.clone();
        let callers = CachedCallers::new(Arc::clone(&inner), cache.clone());
        Self { store, callers, sessions: CachedSessions::new(inner, cache), _server: server }
    }

    async fn logged_in(&self, local: &str) -> Session {
        let user = stored_user(&self.store.inner, local).await;
        let session = session(user.id);
        stored_session(&self.store.inner, &session).await;
        session
    }

    async fn many_ask(&self, session: &Session) -> Vec<Result<Option<Arc<Caller>>, StoreError>> {
        join_all((0..MANY).map(|_| self.callers.bearer(session.id, session.user_id))).await
    }

    fn asked(&self) -> usize {
        self.store.asked.swap(0, Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_is_asked_once_for_all_who_miss_a_caller_at_the_same_time() {
    let instance = Instance::new();
    let session = instance.logged_in("ann").await;
    for lease in 0..2 {
        for answer in instance.many_ask(&session).await {
            assert_eq!(answer.unwrap().unwrap().session, session);
        }
        assert_eq!(instance.asked(), 1, "lease {lease}");
        tokio::time::sleep(Duration::from_millis(2_100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_after_a_logout_takes_no_part_in_what_was_asked_before() {
    let instance = Instance::new();
    for round in 0..3 {
        let session = instance.logged_in(&format!("ann{round}")).await;
        let before = instance.callers.bearer(session.id, session.user_id);
        let after = async {
            while instance.store.asked.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(instance.sessions.end(session.id, session.user_id, END).await.unwrap());
            instance.callers.bearer(session.id, session.user_id).await
        };
        let (before, after) = tokio::join!(before, after);
        assert!(before.unwrap().unwrap().session.is_live(START), "it was read before the end");
        assert!(!after.unwrap().unwrap().session.is_live(START));
        assert_eq!(instance.asked(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_store_is_out_all_are_told_so_and_nobody_asks_again() {
    let instance = Instance::new();
    let session = instance.logged_in("ann").await;
    instance.store.is_out.store(true, Ordering::SeqCst);
    for answer in instance.many_ask(&session).await {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    assert_eq!(instance.asked(), 1);
    instance.store.is_out.store(false, Ordering::SeqCst);
    for answer in instance.many_ask(&session).await {
        assert_eq!(answer.unwrap().unwrap().session, session);
    }
}
