//! Instances that are replaced, and a schema that grows, under load.

use std::time::{Duration, Instant};

use portcullis_testkit::Postgres;
use portcullis_tests::deployment::{Deployment, LEFT_OUT};

const CYCLES: usize = 10;

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

/// One of each kind that `tests/migrations.rs` allows under the running version. As the
/// server migrates: where others wait behind it, it gives up before Postgres ends one of
/// them for a deadlock (after a second), and tries again.
const MIGRATION: [&str; 2] = [
    "SET lock_timeout = '500ms';
     DO $$ BEGIN
         FOR attempt IN 1..60 LOOP
             BEGIN
                 CREATE TABLE pets (id UUID PRIMARY KEY, user_id UUID NOT NULL);
                 CREATE INDEX pets_of_user ON pets (user_id);
                 ALTER TABLE users ADD COLUMN nickname TEXT;
                 ALTER TABLE users ADD COLUMN is_new BOOLEAN NOT NULL DEFAULT FALSE;
                 ALTER TABLE sessions ADD COLUMN device TEXT;
                 ALTER TABLE one_time_tokens ADD COLUMN note TEXT;
                 ALTER TABLE login_failures ADD COLUMN note TEXT;
                 ALTER TABLE outbox ADD COLUMN note TEXT;
                 ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '') NOT VALID;
                 RETURN;
             EXCEPTION WHEN lock_not_available THEN
                 PERFORM pg_sleep(1);
             END;
         END LOOP;
         RAISE 'its tables are always in use';
     END $$",
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
