//! The pool of connections.

use std::time::Duration;

use async_trait::async_trait;
use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{self, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use portcullis_domain::StoreError;
use portcullis_sql::{Connection, Lease, PoolFigures, Source};
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
            .build()
            .map_err(|error| OpenError(error.into()))?;
        Ok(Self(pool))
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

    fn figures(&self) -> PoolFigures {
        self.0.status().into()
    }
}
