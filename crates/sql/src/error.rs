//! Driver errors, which never leave the adapters as such.

use diesel::result::{DatabaseErrorKind, Error};
use portcullis_domain::StoreError;

/// What `SQLite` says when the fault is outside the statement.
const UNAVAILABLE: [&str; 7] = [
    "database is locked",
    "disk I/O error",
    "database or disk is full",
    "attempt to write a readonly database",
    "unable to open database file",
    "database disk image is malformed",
    "locking protocol",
];

/// Sorts a driver's error by what its caller can do about it.
pub(crate) fn into_store_error(error: Error) -> StoreError {
    match &error {
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
        | Error::BrokenTransactionManager => StoreError::Unavailable(error.into()),
        Error::DatabaseError(_, information)
            if UNAVAILABLE.iter().any(|text| information.message().contains(text)) =>
        {
            StoreError::Unavailable(error.into())
        }
        Error::DeserializationError(_) => StoreError::Corrupt(error.into()),
        _ => StoreError::Other(error.into()),
    }
}

/// A stored value that its own rules refuse.
pub(crate) fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt(format!("{what} is not valid").into())
}
