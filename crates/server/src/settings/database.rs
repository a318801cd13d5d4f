//! Where data is kept.

use std::path::PathBuf;

use super::parse;
use super::reader::{Reader, Wrong};

/// Where data is kept.
pub(crate) struct DatabaseSettings {
    pub(crate) database: Database,
    pub(crate) pool_size: usize,
}

/// Which database.
pub(crate) enum Database {
    /// The embedded one, in this file.
    Sqlite(PathBuf),
    /// One that instances share.
    Postgres(Box<portcullis_postgres::Address>),
}

impl DatabaseSettings {
    /// Whether it is a file of this machine.
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self.database, Database::Sqlite(_))
    }
}

pub(super) fn database(reader: &mut Reader) -> Result<DatabaseSettings, Wrong> {
    let database = reader.get("DATABASE_URL", parse::database);
    let pool_size = reader.get("DATABASE_POOL_SIZE", parse::whole_number(1, 1000));
    Ok(DatabaseSettings { database: database?, pool_size: pool_size? })
}
