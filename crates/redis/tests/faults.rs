//! Redis that fails, forgets, remembers too well, or is read by a thief.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_conformance::build::{START, session, source, stored_session, stored_user};
use portcullis_domain::ports::{Bucket, Callers, Quota, RateLimiter, SessionStore};
use portcullis_domain::{EndReason, Session, SessionEnd};
use portcullis_memory::MemoryStore;
use portcullis_redis::{CacheKey, CachedCallers, CachedSessions, CallerCache, Redis, RedisLimiter};
use portcullis_testkit::{Redis as Server, RedisSentinel};

const END: SessionEnd = SessionEnd { at: START, reason: EndReason::Logout };

/// One of several instances that share a store and a Redis.
struct Instance {
    callers: CachedCallers,
    sessions: CachedSessions,
}

impl Instance {
    fn of(store: &MemoryStore, url: &str) -> Self {
        let redis = Redis::open(&url.parse().unwrap()).unwrap();
        let cache = CallerCache::new(redis, &CacheKey([7; 32]));
        let inner: Arc<dyn SessionStore> = Arc::new(store.clone());
        Self {
            callers: CachedCallers::new(Arc::clone(&inner), cache.clone()),
            sessions: CachedSessions::new(inner, cache),
        }
    }

    async fn lets_in(&self, session: &Session) -> bool {
        let caller = self.callers.bearer(session.id, session.user_id).await.unwrap();
        caller.is_some_and(|caller| caller.session.is_live(START))
    }

    async fn log_out(&self, session: &Session) {
        assert!(self.sessions.end(session.id, session.user_id, END).await.unwrap());
    }
}

async fn logged_in(store: &MemoryStore) -> Session {
    let user = stored_user(store, &uuid()).await;
    let session = session(user.id);
    stored_session(store, &session).await;
    session
}

fn uuid() -> String {
    portcullis_conformance::build::user_id().as_uuid().simple().to_string()
}

