//! A look at a database, which changes nothing.

use std::time::{Duration, Instant};

use portcullis_domain::Timestamp;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::connect::connect_bare;
use crate::migrations::{Schema, compare};
use crate::pooler::loses_statements;
use crate::{Address, MigrationError};

/// What a database told about itself.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The server's version, as it spells it.
    pub version: String,
    /// How long the least question took.
    pub round_trip: Duration,
    /// Whether the connection is encrypted, as the server sees it.
    pub is_encrypted: bool,
    /// Whether it is a standby, which nothing can be written to.
    pub is_standby: bool,
    /// What its clock showed.
    pub time: Timestamp,
    /// When it showed that, by this machine's steady clock.
    pub time_at: Instant,
    /// How it stands to this version.
    pub schema: Schema,
    /// Whether a connection pooler in between loses prepared statements.
    pub loses_statements: bool,
}

const LEAST: &str = "SELECT 1";
/// Micros by the clock on the wall, not by the beginning of a transaction.
const FACTS: &str = "SELECT current_setting('server_version'),
    (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), pg_is_in_recovery(),
    to_regclass('__diesel_schema_migrations') IS NOT NULL";
const TIME: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
const APPLIED: &str = "SELECT version FROM __diesel_schema_migrations";

/// Looks at a database.
///
/// It is asked by simple queries alone, which pass any connection pooler.
///
/// # Errors
/// [`MigrationError::Connect`] when there is no connection; another when it does not
/// tell what it is asked.
pub async fn inspect(address: &Address) -> Result<Inspection, MigrationError> {
    let client = connect_bare(address).await?;
    let facts = ask(&client, FACTS).await?;
    let fact = |index: usize| facts.get(index).cloned().unwrap_or_default();
    let asked = Instant::now();
    ask(&client, LEAST).await?;
    let round_trip = asked.elapsed();
    let asked = Instant::now();
    let time = ask(&client, TIME).await?.pop().and_then(|micros| micros.parse().ok());
    let time_at = asked + asked.elapsed() / 2;
    let applied = if fact(3) == "t" { ask(&client, APPLIED).await? } else { Vec::new() };
    let time = time.ok_or_else(|| MigrationError::Failed("it does not tell its time".into()))?;
    Ok(Inspection {
        version: fact(0),
        round_trip,
        is_encrypted: fact(1) == "t",
        is_standby: fact(2) == "t",
        time: Timestamp::from_micros(time),
        time_at,
        schema: compare(&applied)?,
        loses_statements: loses_statements(address).await?,
    })
}

/// All values of an answer, row by row.
async fn ask(client: &Client, sql: &str) -> Result<Vec<String>, MigrationError> {
    let answer = client.simple_query(sql).await;
    let answer = answer.map_err(|error| MigrationError::Failed(error.into()))?;
    let mut values = Vec::new();
    for message in answer {
        if let SimpleQueryMessage::Row(row) = message {
            values.extend((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()));
        }
    }
    Ok(values)
}
