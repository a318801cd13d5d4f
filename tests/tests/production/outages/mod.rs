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

use std::time::{Duration, Instant};

use portcullis_tests::{LoggedIn, Server, eventually};
use serde_json::{Value, json};

/// How soon everything works again after a backend is back.
const RECOVERY: Duration = Duration::from_secs(2);
/// How long a request may take at most, whatever is away.
const PATIENCE: Duration = Duration::from_secs(3);

async fn checks(server: &Server) -> Value {
    server.anonymous().get("/health").await.expect(200).body["checks"].clone()
}

/// Waits until somebody's change is stored again, which is 503 until then and
/// nothing else; says how long it took. Five seconds, of which a machine of its own
/// takes a fraction.
async fn writes_again(john: &LoggedIn) -> Duration {
    let back = Instant::now();
    eventually("the recovery", Duration::from_secs(5), async || {
        let answer = john.patch_me(&json!({"name": "John"})).await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
    back.elapsed()
}

/// Waits until `/health` shows that state of a dependency.
async fn shows(server: &Server, dependency: &str, state: &str) {
    eventually(&format!("{dependency} {state}"), Duration::from_secs(10), async || {
        (checks(server).await[dependency] == state).then_some(())
    })
    .await;
}
