//! The laws of limiters and stores, with Redis in every arrangement.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use portcullis_conformance::Stores;
use portcullis_domain::ports::RateLimiter;
use portcullis_memory::MemoryStore;
use portcullis_redis::{
    CacheKey, CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache, Redis,
    RedisLimiter,
};
use portcullis_testkit::{Redis as Server, RedisCluster, RedisSentinel};

fn redis(url: &str) -> Redis {
    Redis::open(&url.parse().unwrap()).unwrap()
}

/// Counts under a name of its own, since all laws know the same clients.
fn limiter(url: &str) -> Arc<dyn RateLimiter> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let prefix = format!("law{}", NEXT.fetch_add(1, Ordering::Relaxed));
    Arc::new(RedisLimiter::new(redis(url), &prefix))
}

mod alone {
    use super::{Arc, RateLimiter, Server, limiter};

    async fn fixture() -> Arc<dyn RateLimiter> {
        limiter(&Server::shared().url())
    }

    portcullis_conformance::limiter_laws!(fixture);
}

mod cluster_of_three {
    use super::{Arc, OnceLock, RateLimiter, RedisCluster, limiter};

    async fn fixture() -> Arc<dyn RateLimiter> {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        limiter(&SHARED.get_or_init(RedisCluster::start).url())
    }

    portcullis_conformance::limiter_laws!(fixture);
}

mod watched_by_a_sentinel {
    use super::{Arc, OnceLock, RateLimiter, RedisSentinel, limiter};

    async fn fixture() -> Arc<dyn RateLimiter> {
        static SHARED: OnceLock<RedisSentinel> = OnceLock::new();
        limiter(&SHARED.get_or_init(RedisSentinel::start).url())
    }

    portcullis_conformance::limiter_laws!(fixture);
}

mod callers_kept_in_redis {
    use super::{
        Arc, CacheKey, CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache,
        MemoryStore, Server, Stores, redis,
    };

    async fn fixture() -> Stores {
        let cache = CallerCache::new(redis(&Server::shared().url()), &CacheKey([7; 32]));
        let store = MemoryStore::new();
        let inner = Arc::new(store.clone());
        Stores {
            store: Arc::new(CachedStore::new(inner.clone(), cache.clone())),
            sessions: Arc::new(CachedSessions::new(inner.clone(), cache.clone())),
            callers: Arc::new(CachedCallers::new(inner.clone(), cache.clone())),
            logins: Arc::new(CachedLogins::new(inner, cache)),
            ..Stores::of(store, ())
        }
    }

    portcullis_conformance::store_laws!(fixture);
}
