//! The embedded durable store: one `SQLite` file.
//!
//! Write-ahead log, foreign keys, and a full sync at every commit: a write that
//! was acknowledged survives `kill -9` and the power going out. `SQLite` has one
//! writer at a time, so there is one connection for writing, whose borrowers
//! queue in order, and a few for reading.

mod inspection;
mod migrations;
mod pool;

use std::path::Path;
use std::sync::Arc;

use portcullis_sql::SqlStore;

pub use inspection::{Inspection, inspect};
pub use migrations::{MigrationError, migrate};
pub use pool::OpenError;

/// Opens the database file, which has been [`migrate`]d before, with so many
/// connections for readers.
///
/// # Errors
/// [`OpenError`] when the pools cannot be built.
pub fn open(file: &Path, readers: usize) -> Result<SqlStore, OpenError> {
    let writers = pool::Pool::new(file, 1)?;
    let readers = pool::Pool::new(file, readers.max(1))?;
    Ok(SqlStore::new(Arc::new(writers), Arc::new(readers)))
}
