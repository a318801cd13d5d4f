//! Driver errors, which never leave the adapters as such.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use portcullis_domain::StoreError;

/// What `SQLite` says when the fault is outside the statement.
const SQLITE_IS_AWAY: [&str; 7] = [
    "database is locked",
    "disk I/O error",
    "database or disk is full",
    "attempt to write a readonly database",
    "unable to open database file",
    "database disk image is malformed",
    "locking protocol",
];

/// Sorts an error of `SQLite` by what its caller can do about it.
pub(crate) fn of_sqlite(error: Error) -> StoreError {
    let is_away = |_: DatabaseErrorKind, information: &dyn DatabaseErrorInformation| {
        SQLITE_IS_AWAY.iter().any(|text| information.message().contains(text))
    };
    sort(error, is_away)
}

/// Sorts an error of Postgres by what its caller can do about it.
///
/// Postgres tells in the language of its operator, so texts mean nothing here.
/// An error about a constraint is a defect of ours; every other is the server's:
/// too busy, stopping, read-only, out of space, a statement that took too long,
/// a table that is not there while a backup is restored.
pub(crate) fn of_postgres(error: Error) -> StoreError {
    sort(error, |kind, _| {
        !matches!(
            kind,
            DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::ExclusionViolation
        )
    })
}

fn sort(
    error: Error,
    is_away: impl Fn(DatabaseErrorKind, &dyn DatabaseErrorInformation) -> bool,
) -> StoreError {
    match error {
        Error::DatabaseError(DatabaseErrorKind::ClosedConnection, _)
        | Error::BrokenTransactionManager => StoreError::Unavailable(error.into()),
        Error::DatabaseError(kind, ref information) if is_away(kind, &**information) => {
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
