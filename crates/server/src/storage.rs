//! The durable store that the settings name, and what is kept before it.

use std::error::Error;
use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{
    AccountsArchive, Callers, Clock, LoginStore, Mailbox, OutboxQueue, SessionStore, Store,
};
use portcullis_postgres::{DatabaseClock, MigrationError};
use portcullis_redis::{CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache};

use crate::settings::{Database, Settings};

/// The ports of the durable store.
pub(crate) struct Storage {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) callers: Arc<dyn Callers>,
    pub(crate) logins: Arc<dyn LoginStore>,
    pub(crate) outbox: Arc<dyn OutboxQueue>,
    pub(crate) archive: Arc<dyn AccountsArchive>,
    pub(crate) mailbox: Arc<dyn Mailbox>,
    /// The clock by which things expire.
    pub(crate) clock: Arc<dyn Clock>,
    /// The same, if somebody has to read it now and then.
    pub(crate) database_clock: Option<Arc<DatabaseClock>>,
}

/// Brings the database to this version's schema; returns what was applied.
/// An error names the setting, and where it leads.
pub(crate) async fn migrate(settings: &Settings) -> Result<Vec<String>, Box<dyn Error>> {
    let migrated = match &settings.database.database {
        Database::Sqlite(file) => portcullis_sqlite::migrate(file)
            .map_err(|error| format!("{}: {}", file.display(), with_causes(&error))),
        Database::Postgres(address) => {
            portcullis_postgres::migrate(address).await.map_err(|error| match error {
                // It names the address itself.
                MigrationError::Connect(error) => with_causes(&error),
                error => format!("{address}: {}", with_causes(&error)),
            })
        }
    };
    migrated.map_err(|told| format!("DATABASE_URL: {told}").into())
}

impl Storage {
    /// Opens the store that the settings name, migrated.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        migrate(settings).await?;
        let connections = settings.database.pool_size;
        Ok(match &settings.database.database {
            Database::Sqlite(file) => Self::of(portcullis_sqlite::open(file, connections)?),
            Database::Postgres(address) => {
                let opened =
                    portcullis_postgres::open_with_clock(address, connections, &SystemClock)?;
                let (store, clock) = (opened.0, Arc::new(opened.1));
                clock.read().await?;
                let told: Arc<dyn Clock> = clock.clone();
                Self { clock: told, database_clock: Some(clock), ..Self::of(store) }
            }
        })
    }

    fn of<S>(store: S) -> Self
    where
        S: Store + SessionStore + Callers + LoginStore + OutboxQueue + AccountsArchive + Mailbox,
        S: Clone + 'static,
    {
        Self {
            store: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            callers: Arc::new(store.clone()),
            logins: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            mailbox: Arc::new(store),
            clock: Arc::new(SystemClock),
            database_clock: None,
        }
    }

    /// The same, with its callers kept in a cache.
    pub(crate) fn with_callers_in(self, cache: &CallerCache) -> Self {
        Self {
            callers: Arc::new(CachedCallers::new(Arc::clone(&self.sessions), cache.clone())),
            store: Arc::new(CachedStore::new(self.store, cache.clone())),
            sessions: Arc::new(CachedSessions::new(self.sessions, cache.clone())),
            logins: Arc::new(CachedLogins::new(self.logins, cache.clone())),
            ..self
        }
    }
}
