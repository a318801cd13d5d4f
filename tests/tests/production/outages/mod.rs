//! A backend is away while the server serves, and comes back.

mod database;
mod failover;
mod load;
mod mail;
mod mail_faults;
mod redis;
mod redis_faults;
mod restarts;
mod table;
mod trouble;

use std::time::Duration;

use portcullis_tests::{Server, eventually};
use serde_json::Value;

/// How soon everything works again after a backend is back.
const RECOVERY: Duration = Duration::from_secs(2);
/// How long a request may take at most, whatever is away.
const PATIENCE: Duration = Duration::from_secs(3);

async fn checks(server: &Server) -> Value {
    server.anonymous().get("/health").await.expect(200).body["checks"].clone()
}

/// Waits until `/health` shows that state of a dependency.
async fn shows(server: &Server, dependency: &str, state: &str) {
    eventually(&format!("{dependency} {state}"), Duration::from_secs(10), async || {
        (checks(server).await[dependency] == state).then_some(())
    })
    .await;
}
