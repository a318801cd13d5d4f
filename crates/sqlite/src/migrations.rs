//! Bringing a database file to this version's schema.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sqlite::Sqlite;
use diesel::{Connection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

/// How long another start may take that migrates the same file.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Why a database file is not at this version's schema.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The file or its folder could not be made, or is not ours to write.
    #[error("the database file cannot be made or written")]
    Folder(#[source] std::io::Error),
    /// The file could not be opened.
    #[error("the database file could not be opened")]
    Open(#[source] diesel::ConnectionError),
    /// A newer version has been here.
    #[error("the database has been migrated by a newer version (it knows {0}); start that one")]
    Newer(String),
    /// A migration failed; it changed nothing.
    #[error("a migration failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes the file, and its folder for its owner alone, where they are missing,
/// and runs the migrations that it has not seen. Returns their names.
///
/// Blocks; call it before anything is served.
///
/// # Errors
/// [`MigrationError`]; each migration is applied whole or not at all.
pub fn migrate(file: &Path) -> Result<Vec<String>, MigrationError> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder).map_err(MigrationError::Folder)?;
    }
    // SQLite gives its other files the same mode: password hashes are nobody
    // else's to read.
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(file)
        .map_err(MigrationError::Folder)?;
    let mut connection =
        SqliteConnection::establish(&file.to_string_lossy()).map_err(MigrationError::Open)?;
    connection.batch_execute("PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL;")?;
    switch_to_write_ahead_log(&mut connection)?;
    // One lock over the look and the change: of two that start at once, the
    // second finds nothing left to do.
    connection.exclusive_transaction(|connection| {
        refuse_newer(connection)?;
        let applied = connection.run_pending_migrations(MIGRATIONS);
        let applied = applied.map_err(MigrationError::Failed)?;
        Ok(applied.iter().map(ToString::to_string).collect())
    })
}

/// SQLite does not wait for others when it changes the journal, so this does.
fn switch_to_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), MigrationError> {
    let started = Instant::now();
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL;") {
            Err(error) if error.to_string().contains("locked") && started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(20));
            }
            switched => return Ok(switched?),
        }
    }
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.into())
    }
}

fn refuse_newer(connection: &mut SqliteConnection) -> Result<(), MigrationError> {
    let known: Vec<Box<dyn Migration<Sqlite>>> =
        MIGRATIONS.migrations().map_err(MigrationError::Failed)?;
    let applied = connection.applied_migrations().map_err(MigrationError::Failed)?;
    let foreign = applied
        .iter()
        .find(|version| known.iter().all(|migration| migration.name().version() != **version));
    match foreign {
        Some(version) => Err(MigrationError::Newer(version.to_string())),
        None => Ok(()),
    }
}
