//! Picks adapters for ports.

use std::error::Error;
use std::sync::Arc;

use portcullis_app::{App, Ports};
use portcullis_crypto::{HashingPool, PoolSettings, SealedTokens, SystemIds, SystemRandomness};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Auxiliary, RateLimiter};
use portcullis_http::{Api, Limiters};
use portcullis_memory::MemoryLimiter;
use portcullis_postgres::DatabaseClock;
use portcullis_redis::{CacheKey, CallerCache, Redis, RedisLimiter};
use tracing::warn;

use crate::key_material::{access_tokens, server_secret};
use crate::mail::mailer;
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
}

/// Opens the adapters that the settings name. The database is migrated first.
pub(crate) async fn wire(settings: &Settings) -> Result<Wired, Box<dyn Error>> {
    let mut storage = Storage::open(settings).await?;
    let secret = server_secret(settings)?;
    let redis = redis(settings).await?;
    let own: Arc<dyn RateLimiter> = Arc::new(MemoryLimiter::new());
    let mut shared = Arc::clone(&own);
    let mut auxiliaries: Vec<(&'static str, Arc<dyn Auxiliary>)> = Vec::new();
    if let Some(redis) = redis {
        shared = Arc::new(RedisLimiter::new(redis.clone(), &secret.key_prefix()));
        if redis.is_alone() {
            let cache = CallerCache::new(redis.clone(), &CacheKey(secret.cache_key()));
            storage = storage.with_callers_in(&cache);
        }
        auxiliaries.push(("redis", Arc::new(redis)));
    }
    let clock = storage.clock;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let hashing = PoolSettings {
        threads,
        queue: threads * QUEUE_PER_THREAD,
        patience: settings.hashing_patience,
    };

    let ports = Ports {
        store: storage.store,
        sessions: storage.sessions,
        callers: storage.callers,
        logins: storage.logins,
        outbox: storage.outbox,
        hasher: Arc::new(HashingPool::start(settings.hashing, hashing)?),
        access_tokens: Arc::new(access_tokens(settings, &secret, &*clock)?),
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
    let api = Api::new(app.clone(), Limiters { shared, own }, shown, settings.http.clone());
    Ok(Wired { app, api, has_mailbox_page, database_clock: storage.database_clock })
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
