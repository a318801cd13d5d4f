//! The pool of connections.

use std::time::Duration;

use async_trait::async_trait;
use diesel::ConnectionError;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::pooled_connection::deadpool::{self, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use portcullis_domain::{StoreError, Timestamp};
use portcullis_sql::{Connection, Lease, Source};
use tokio::time::Instant;

use crate::Address;
use crate::connect::connect;

/// How long a borrower waits for a connection before the store counts as
/// unavailable.
const PATIENCE: Duration = Duration::from_secs(2);

/// The pool could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the connection pool could not be built")]
pub struct OpenError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A pool of connections to one database.
pub(crate) struct Pool(deadpool::Pool<AsyncPgConnection>);

impl Pool {
    pub(crate) fn new(address: &Address, size: usize) -> Result<Self, OpenError> {
        let mut config = ManagerConfig::<AsyncPgConnection>::default();
        // The driver knows when its connection was closed: no round trip for that.
        config.recycling_method = RecyclingMethod::Fast;
        let address = address.clone();
        config.custom_setup = Box::new(move |_| {
            let address = address.clone();
            Box::pin(async move {
                let made = connect(&address).await;
                made.map_err(|error| {
                    let told = portcullis_domain::error::with_causes(&error);
                    ConnectionError::BadConnection(told)
                })
            })
        });
        let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
        let pool = deadpool::Pool::builder(manager)
            .max_size(size)
            .runtime(::deadpool::Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| OpenError(error.into()))?;
        Ok(Self(pool))
    }

    /// What the database's clock shows. A connection whose answer nobody waited
    /// for is closed.
    pub(crate) async fn time(&self) -> Result<Timestamp, StoreError> {
        let away = |error: PoolError| StoreError::Unavailable(error.into());
        let mut connection = Closing(Some(self.0.get().await.map_err(away)?));
        let told = match &mut connection.0 {
            Some(pooled) => diesel::select(sql::<BigInt>(TIME)).get_result(pooled).await,
            None => return Err(StoreError::Other("a connection is gone".into())),
        };
        let micros: i64 = told.map_err(|error| StoreError::Unavailable(error.into()))?;
        drop(connection.0.take());
        Ok(Timestamp::from_micros(micros))
    }
}

/// Microseconds since the epoch.
const TIME: &str = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// A connection that does not return to its pool.
struct Closing(Option<Object<AsyncPgConnection>>);

impl Drop for Closing {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

#[async_trait]
impl Source for Pool {
    async fn lease(&self) -> Result<Lease, StoreError> {
        let asked = Instant::now();
        // Waiting for another's connection and making one share their time.
        let got = tokio::time::timeout(PATIENCE, self.0.get()).await;
        let connection = got
            .map_err(|late| StoreError::Unavailable(late.into()))?
            .map_err(|error: PoolError| StoreError::Unavailable(error.into()))?;
        Ok(Lease::new(Connection::Postgres(Box::new(connection))).asked_for(asked))
    }
}
