//! A look at Redis, which changes nothing.

use std::time::{Duration, Instant};

use deadpool::managed::Manager;
use deadpool_redis::redis::{self, Value};

use crate::Address;
use crate::link::Linker;
use crate::redis::{OpenError, PING, RedisError};

/// What Redis told about itself; `None` is what it does not tell this user.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The server's version.
    pub version: Option<String>,
    /// Whether it is a replica, which takes no writes.
    pub is_replica: bool,
    /// How long the least question took.
    pub round_trip: Duration,
    /// What it forgets when its memory is full (`maxmemory-policy`).
    pub eviction: Option<String>,
    /// How much it may keep, in bytes; 0 for all that the machine has.
    pub max_memory: Option<u64>,
}

/// Why Redis could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// There can be no connections to that address.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It does not answer, or does not let us in.
    #[error(transparent)]
    Answer(#[from] RedisError),
}

/// Looks at Redis. Of a cluster, one node speaks for all.
///
/// # Errors
/// [`InspectionError`] when it cannot be asked.
pub async fn inspect(address: &Address) -> Result<Inspection, InspectionError> {
    let linker = Linker::new(address).map_err(|error| OpenError::of(error.into()))?;
    let failed = |error: redis::RedisError| RedisError(error.into());
    let mut link = linker.create().await.map_err(failed)?;
    let asked = Instant::now();
    // Like everything else that is asked of it: by a script.
    let script = redis::Script::new(PING);
    script.invoke_async::<_, Value>(&mut link).await.map_err(failed)?;
    let round_trip = asked.elapsed();
    let mut info = redis::cmd("INFO");
    info.arg("server").arg("memory").arg("replication");
    let told = match info.query_async::<Value>(&mut link).await {
        Ok(told) => text_of(&told).unwrap_or_default(),
        // A user that may not ask gets along without.
        Err(error) if error.code() == Some("NOPERM") => String::new(),
        Err(error) => return Err(failed(error).into()),
    };
    let fact = |name: &str| {
        let mut lines = told.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value.trim().to_owned())
    };
    Ok(Inspection {
        version: fact("redis_version"),
        is_replica: fact("role").is_some_and(|role| role == "slave"),
        round_trip,
        eviction: fact("maxmemory_policy"),
        max_memory: fact("maxmemory").and_then(|bytes| bytes.parse().ok()),
    })
}

/// The first text of an answer: a cluster's nodes each give one.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text.clone()),
        Value::Map(pairs) => pairs.iter().find_map(|(_, value)| text_of(value)),
        Value::Array(values) => values.iter().find_map(text_of),
        _ => None,
    }
}
