//! Connections on loan from a pool, and what happens when their borrower is gone.

use std::time::Duration;

use async_trait::async_trait;
use diesel::SqliteConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use portcullis_domain::StoreError;

/// A pooled connection, one variant per database.
pub enum Connection {
    /// `SQLite`, driven from blocking threads.
    Sqlite(Object<SyncConnectionWrapper<SqliteConnection>>),
    /// Postgres.
    Postgres(Box<Object<AsyncPgConnection>>),
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

/// How long a statement on a network may take before its server counts as
/// away. Statements are short; a server tells of slow ones itself before that
/// ([`STATEMENT_TIMEOUT`]).
const PATIENCE: Duration = Duration::from_millis(2_500);

/// When a database server is to give a statement up.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(2);

/// Runs one query on a lease, whichever database it is; the query expression
/// is expanded once per database, since its type depends on it.
macro_rules! run {
    ($lease:expr, $connection:ident => $query:expr) => {
        $crate::connection::run!($lease,
            sqlite $connection => $query,
            postgres $connection => $query
        )
    };
    ($lease:expr, sqlite $sqlite:ident => $on_sqlite:expr, postgres $postgres:ident => $on_postgres:expr) => {{
        let lease: &mut $crate::connection::Lease = $lease;
        lease.busy = true;
        let answered = match lease.connection() {
            $crate::connection::Connection::Sqlite($sqlite) => {
                Ok($on_sqlite.await.map_err($crate::error::of_sqlite))
            }
            $crate::connection::Connection::Postgres($postgres) => {
                let answer = $crate::connection::in_time($on_postgres).await;
                answer.map(|result| result.map_err($crate::error::of_postgres))
            }
        };
        match answered {
            Ok(result) => {
                lease.busy = false;
                result
            }
            // The statement may still run: the lease stays busy, which closes it.
            Err(silence) => Err(silence),
        }
    }};
}
pub(crate) use run;

pub(crate) async fn in_time<T>(statement: impl Future<Output = T>) -> Result<T, StoreError> {
    let silence = |_| StoreError::Unavailable("a statement was not answered in time".into());
    tokio::time::timeout(PATIENCE, statement).await.map_err(silence)
}

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

    /// Begins a transaction in which what is read for a decision cannot change
    /// before it commits. `SQLite` takes its one write lock for that at once;
    /// on Postgres the queries lock the rows they read.
    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.in_transaction = true;
        run!(self,
            sqlite connection => connection.batch_execute("BEGIN IMMEDIATE"),
            postgres connection => connection.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        )
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

async fn roll_back(mut connection: Connection) {
    let is_rolled_back = match &mut connection {
        Connection::Sqlite(pooled) => pooled.batch_execute("ROLLBACK").await.is_ok(),
        Connection::Postgres(pooled) => {
            in_time(pooled.batch_execute("ROLLBACK")).await.is_ok_and(|answer| answer.is_ok())
        }
    };
    if !is_rolled_back {
        close(connection);
    }
}

/// Takes the connection out of its pool and closes it.
fn close(connection: Connection) {
    match connection {
        Connection::Sqlite(pooled) => drop(Object::take(pooled)),
        Connection::Postgres(pooled) => drop(Object::take(*pooled)),
    }
}
