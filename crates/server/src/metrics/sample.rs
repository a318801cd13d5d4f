//! What is looked at when somebody asks: pools, queues, dependencies, the process.

use std::sync::Arc;

use actix_web::web;
use portcullis_crypto::HashingPool;
use portcullis_http::Api;
use portcullis_metrics::{Dependency, LookupResult, Metrics, Pool};
use portcullis_redis::{CallerCache, Redis};

use super::process;
use super::process::count;
use crate::storage::PoolsFigures;

/// Where to look.
pub(crate) struct Sampled {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) pools: PoolsFigures,
    pub(crate) redis: Option<Redis>,
    pub(crate) callers: Option<CallerCache>,
    pub(crate) hashing: Arc<HashingPool>,
}

impl Sampled {
    /// Notes how everything is at this moment.
    pub(super) async fn sample(&self, api: &web::Data<Api>) {
        let metrics = &*self.metrics;
        for (name, is_up) in api.dependencies().await {
            if let Some(dependency) = Dependency::named(name) {
                metrics.dependency_up.set((dependency,), f64::from(u8::from(is_up)));
            }
        }
        for (name, figures) in (self.pools)() {
            self.pool(name, figures);
        }
        if let Some(redis) = &self.redis {
            let now = redis.connections();
            self.pool("redis", [now.limit, now.open, now.available, now.waiting]);
        }
        if let Some(callers) = &self.callers {
            let now = callers.lookups();
            metrics.caller_lookups.stands_at((LookupResult::Hit,), now.hits);
            metrics.caller_lookups.stands_at((LookupResult::Miss,), now.misses);
            metrics.caller_lookups.stands_at((LookupResult::Bypassed,), now.bypassed);
        }
        metrics.hashes_waiting.set((), count(self.hashing.waiting()));
        let under_way = usize::try_from(api.traffic().under_way()).unwrap_or(usize::MAX);
        metrics.http_under_way.set((), count(under_way));
        process::sample(metrics);
    }

    fn pool(&self, name: &str, [limit, connections, available, waiting]: [usize; 4]) {
        let Some(pool) = Pool::named(name) else { return };
        self.metrics.pool_limit.set((pool,), count(limit));
        self.metrics.pool_connections.set((pool,), count(connections));
        self.metrics.pool_available.set((pool,), count(available));
        self.metrics.pool_waiting.set((pool,), count(waiting));
    }
}
