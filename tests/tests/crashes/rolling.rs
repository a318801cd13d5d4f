//! Instances that are replaced, and a schema that grows, under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis_testkit::{Nginx, Postgres, Redis};
use portcullis_tests::{LoggedIn, Server, at_once};
use tokio::task::JoinHandle;

use crate::keep_alive::{Asked, Caller, MANY_LOGINS, VISITOR};

const EXAMPLE: &str = include_str!("../../../deploy/nginx.conf");
/// nginx leaves out whoever refused it for a second, in whole seconds.
const LEFT_OUT: Duration = Duration::from_millis(2_200);
const CYCLES: usize = 10;
const CALLERS: usize = 12;

/// Two instances on one Postgres and one Redis behind nginx, as `deploy` has it.
struct Deployment {
    instances: [Server; 2],
    database: String,
    nginx: Nginx,
    john: LoggedIn,
    _redis: Redis,
}

impl Deployment {
    async fn start() -> Self {
        let (database, redis) = (Postgres::shared().empty_database(), Redis::start());
        let url = redis.url();
        let settings = [
            ("DATABASE_URL", database.as_str()),
            ("REDIS_URL", &url),
            ("SECRET_KEY", "canary-secret-that-all-instances-share"),
            ("PUBLIC_URL", "https://auth.example.com"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
            ("BCRYPT_ROUNDS", "10"),
            MANY_LOGINS[0],
            MANY_LOGINS[1],
        ];
        let (one, two) = tokio::join!(Server::start_with(&settings), Server::start_with(&settings));
        let configuration = EXAMPLE
            .replace("portcullis-1:8000", &format!("127.0.0.1:{}", one.port()))
            .replace("portcullis-2:8000", &format!("127.0.0.1:{}", two.port()))
            .replace("listen 8080;", "listen 127.0.0.1:{port};")
            .replace("/tmp/", "{folder}/")
            .replace("/dev/stderr", "{folder}/error.log")
            .replace("/dev/stdout", "{folder}/access.log");
        let nginx = Nginx::start(&configuration);
        let john = one.signed_up("johndoe", "john@example.com").await;
        one.signed_up(VISITOR, "visitor@example.com").await;
        Self { instances: [one, two], database, nginx, john, _redis: redis }
    }

    /// Callers that ask through nginx until they are told to stop.
    fn load(&self) -> Load {
        let (url, john, stop) = (self.nginx.url(), self.john.clone(), Arc::<AtomicBool>::default());
        let stopped = Arc::clone(&stop);
        let callers = tokio::spawn(at_once(CALLERS, move |number| {
            let stopped = Arc::clone(&stopped);
            Caller::new(&url, &john, number).until(move || stopped.load(Ordering::Relaxed))
        }));
        Load { stop, callers }
    }
}

struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinHandle<Vec<Asked>>,
}

impl Load {
    /// Lets the callers stop, insists that nothing failed; returns how many were
    /// answered, and the slowest.
    async fn never_failed(self) -> (usize, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        let asked = self.callers.await.unwrap();
        let failed: Vec<_> = asked.iter().flat_map(|one| &one.failed).collect();
        assert!(failed.is_empty(), "{} failed: {failed:?}", failed.len());
        let slowest = asked.iter().map(|one| one.slowest).max().unwrap();
        (asked.iter().map(|one| one.answered).sum(), slowest)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_11_no_request_fails_while_instances_behind_nginx_are_replaced_in_turn() {
    let mut deployment = Deployment::start().await;
    let load = deployment.load();
    let mut slowest_stop = Duration::ZERO;
    for cycle in 0..CYCLES {
        let instance = &mut deployment.instances[cycle % 2];
        let asked = Instant::now();
        let status = instance.terminate().await;
        slowest_stop = slowest_stop.max(asked.elapsed());
        assert_eq!(status.code(), Some(0), "{}", instance.log());
        instance.restart().await;
        tokio::time::sleep(LEFT_OUT).await;
    }
    let (answered, slowest) = load.never_failed().await;
    println!(
        "{CYCLES} replacements: {answered} requests, 0 failed, the slowest {slowest:?}; stopped \
         after {slowest_stop:?} at most"
    );
    assert!(answered > 20 * CYCLES, "{answered} requests only");
    assert!(slowest_stop < Duration::from_secs(10), "{slowest_stop:?}");
}

/// One of each kind that `tests/migrations.rs` allows under the running version.
const MIGRATION: [&str; 2] = [
    "BEGIN; SET LOCAL lock_timeout = '2s';
     CREATE TABLE pets (id UUID PRIMARY KEY, user_id UUID NOT NULL);
     CREATE INDEX pets_of_user ON pets (user_id);
     ALTER TABLE users ADD COLUMN nickname TEXT;
     ALTER TABLE users ADD COLUMN is_new BOOLEAN NOT NULL DEFAULT FALSE;
     ALTER TABLE sessions ADD COLUMN device TEXT;
     ALTER TABLE one_time_tokens ADD COLUMN note TEXT;
     ALTER TABLE login_failures ADD COLUMN note TEXT;
     ALTER TABLE outbox ADD COLUMN note TEXT;
     ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '') NOT VALID;
     COMMIT",
    "CREATE INDEX CONCURRENTLY users_nickname ON users (nickname)",
];

#[tokio::test(flavor = "multi_thread")]
async fn r_44_no_request_fails_while_a_migration_runs_and_on_the_schema_that_it_leaves() {
    let mut deployment = Deployment::start().await;
    let load = deployment.load();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let took = MIGRATION.map(|script| {
        let started = Instant::now();
        Postgres::shared().sql(&deployment.database, script);
        started.elapsed()
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    // The version before can be started again meanwhile.
    let instance = &mut deployment.instances[0];
    assert_eq!(instance.terminate().await.code(), Some(0));
    instance.restart().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (answered, slowest) = load.never_failed().await;
    println!(
        "a migration of {:?} (all its locks) and {:?} (an index): {answered} requests, 0 failed, \
         the slowest {slowest:?}",
        took[0], took[1]
    );
    let [here, there] = &deployment.instances;
    for instance in [here, there] {
        instance.signed_up(&format!("later{}", instance.port()), "later@example.com").await;
        deployment.john.at(instance).is_alive().await;
        Postgres::shared()
            .sql(&deployment.database, "DELETE FROM users WHERE username <> 'johndoe'");
    }
    assert!(answered > 50, "{answered} requests only");
}
