//! A look at a database file, which changes nothing in it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::MigrationError;
use crate::migrations::MIGRATIONS;

/// Stands in a file name of an URI for itself.
const OUTSIDE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

/// What there is of a database file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inspection {
    /// No file: the first start makes it.
    Missing,
    /// A database.
    There {
        /// The version of SQLite that is built in.
        version: String,
        /// Its length in bytes.
        bytes: u64,
        /// Migrations that are still to be run.
        pending: Vec<String>,
        /// One that this version does not know: a newer one has been here.
        newer: Option<String>,
    },
}

/// Looks at a database file. It is opened for writing, as a server would, and not
/// written; it is not made. Blocks.
///
/// # Errors
/// [`MigrationError`] when it cannot be opened, or is no database.
pub fn inspect(file: &Path) -> Result<Inspection, MigrationError> {
    let bytes = match fs::metadata(file) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Inspection::Missing),
        Err(error) => return Err(MigrationError::Folder(error)),
    };
    // Asked for both, SQLite is content with reading where it may not write.
    fs::OpenOptions::new().append(true).open(file).map_err(MigrationError::Folder)?;
    let path = percent_encode(file.as_os_str().as_encoded_bytes(), OUTSIDE);
    let uri = format!("file:{path}?mode=rw");
    let mut connection = SqliteConnection::establish(&uri).map_err(MigrationError::Open)?;
    let connection = &mut connection;
    connection.batch_execute("PRAGMA busy_timeout = 1000; PRAGMA query_only = ON;")?;
    let version = diesel::select(sql::<Text>("sqlite_version()")).get_result(connection)?;
    let applied = applied(connection)?;
    let known: Vec<Box<dyn Migration<Sqlite>>> =
        MIGRATIONS.migrations().map_err(MigrationError::Failed)?;
    let is_known =
        |version: &str| known.iter().any(|known| known.name().version().to_string() == version);
    let newer = applied.iter().find(|version| !is_known(version)).cloned();
    let pending = known.iter().map(Migration::name);
    let pending = pending.filter(|name| !applied.contains(&name.version().to_string()));
    let pending = pending.map(ToString::to_string).collect();
    Ok(Inspection::There { version, bytes, pending, newer })
}

fn applied(connection: &mut SqliteConnection) -> Result<Vec<String>, MigrationError> {
    #[derive(QueryableByName)]
    struct Applied {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let tables = sql::<BigInt>(
        "(SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations')",
    );
    if diesel::select(tables).get_result::<i64>(connection)? == 0 {
        return Ok(Vec::new());
    }
    let applied: Vec<Applied> =
        diesel::sql_query("SELECT version FROM __diesel_schema_migrations").load(connection)?;
    Ok(applied.into_iter().map(|applied| applied.version).collect())
}
