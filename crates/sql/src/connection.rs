//! Connections on loan from a pool, and what happens when their borrower is gone.

use async_trait::async_trait;
use diesel::SqliteConnection;
use diesel_async::SimpleAsyncConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use portcullis_domain::StoreError;

use crate::error::into_store_error;

/// A pooled connection, one variant per database.
pub enum Connection {
    /// `SQLite`, driven from blocking threads.
    Sqlite(Object<SyncConnectionWrapper<SqliteConnection>>),
}

/// Where connections come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Borrows a connection, waiting a bounded time for one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none can be had in time.
    async fn lease(&self) -> Result<Lease, StoreError>;
}

/// Runs one query on a lease, whichever database it is; the query expression
/// is expanded once per database, since its type depends on it.
macro_rules! run {
    ($lease:expr, $connection:ident => $query:expr) => {{
        let lease: &mut $crate::connection::Lease = $lease;
        lease.busy = true;
        let result = match lease.connection() {
            $crate::connection::Connection::Sqlite($connection) => $query.await,
        };
        lease.busy = false;
        result.map_err($crate::error::into_store_error)
    }};
}
pub(crate) use run;

/// A borrowed connection.
///
/// A future can be dropped at any await. Then the statement under way may
/// still run, on a connection that must not reach the next borrower like that:
/// a lease that is dropped while busy closes its connection, which undoes
/// whatever was open, and one that is dropped inside a transaction rolls it
/// back before its connection returns to the pool.
pub struct Lease {
    connection: Option<Connection>,
    /// A statement was started and its answer has not been read.
    pub(crate) busy: bool,
    in_transaction: bool,
}

impl Lease {
    /// Takes a pooled connection on loan.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self { connection: Some(connection), busy: false, in_transaction: false }
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection")]
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("a lease holds its connection until it is dropped")
    }

    /// Begins a transaction that holds the write lock from the start, so that
    /// what it reads cannot change before it commits.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.in_transaction = true;
        run!(self, connection => connection.batch_execute("BEGIN IMMEDIATE"))
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        run!(self, connection => connection.batch_execute("COMMIT"))?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !self.busy && !self.in_transaction {
            return;
        }
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.busy => drop(runtime.spawn(roll_back(connection))),
            _ => close(connection),
        }
    }
}

async fn roll_back(connection: Connection) {
    match connection {
        Connection::Sqlite(mut pooled) => {
            let rolled_back = pooled.batch_execute("ROLLBACK").await;
            if rolled_back.map_err(into_store_error).is_err() {
                close(Connection::Sqlite(pooled));
            }
        }
    }
}

/// Takes the connection out of its pool and closes it.
fn close(connection: Connection) {
    match connection {
        Connection::Sqlite(pooled) => drop(Object::take(pooled)),
    }
}
