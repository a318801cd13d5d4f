//! Connection poolers that lose prepared statements.

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use crate::address::CONNECT_PATIENCE;
use crate::connect::connect_bare;
use crate::{Address, ConnectError};

/// Whether something on the way lets a client's transactions run on one
/// connection after the other, and leaves its prepared statements behind:
/// `PgBouncer` in transaction mode, unless it keeps track of them. Everything
/// would seem to work, until there is load.
///
/// What cannot be found out is not so.
pub(crate) async fn loses_statements(address: &Address) -> Result<bool, ConnectError> {
    let one = connect_bare(address).await?;
    let Ok(other) = connect_bare(address).await else { return Ok(false) };
    let tried = tokio::time::timeout(CONNECT_PATIENCE, execute_elsewhere(&one, &other)).await;
    let lost = [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT];
    Ok(match tried {
        Ok(Err(error)) => error.code().is_some_and(|code| lost.contains(code)),
        Ok(Ok(())) | Err(_) => false,
    })
}

/// Prepares a statement, and executes it while the other client holds the
/// connection on which it was prepared, if the two share connections at all.
async fn execute_elsewhere(one: &Client, other: &Client) -> Result<(), Error> {
    let statement = one.prepare("SELECT 1").await?;
    other.batch_execute("BEGIN").await?;
    one.execute(&statement, &[]).await?;
    other.batch_execute("ROLLBACK").await
}