/// A session that is kept in Redis, as it is when somebody uses it.
async fn kept(store: &MemoryStore, instances: &[&Instance]) -> Session {
    let session = logged_in(store).await;
    for instance in instances {
        assert!(instance.lets_in(&session).await);
    }
    session
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_is_kept_costs_the_store_nothing() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let session = kept(&store, &[&Instance::of(&store, &server.url())]).await;
    // Another instance, whose store knows nobody at all.
    let elsewhere = Instance::of(&MemoryStore::new(), &server.url());
    assert!(elsewhere.lets_in(&session).await);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert!(!elsewhere.lets_in(&session).await, "it is kept for one lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_on_one_instance_is_heeded_on_the_other_at_once() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let (one, other) = (Instance::of(&store, &server.url()), Instance::of(&store, &server.url()));
    for _ in 0..20 {
        let session = kept(&store, &[&one, &other]).await;
        one.log_out(&session).await;
        assert!(!other.lets_in(&session).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_redis_did_not_hear_of_is_waited_out() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let other = Instance::of(&store, &server.url());
    // This one cannot reach Redis; the other can.
    let cut_off = Instance::of(&store, "redis://127.0.0.1:9");
    let session = kept(&store, &[&other]).await;
    let started = Instant::now();
    cut_off.log_out(&session).await;
    assert!(!other.lets_in(&session).await, "after {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_comes_back_with_old_data_revives_nobody() {
    let store = MemoryStore::new();
    let mut server = Server::start_with(&["--dbfilename", "old.rdb"]);
    let instance = Instance::of(&store, &server.url());
    let session = kept(&store, &[&instance]).await;
    assert_eq!(server.command(&["save"]).trim(), "OK");
    instance.log_out(&session).await;
    server.start_again();
    let kept = server.command(&["keys", "portcullis:*:caller:*"]);
    assert!(kept.contains(&session.id.as_uuid().to_string()), "the test proves nothing: {kept}");
    assert!(!instance.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_was_emptied_revives_nobody() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let (one, other) = (Instance::of(&store, &server.url()), Instance::of(&store, &server.url()));
    let session = kept(&store, &[&one, &other]).await;
    one.log_out(&session).await;
    assert_eq!(server.command(&["flushall"]).trim(), "OK");
    assert!(!other.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_callers_are_read_from_the_store_and_it_is_noticed_when_it_is_back() {
    let (store, mut server) = (MemoryStore::new(), Server::start());
    let instance = Instance::of(&store, &server.url());
    let session = kept(&store, &[&instance]).await;
    server.stop();
    let started = Instant::now();
    for _ in 0..100 {
        assert!(instance.lets_in(&session).await);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    server.start_again();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(instance.lets_in(&session).await);
    assert!(server.command(&["keys", "*:caller:*"]).contains("caller"), "it is used again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_hangs_holds_nobody_up() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let instance = Instance::of(&store, &server.url());
    let session = kept(&store, &[&instance]).await;
    server.hang(true);
    let started = Instant::now();
    assert!(instance.lets_in(&session).await);
    instance.log_out(&session).await;
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    server.hang(false);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!instance.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_redis_dropped_shows_out() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let session = kept(&store, &[&Instance::of(&store, &server.url())]).await;
    // Another instance, whose store knows nobody: it lives on what is kept.
    let elsewhere = Instance::of(&MemoryStore::new(), &server.url());
    assert!(elsewhere.lets_in(&session).await);
    let versions = server.command(&["keys", "*:version:*"]);
    assert_eq!(server.command(&["del", versions.trim()]).trim(), "1");
    assert!(!elsewhere.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_others_may_stand_in_for_keeps_no_callers() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let replica = Server::start_with(&["--replicaof", "127.0.0.1", &server.port().to_string()]);
    while !server.command(&["info", "replication"]).contains("connected_slaves:1") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    kept(&store, &[&Instance::of(&store, &server.url())]).await;
    assert_eq!(server.command(&["dbsize"]).trim(), "0");
    drop(replica);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_made_a_replica_is_not_asked() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let session = kept(&store, &[&Instance::of(&store, &server.url())]).await;
    let elsewhere = Instance::of(&MemoryStore::new(), &server.url());
    assert!(elsewhere.lets_in(&session).await);
    assert_eq!(server.command(&["replicaof", "127.0.0.1", "9"]).trim(), "OK");
    assert!(!elsewhere.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_may_not_ask_where_it_is_waits_a_logout_out() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let user = ["acl", "setuser", "blind", "on", ">pw", "~*", "+@all", "-info"];
    assert_eq!(server.command(&user).trim(), "OK");
    let seeing = Instance::of(&store, &server.url());
    let blind = Instance::of(&store, &server.url().replace("://", "://blind:pw@"));
    let session = kept(&store, &[&seeing, &blind]).await;
    blind.log_out(&session).await;
    assert!(!seeing.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_logout_tells_no_lie() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let other = Instance::of(&store, &server.url());
    let session = kept(&store, &[&other]).await;
    // Ended by an instance that Redis did not hear of, a moment ago.
    assert!(store.end(session.id, session.user_id, END).await.unwrap());
    assert!(!other.sessions.end(session.id, session.user_id, END).await.unwrap());
    assert!(!other.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_once_cannot_be_put_back() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let instance = Instance::of(&store, &server.url());
    let session = kept(&store, &[&instance]).await;
    let key = server.command(&["keys", "*:caller:*"]).trim().to_owned();
    assert_eq!(server.command(&["copy", &key, "stolen"]).trim(), "1");
    assert_eq!(server.command(&["persist", "stolen"]).trim(), "1");
    instance.log_out(&session).await;
    assert!(!instance.lets_in(&session).await);
    let forge = "local old = redis.call('GET', 'stolen') \
        local of, moment, sealed = string.match(old, '^(%x+) (%d+) (.*)$') \
        local key = redis.call('KEYS', '*:version:*')[1] local time = redis.call('TIME') \
        local now = time[1] * 1000 + math.floor(time[2] / 1000) \
        redis.call('SET', KEYS[1], redis.call('GET', key) .. ' ' .. string.format('%.0f', now) \
        .. ' ' .. sealed) return now";
    assert!(!server.command(&["eval", forge, "1", &key]).trim().is_empty());
    assert!(!instance.lets_in(&session).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_no_outage() {
    let server = Server::start();
    let limiter = limiter(&server.url());
    assert_eq!(take(&limiter).await, Some(true));
    assert_eq!(
        server.command(&["set", "portcullis:limit:strict:192.0.2.1", "no set"]).trim(),
        "OK"
    );
    assert_eq!(take(&limiter).await, None);
    assert_eq!(server.command(&["del", "portcullis:limit:strict:192.0.2.1"]).trim(), "1");
    assert_eq!(take(&limiter).await, Some(true), "at once, without a rest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_of_redis_reads_nothing_and_writes_nobody() {
    let (store, server) = (MemoryStore::new(), Server::start());
    let instance = Instance::of(&store, &server.url());
    let (ann, eve) = (kept(&store, &[&instance]).await, kept(&store, &[&instance]).await);
    let dump = server.command(&["--no-raw", "eval", DUMP, "0"]);
    for secret in ["example.com", "hash", "Ann", "192.0.2.1", "conformance"] {
        assert!(!dump.contains(secret), "{secret} is in Redis: {dump}");
    }
    // Eve puts what is kept of her session under Ann's.
    let key = |session: &Session| {
        let pattern = format!("portcullis:*:caller:{}", session.id.as_uuid());
        server.command(&["keys", &pattern]).trim().to_owned()
    };
    assert_eq!(server.command(&["copy", &key(&eve), &key(&ann), "replace"]).trim(), "1");
    let caller = instance.callers.bearer(ann.id, ann.user_id).await.unwrap().unwrap();
    assert_eq!(caller.user.id, ann.user_id, "what does not open is read from the store");
}

const DUMP: &str = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
    all[#all + 1] = key all[#all + 1] = redis.call('GET', key) end return all";

const QUOTA: Quota = Quota { limit: 3, window: Duration::from_mins(1) };

async fn take(limiter: &RedisLimiter) -> Option<bool> {
    let bucket = Bucket::Strict(source(1).network());
    limiter.take(bucket, QUOTA, START).await.ok().map(|verdict| verdict.allowed)
}

fn limiter(url: &str) -> RedisLimiter {
    RedisLimiter::new(Redis::open(&url.parse().unwrap()).unwrap(), "portcullis")
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_share_their_limits() {
    let server = Server::start();
    let (one, other) = (limiter(&server.url()), limiter(&server.url()));
    assert_eq!(take(&one).await, Some(true));
    assert_eq!(take(&other).await, Some(true));
    assert_eq!(take(&one).await, Some(true));
    assert_eq!(take(&other).await, Some(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limiter_that_is_away_says_so_at_once_and_comes_back() {
    let mut server = Server::start();
    let limiter = limiter(&server.url());
    assert_eq!(take(&limiter).await, Some(true));
    server.stop();
    let started = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(take(&limiter).await, None);
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    server.start_again();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(take(&limiter).await, Some(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_the_limiter_goes_on_with_the_new_primary() {
    let mut sentinel = RedisSentinel::start();
    let limiter = limiter(&sentinel.url());
    assert_eq!(take(&limiter).await, Some(true));
    sentinel.stop_primary();
    assert_eq!(take(&limiter).await, None);
    sentinel.wait_for_failover();
    let started = Instant::now();
    while take(&limiter).await.is_none() {
        assert!(started.elapsed() < Duration::from_secs(5), "it does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
