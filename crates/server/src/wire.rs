//! Picks adapters for ports.

use std::error::Error;
use std::sync::Arc;

use portcullis_app::{App, Ports};
use portcullis_crypto::{HashingPool, PoolSettings, SealedTokens, SystemIds, SystemRandomness};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Admissions, Auxiliary, RateLimiter};
use portcullis_http::{Api, Limiters};
use portcullis_memory::MemoryLimiter;
use portcullis_metrics::{Exposition, Limiter, Metrics};
use portcullis_postgres::DatabaseClock;
use portcullis_redis::{
    CacheKey, CachedCallers, CallerCache, Redis, RedisAdmissions, RedisLimiter,
};
use tracing::warn;

use crate::key_material::{access_tokens, server_secret};
use crate::key_watch::KeyWatch;
use crate::mail::mailer;
use crate::metrics::{
    MeasuredAdmissions, MeasuredHasher, MeasuredLimiter, Sampled, process_started,
};
use crate::services::services;
use crate::settings::Settings;
use crate::storage::{Storage, migrate as migrate_database};

/// Passwords that may wait per hashing thread, at 2 KiB at most each.
const QUEUE_PER_THREAD: usize = 64;

/// `portcullis migrate`.
pub(crate) async fn migrate() -> Result<(), Box<dyn Error>> {
    let settings = Settings::load()?;
    let applied = migrate_database(&settings).await?;
    if applied.is_empty() {
        println!("the database is up to date");
    }
    for name in applied {
        println!("applied {name}");
    }
    Ok(())
}

/// Everything that serving needs.
pub(crate) struct Wired {
    pub(crate) app: App,
    pub(crate) api: Api,
    pub(crate) has_mailbox_page: bool,
    pub(crate) database_clock: Option<Arc<DatabaseClock>>,
    /// Who looks for other signing keys, if they lie in a folder.
    pub(crate) key_watch: Option<KeyWatch>,
    pub(crate) metrics: Arc<Metrics>,
    /// What to look at and what to tell, if somebody wants to know.
    pub(crate) told: Option<(Sampled, Exposition)>,
}

/// Opens the adapters that the settings name. The database is migrated first.
pub(crate) async fn wire(settings: &Settings) -> Result<Wired, Box<dyn Error>> {
    let (metrics, exposition) = match settings.server.metrics {
        Some(_) => {
            let (metrics, exposition) = Exposition::start(env!("CARGO_PKG_VERSION"))?;
            (Arc::new(metrics), Some(exposition))
        }
        None => (Arc::new(Metrics::off()), None),
    };
    let mut storage = Storage::open(settings).await?;
    let secret = server_secret(settings)?;
    let redis = redis(settings).await?;
    let own: Arc<dyn RateLimiter> = Arc::new(MemoryLimiter::new());
    let mut shared = Arc::clone(&own);
    let mut admissions: Option<Arc<dyn Admissions>> = None;
    let mut callers = None;
    let mut auxiliaries: Vec<(&'static str, Arc<dyn Auxiliary>)> = Vec::new();
    if let Some(redis) = redis.clone() {
        let limiter = RedisLimiter::new(redis.clone(), &secret.key_prefix());
        if redis.is_alone() {
            let cache = CallerCache::new(redis.clone(), &CacheKey(secret.cache_key()));
            let kept = CachedCallers::new(Arc::clone(&storage.sessions), cache.clone());
            let joined = RedisAdmissions::new(limiter.clone(), kept.clone());
            admissions = Some(Arc::new(MeasuredAdmissions::new(Arc::new(joined), &metrics)));
            storage = storage.with_callers(kept, &cache);
            callers = Some(cache);
        }
        shared = Arc::new(limiter);
        auxiliaries.push(("redis", Arc::new(redis)));
    }
    let clock = storage.clock;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let hashing = PoolSettings {
        threads,
        queue: threads * QUEUE_PER_THREAD,
        patience: settings.hashing_patience,
    };

    let hashing = Arc::new(HashingPool::start(settings.hashing, hashing)?);
    let limiters = Limiters {
        shared: Arc::new(MeasuredLimiter::new(shared, Limiter::First, &metrics)),
        own: Arc::new(MeasuredLimiter::new(own, Limiter::Fallback, &metrics)),
        admissions,
    };
    let (access_tokens, key_watch) = access_tokens(settings, &secret, &clock)?;

    let ports = Ports {
        store: storage.store,
        sessions: storage.sessions,
        callers: storage.callers,
        logins: storage.logins,
        outbox: storage.outbox,
        jobs: storage.jobs,
        devices: storage.devices,
        avatars: storage.avatars,
        entitlements: storage.entitlements,
        services: services(settings, &secret, &clock).await?,
        archive: storage.archive,
        hasher: Arc::new(MeasuredHasher::new(hashing.clone(), Arc::clone(&metrics))),
        access_tokens,
        opaque_tokens: Arc::new(SealedTokens::new(&secret, settings.keys.previous_secret.as_ref())),
        mailer: mailer(&settings.mail, Arc::clone(&storage.mailbox), &clock)?,
        clock,
        ids: Arc::new(SystemIds),
        randomness: Arc::new(SystemRandomness),
        auxiliaries,
    };
    let app = App::new(ports, settings.rules.clone());
    // Mails hold tokens: they are shown to nobody but this machine.
    let keeps_mails = settings.mail.providers.is_empty();
    let has_mailbox_page = keeps_mails && settings.server.host.is_loopback();
    let shown = has_mailbox_page.then_some(storage.mailbox);
    let api = Api::new(app.clone(), limiters, shown, settings.http.clone())
        .counting_in(Arc::clone(&metrics));
    process_started(&metrics, app.now());
    let pools = storage.pools;
    let sampled = Sampled { metrics: Arc::clone(&metrics), pools, redis, callers, hashing };
    let told = exposition.map(|exposition| (sampled, exposition));
    let database_clock = storage.database_clock;
    Ok(Wired { app, api, has_mailbox_page, database_clock, key_watch, metrics, told })
}

/// Redis, if it is set. What no waiting mends is told at the start; a server
/// that is not there is not: it may come, and nothing needs it.
async fn redis(settings: &Settings) -> Result<Option<Redis>, Box<dyn Error>> {
    let Some(address) = &settings.redis else { return Ok(None) };
    let told = |error: &dyn Error| format!("REDIS_URL: {address}: {}", with_causes(error));
    let redis = Redis::open(address).map_err(|error| told(&error))?;
    match redis.ping().await {
        Err(error) if error.is_absence() => {
            warn!(setting = "REDIS_URL", %address, "Redis does not answer; going on without it");
        }
        answered => answered.map_err(|error| told(&error))?,
    }
    Ok(Some(redis))
}
