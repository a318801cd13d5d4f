//! Bringing a database to this version's schema.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use diesel::{Connection, QueryableByName, RunQueryDsl};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connect::connect;
use crate::pooler::loses_statements;
use crate::{Address, ConnectError};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Held by whoever migrates, so that instances that start together do it one
/// after the other; waits a minute for the others, and gives a migration as
/// long. The number is ours alone: "portcull" in ASCII.
const ALONE: &str = "SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '60s';
    SELECT pg_advisory_xact_lock(8101821163713883244); SET LOCAL lock_timeout = '500ms';";

/// How long a migration waits for a table that somebody uses, as said above:
/// whoever comes to that table meanwhile waits behind it.
const TABLE_PATIENCE: Duration = Duration::from_millis(500);
/// How long those get to pass before it is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it is tried.
const WORTH_TRYING: Duration = Duration::from_mins(1);

/// Why a database is not at this version's schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A connection pooler is in between that cannot be used.
    #[error(
        "a connection pooler in transaction mode is in between, which loses prepared \
         statements: use session mode, or PgBouncer 1.21 or newer with max_prepared_statements"
    )]
    Pooler,
    /// A newer version has been here.
    #[error("the database has been migrated by a newer version (it knows {0}); start that one")]
    Newer(String),
    /// A migration failed; it changed nothing.
    #[error("a migration failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

/// Runs the migrations that the database has not seen, all or none of them,
/// and returns their names. Of several that start at once, one does it and the
/// others wait and find nothing left to do.
///
/// # Errors
/// [`MigrationError`]; then nothing has changed.
pub async fn migrate(address: &Address) -> Result<Vec<String>, MigrationError> {
    if loses_statements(address).await? {
        return Err(MigrationError::Pooler);
    }
    let started = Instant::now();
    loop {
        let connection = connect(address).await?;
        #[expect(clippy::disallowed_methods, reason = "once, before anything is served")]
        let attempt = tokio::task::spawn_blocking(move || attempt(connection)).await;
        match attempt.map_err(|error| MigrationError::Failed(error.into()))? {
            Err(Unapplied::InTheWay(_)) if started.elapsed() < WORTH_TRYING => {
                tokio::time::sleep(PAUSE).await;
            }
            tried => {
                return tried
                    .map_err(|(Unapplied::InTheWay(error) | Unapplied::Other(error))| error);
            }
        }
    }
}

/// Why an attempt changed nothing.
enum Unapplied {
    /// A migration failed after a time in which somebody may have been in its way.
    InTheWay(MigrationError),
    /// Anything else.
    Other(MigrationError),
}

impl<E: Into<MigrationError>> From<E> for Unapplied {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

fn attempt(connection: AsyncPgConnection) -> Result<Vec<String>, Unapplied> {
    let mut connection = Blocking::from(connection);
    if let State::UpToDate = state_of(&mut connection)? {
        return Ok(Vec::new());
    }
    connection.transaction(|connection| {
        connection.batch_execute(ALONE)?;
        // Somebody else may have migrated meanwhile, to a newer version even.
        if let State::UpToDate = state_of(connection)? {
            return Ok(Vec::new());
        }
        let started = Instant::now();
        let applied = connection.run_pending_migrations(MIGRATIONS);
        let applied = applied.map_err(MigrationError::Failed).map_err(|error| {
            // The driver does not tell a lock that was waited for in vain from
            // other errors; it took that long, though.
            let is_in_the_way = started.elapsed() >= TABLE_PATIENCE;
            if is_in_the_way { Unapplied::InTheWay(error) } else { Unapplied::Other(error) }
        })?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}

/// How the database stands to this version.
enum State {
    Behind,
    UpToDate,
}

/// Compares what was applied with what this version knows. It only reads, so that a
/// server may start with a role that has rights to rows alone, where its owner has
/// migrated before.
fn state_of(connection: &mut Blocking) -> Result<State, MigrationError> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = diesel::sql_types::Text)]
        version: String,
    }
    let is_there = sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL");
    if !diesel::select(is_there).get_result::<bool>(connection)? {
        return Ok(State::Behind);
    }
    let applied: Vec<Applied> =
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    let applied: Vec<String> = applied.into_iter().map(|applied| applied.version).collect();
    match compare(&applied)? {
        Schema::Newer(version) => Err(MigrationError::Newer(version)),
        Schema::UpToDate => Ok(State::UpToDate),
        Schema::Behind(_) => Ok(State::Behind),
    }
}

/// How a database stands to this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schema {
    /// These migrations are still to be run.
    Behind(Vec<String>),
    /// There is nothing to do.
    UpToDate,
    /// A newer version has been here, which knows this migration.
    Newer(String),
}

/// Compares the migrations that were applied with those that this version knows.
pub(crate) fn compare(applied: &[String]) -> Result<Schema, MigrationError> {
    let migrations: Vec<Box<dyn Migration<Pg>>> =
        MIGRATIONS.migrations().map_err(MigrationError::Failed)?;
    let version_of = |known: &dyn Migration<Pg>| known.name().version().to_string();
    let known: Vec<_> = migrations.iter().map(|known| version_of(&**known)).collect();
    if let Some(foreign) = applied.iter().find(|version| !known.contains(version)) {
        return Ok(Schema::Newer(foreign.clone()));
    }
    let pending = migrations.iter().filter(|known| !applied.contains(&version_of(&***known)));
    let pending: Vec<_> = pending.map(|known| known.name().to_string()).collect();
    Ok(if pending.is_empty() { Schema::UpToDate } else { Schema::Behind(pending) })
}

/// Undoes every migration, newest first: for tests of the migrations.
///
/// # Errors
/// [`MigrationError`]; then nothing has changed.
#[doc(hidden)]
pub async fn revert(address: &Address) -> Result<(), MigrationError> {
    let connection = connect(address).await?;
    #[expect(clippy::disallowed_methods, reason = "a test's")]
    let reverted = tokio::task::spawn_blocking(move || {
        let mut connection = Blocking::from(connection);
        connection.revert_all_migrations(MIGRATIONS).map_err(MigrationError::Failed)?;
        Ok(())
    });
    reverted.await.map_err(|error| MigrationError::Failed(error.into()))?
}
