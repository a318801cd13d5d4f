//! Pools of `SQLite` connections.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use diesel::{ConnectionError, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{self, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use portcullis_domain::StoreError;
use portcullis_sql::{Connection, Lease, PoolFigures, Source};

type Wrapped = SyncConnectionWrapper<SqliteConnection>;

/// How long a borrower waits for a connection, and a connection for another
/// process's write, before the store counts as unavailable.
const PATIENCE: Duration = Duration::from_secs(5);

/// What every connection is told first. `busy_timeout` is [`PATIENCE`].
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;";

/// The pools could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the connection pool could not be built")]
pub struct OpenError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A pool of connections to one file.
pub(crate) struct Pool(deadpool::Pool<Wrapped>);

impl Pool {
    pub(crate) fn new(file: &Path, size: usize) -> Result<Self, OpenError> {
        let mut config = ManagerConfig::<Wrapped>::default();
        // A local file needs no round trip to see whether it is still there.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(|file| {
            Box::pin(async move {
                let mut connection = Wrapped::establish(file).await?;
                let told = connection.batch_execute(PRAGMAS).await;
                told.map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            })
        });
        let file = file.to_string_lossy().into_owned();
        let manager = AsyncDieselConnectionManager::new_with_config(file, config);
        let pool = deadpool::Pool::builder(manager)
            .max_size(size)
            .runtime(::deadpool::Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| OpenError(error.into()))?;
        Ok(Self(pool))
    }
}

#[async_trait]
impl Source for Pool {
    async fn lease(&self) -> Result<Lease, StoreError> {
        let connection =
            self.0.get().await.map_err(|error: PoolError| StoreError::Unavailable(error.into()))?;
        Ok(Lease::new(Connection::Sqlite(connection)))
    }

    fn figures(&self) -> PoolFigures {
        self.0.status().into()
    }
}
