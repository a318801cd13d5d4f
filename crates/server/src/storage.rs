//! The durable store that the settings name, and what is kept before it.

use std::error::Error;
use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{
    AccountsArchive, AvatarStore, Callers, Clock, DeviceStore, EntitlementStore, JobQueue,
    LoginStore, Mailbox, OutboxQueue, SessionStore, Store,
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
    pub(crate) jobs: Arc<dyn JobQueue>,
    pub(crate) devices: Arc<dyn DeviceStore>,
    pub(crate) avatars: Arc<dyn AvatarStore>,
    pub(crate) entitlements: Arc<dyn EntitlementStore>,
    pub(crate) archive: Arc<dyn AccountsArchive>,
    pub(crate) mailbox: Arc<dyn Mailbox>,
    /// The clock by which things expire.
    pub(crate) clock: Arc<dyn Clock>,
    /// The same, if somebody has to read it now and then.
    pub(crate) database_clock: Option<Arc<DatabaseClock>>,
    /// How its pools are doing.
    pub(crate) pools: PoolsFigures,
}

/// The name of each pool, and how many connections it may have, has, and has free,
/// and how many borrowers wait.
pub(crate) type PoolsFigures = Arc<dyn Fn() -> Vec<(&'static str, [usize; 4])> + Send + Sync>;

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

/// The figures of a store's pools. Both stores are of one type, which belongs to
/// none of the crates that are known here.
macro_rules! figures_of {
    ($store:expr) => {{
        let store = $store.clone();
        Arc::new(move || {
            let pools = store.pools().into_iter();
            pools
                .map(|(name, now)| (name, [now.limit, now.connections, now.available, now.waiting]))
                .collect()
        })
    }};
}

impl Storage {
    /// Opens the store that the settings name, migrated.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Box<dyn Error>> {
        migrate(settings).await?;
        let connections = settings.database.pool_size;
        Ok(match &settings.database.database {
            Database::Sqlite(file) => {
                let store = portcullis_sqlite::open(file, connections)?;
                Self { pools: figures_of!(store), ..Self::of(store) }
            }
            Database::Postgres(address) => {
                let store = portcullis_postgres::open(address, connections)?;
                let clock = DatabaseClock::of(store.clone()).await.map_err(|error| {
                    format!("DATABASE_URL: {address}: its clock: {}", with_causes(&error))
                })?;
                let clock = Arc::new(clock);
                Self {
                    clock: clock.clone(),
                    database_clock: Some(clock),
                    pools: figures_of!(store),
                    ..Self::of(store)
                }
            }
        })
    }

    fn of<S>(store: S) -> Self
    where
        S: Store + SessionStore + Callers + LoginStore + OutboxQueue + JobQueue,
        S: AccountsArchive + Mailbox + DeviceStore + AvatarStore + EntitlementStore,
        S: Clone + 'static,
    {
        Self {
            store: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            callers: Arc::new(store.clone()),
            logins: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            jobs: Arc::new(store.clone()),
            devices: Arc::new(store.clone()),
            avatars: Arc::new(store.clone()),
            entitlements: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            mailbox: Arc::new(store),
            clock: Arc::new(SystemClock),
            database_clock: None,
            pools: Arc::new(Vec::new),
        }
    }

    /// The same, with its callers kept in a cache: these.
    pub(crate) fn with_callers(self, callers: CachedCallers, cache: &CallerCache) -> Self {
        Self {
            callers: Arc::new(callers),
            store: Arc::new(CachedStore::new(self.store, cache.clone())),
            sessions: Arc::new(CachedSessions::new(self.sessions, cache.clone())),
            logins: Arc::new(CachedLogins::new(self.logins, cache.clone())),
            ..self
        }
    }
}
