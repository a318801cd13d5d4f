//! Connections on loan from a pool, and what happens when their borrower is gone.

use std::time::Duration;

use async_trait::async_trait;
use diesel::SqliteConnection;
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use portcullis_domain::StoreError;
use tokio::time::Instant;
use tracing::{Span, debug_span};

/// A pooled connection, one variant per database.
pub enum Connection {
    /// `SQLite`, driven from blocking threads.
    Sqlite(Object<SyncConnectionWrapper<SqliteConnection>>),
    /// Postgres.
    Postgres(Box<Object<AsyncPgConnection>>),
}

/// A pool at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolFigures {
    /// Connections that it may have.
    pub limit: usize,
    /// Connections that it has.
    pub connections: usize,
    /// Those of them that nobody uses.
    pub available: usize,
    /// Borrowers that wait for one.
    pub waiting: usize,
}

impl From<deadpool::Status> for PoolFigures {
    fn from(status: deadpool::Status) -> Self {
        Self {
            limit: status.max_size,
            connections: status.size,
            available: status.available,
            waiting: status.waiting,
        }
    }
}

/// Where connections come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Borrows a connection, waiting a bounded time for one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when none can be had in time.
    async fn lease(&self) -> Result<Lease, StoreError>;

    /// How the pool is doing.
    fn figures(&self) -> PoolFigures;
}

/// How long all statements of one lease together may take on a network before
/// their server counts as away: many slow answers must not add up to more than a
/// client waits for. Statements are short; a server tells of slow ones itself
/// before that ([`STATEMENT_TIMEOUT`]).
const PATIENCE: Duration = Duration::from_millis(2_500);

/// The same, with the wait for a connection: nobody waits for others as long as
/// that, and then as long again for an answer.
const PATIENCE_WITH_WAIT: Duration = Duration::from_secs(3);

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
        let until = lease.deadline();
        let answered = match lease.connection() {
            $crate::connection::Connection::Sqlite($sqlite) => {
                let span = $crate::connection::statement_span("sqlite", module_path!());
                let answer = ::tracing::Instrument::instrument($on_sqlite, span).await;
                Ok(answer.map_err($crate::error::of_sqlite))
            }
            $crate::connection::Connection::Postgres($postgres) => {
                let span = $crate::connection::statement_span("postgresql", module_path!());
                let statement = ::tracing::Instrument::instrument($on_postgres, span);
                let answer = $crate::connection::in_time(until, statement).await;
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

/// A statement as a part of a trace: which database, and which of our modules asks.
/// What it says is not told: it may hold values.
pub(crate) fn statement_span(system: &'static str, module: &'static str) -> Span {
    if Span::current().is_none() {
        // The workers ask all the time, and are nobody's request.
        return Span::none();
    }
    debug_span!("statement", otel.kind = "client", db.system.name = system, code.namespace = module)
}

/// The only row of a statement that writes outside of a transaction, read by
/// `get_results`. `get_result` is content with the row, and that is on its way
/// before the statement is committed: cut off between the two, a write that was
/// undone would pass for done.
pub(crate) fn only<T>(rows: Vec<T>) -> Option<T> {
    rows.into_iter().next()
}

pub(crate) async fn in_time<T>(
    until: Instant,
    statement: impl Future<Output = T>,
) -> Result<T, StoreError> {
    let silence = |_| StoreError::Unavailable("a statement was not answered in time".into());
    tokio::time::timeout_at(until, statement).await.map_err(silence)
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
    /// Until when a server on a network must have answered everything; without
    /// one, each statement has its own time.
    until: Option<Instant>,
}

impl Lease {
    /// Takes a pooled connection on loan.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        let until = Some(Instant::now() + PATIENCE);
        Self { connection: Some(connection), busy: false, in_transaction: false, until }
    }

    /// The same, for a borrower who has waited since then.
    #[must_use]
    pub fn asked_for(mut self, since: Instant) -> Self {
        self.until = self.until.map(|until| until.min(since + PATIENCE_WITH_WAIT));
        self
    }

    /// Whether the connection turned out to be gone: its server was restarted, or
    /// ended it. Not when the server is silent.
    pub(crate) fn is_lost(&mut self) -> bool {
        !self.busy
            && match self.connection() {
                Connection::Sqlite(_) => false,
                Connection::Postgres(pooled) => pooled.is_broken(),
            }
    }

    /// For work that nobody waits for: each statement has the time of all.
    pub(crate) fn take_time(&mut self) {
        self.until = None;
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.until.unwrap_or_else(|| Instant::now() + PATIENCE)
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
            let until = Instant::now() + PATIENCE;
            in_time(until, pooled.batch_execute("ROLLBACK"))
                .await
                .is_ok_and(|answer| answer.is_ok())
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
