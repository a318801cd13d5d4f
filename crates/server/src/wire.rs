//! Picks adapters for ports.

use std::error::Error;
use std::sync::Arc;

use portcullis_app::{App, Ports};
use portcullis_crypto::{
    HashingPool, PoolSettings, SealedTokens, SystemClock, SystemIds, SystemRandomness,
};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Clock, Mailbox, RateLimiter};
use portcullis_http::{Api, Limiters};
use portcullis_memory::{MailboxMailer, MemoryLimiter};

use crate::key_material::{access_tokens, server_secret};
use crate::settings::Settings;

/// Passwords that may wait per hashing thread: some twenty seconds of work at
/// the default cost.
const QUEUE_PER_THREAD: usize = 64;

/// `portcullis migrate`.
pub(crate) fn migrate() -> Result<(), Box<dyn Error>> {
    let settings = Settings::load()?;
    let applied = migrate_database(&settings)?;
    if applied.is_empty() {
        println!("the database is up to date");
    }
    for name in applied {
        println!("applied {name}");
    }
    Ok(())
}

/// Migrates, or says which setting names the file that cannot be.
pub(crate) fn migrate_database(settings: &Settings) -> Result<Vec<String>, Box<dyn Error>> {
    let file = &settings.database.file;
    portcullis_sqlite::migrate(file).map_err(|error| {
        format!("DATABASE_URL: {}: {}", file.display(), with_causes(&error)).into()
    })
}

/// Everything that serving needs.
pub(crate) struct Wired {
    pub(crate) app: App,
    pub(crate) api: Api,
    pub(crate) has_mailbox_page: bool,
}

/// Opens the adapters that the settings name. The database is migrated first.
pub(crate) fn wire(settings: &Settings) -> Result<Wired, Box<dyn Error>> {
    migrate_database(settings)?;
    let store = portcullis_sqlite::open(&settings.database.file, settings.database.pool_size)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secret = server_secret(settings)?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let hashing = PoolSettings { threads, queue: threads * QUEUE_PER_THREAD };
    let mailbox: Arc<dyn Mailbox> = Arc::new(store.clone());
    let mailer =
        MailboxMailer::new(Arc::clone(&mailbox), Arc::clone(&clock), settings.mail_from.clone());

    let ports = Ports {
        store: Arc::new(store.clone()),
        sessions: Arc::new(store.clone()),
        callers: Arc::new(store.clone()),
        logins: Arc::new(store.clone()),
        outbox: Arc::new(store),
        hasher: Arc::new(HashingPool::start(settings.hashing, hashing)?),
        access_tokens: Arc::new(access_tokens(settings, &secret, &*clock)?),
        opaque_tokens: Arc::new(SealedTokens::new(&secret, settings.keys.previous_secret.as_ref())),
        mailer: Arc::new(mailer),
        clock,
        ids: Arc::new(SystemIds),
        randomness: Arc::new(SystemRandomness),
        auxiliaries: Vec::new(),
    };
    let app = App::new(ports, settings.rules.clone());
    let own: Arc<dyn RateLimiter> = Arc::new(MemoryLimiter::new());
    let limiters = Limiters { shared: Arc::clone(&own), own };
    // Mails hold tokens: they are shown to nobody but this machine.
    let has_mailbox_page = settings.server.host.is_loopback();
    let shown = has_mailbox_page.then_some(mailbox);
    let api = Api::new(app.clone(), limiters, shown, settings.http.clone());
    Ok(Wired { app, api, has_mailbox_page })
}
