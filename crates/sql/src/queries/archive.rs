//! Accounts on their way in and out, many at a time.

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use portcullis_domain::{ImportedUser, StoreError, User, UserNumber, Username};

use crate::archive_rows::{AddedRow, InsertMany};
use crate::connection::{Connection, Lease, run};
use crate::rows::UserRow;
use crate::schema::users;
use crate::types::Id;

/// Inserts accounts that all have a number, or all have none, but for those
/// whose unique values are held. Returns the unique values of what was added.
///
/// Of two in one statement that share a value the database keeps the first.
pub(crate) async fn insert(
    lease: &mut Lease,
    batch: &[ImportedUser],
) -> Result<Vec<AddedRow>, StoreError> {
    let insert = InsertMany::of(batch);
    let are_numbered = insert.are_numbered();
    if are_numbered {
        hold_the_count(lease).await?;
    }
    let added = run!(lease, connection => insert.get_results(connection))?;
    if are_numbered {
        count_on(lease).await?;
    }
    Ok(added)
}

/// Keeps others from counting until the transaction ends: a number that is
/// kept must not be given to somebody else at the same moment.
async fn hold_the_count(lease: &mut Lease) -> Result<(), StoreError> {
    match lease.connection() {
        // A transaction is the only writer.
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(_) => run!(lease, connection => {
            connection.batch_execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
        }),
    }
}

/// Sees to it that the next account's number is greater than all that are there.
async fn count_on(lease: &mut Lease) -> Result<(), StoreError> {
    const BEYOND_ALL: &str = "SELECT setval('users_number_seq', \
         greatest((SELECT max(number) FROM users), (SELECT last_value FROM users_number_seq)))";
    match lease.connection() {
        // AUTOINCREMENT looks at the greatest number there ever was.
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(_) => {
            run!(lease, connection => connection.batch_execute(BEYOND_ALL))
        }
    }
}

/// The accounts that hold any of the unique values of a batch.
pub(crate) async fn holders(
    lease: &mut Lease,
    batch: &[&ImportedUser],
) -> Result<Vec<User>, StoreError> {
    let ids: Vec<_> = batch.iter().map(|user| Id(user.id.get().as_uuid())).collect();
    let numbers: Vec<_> =
        batch.iter().filter_map(|user| user.number).map(UserNumber::get).collect();
    let emails: Vec<_> = batch.iter().map(|user| user.email.as_str()).collect();
    let usernames: Vec<_> =
        batch.iter().filter_map(|user| user.username.as_ref()).map(Username::canonical).collect();
    let rows: Vec<UserRow> = run!(lease, connection => async {
        users::table
            .filter(users::id.eq_any(&ids))
            .or_filter(users::number.eq_any(&numbers))
            .or_filter(users::email.eq_any(&emails))
            .or_filter(users::username_canonical.eq_any(&usernames))
            .select(UserRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(User::try_from).collect()
}

/// The accounts after a number, by their numbers.
pub(crate) async fn page(
    lease: &mut Lease,
    after: UserNumber,
    limit: u32,
) -> Result<Vec<User>, StoreError> {
    let rows: Vec<UserRow> = run!(lease, connection => async {
        users::table
            .filter(users::number.gt(after.get()))
            .order(users::number)
            .limit(i64::from(limit))
            .select(UserRow::as_select())
            .load(connection)
            .await
    })?;
    rows.into_iter().map(User::try_from).collect()
}
