//! The database, whichever it is.

use super::finding::Finding;
use super::{postgres, sqlite};
use crate::settings::{Database, Parts};

pub(super) async fn check(parts: &Parts) -> Vec<Finding> {
    let Ok(settings) = &parts.database else { return Vec::new() };
    match &settings.database {
        Database::Sqlite(file) => sqlite::check(file).await,
        Database::Postgres(address) => postgres::check(address).await,
    }
}
