//! Postgres is restarted, killed, frozen, cut off, or its processes are ended,
//! while people use the server.

use std::time::{Duration, Instant};

use portcullis_testkit::{Ending, Fault, FaultProxy, Postgres, Redis};
use portcullis_tests::eventually;
use serde_json::json;

use super::load::Load;
use super::writes_again;
use crate::backends::Backends;

/// How soon nothing of a fault is left.
const RECOVERY: Duration = Duration::from_secs(5);
/// Connections of the server to its database.
const OURS: &str = "FROM pg_stat_activity
    WHERE application_name = 'portcullis' AND datname = current_database()";

async fn restarted(mut postgres: Postgres, ending: Ending, rounds: usize) {
    let server = Backends::on(&postgres.empty_database()).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let (load, process) = (Load::start(&server, 4).await, server.pid());
    let mut recoveries = Vec::new();
    for _ in 0..rounds {
        postgres.restart(ending);
        recoveries.push(writes_again(&john).await);
        // Some work between one and the next.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let total = load.stop().await;
    recoveries.sort_unstable();
    // Two seconds, unless the machine was busy just then.
    let typical = recoveries[recoveries.len() / 2];
    assert!(typical <= Duration::from_secs(2), "{recoveries:?}");
    println!("{ending:?} x {rounds}: back within {:?}; {}", recoveries.last(), total.told());
    assert!(!total.unavailable.is_empty(), "the test proves nothing");
    assert!(total.good.len() > rounds * 10, "{}", total.told());
    assert_eq!(server.pid(), process);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_12_fast_restarts_under_load_are_told_as_503_and_over_at_once() {
    restarted(Postgres::start(&[]), Ending::Fast, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_12_immediate_restarts_under_load_are_told_as_503_and_over_at_once() {
    restarted(Postgres::start(&[]), Ending::Immediate, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_13_what_was_acknowledged_outlives_a_killed_postmaster() {
    let durable = ["fsync=on", "synchronous_commit=on", "full_page_writes=on"];
    restarted(Postgres::start(&durable), Ending::Killed, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_15_who_loses_a_killed_backend_hears_503_and_nobody_else_notices() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let load = Load::start(&server, 4).await;
    let mut operator = Postgres::shared().session(backends.database());
    let victim = format!("(SELECT pid {OURS} ORDER BY random() LIMIT 1)");
    let mut killed = 0;
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    for _ in 0..150 {
        ticks.tick().await;
        let said = operator.sql(&format!("SELECT pg_terminate_backend(pid) FROM {victim} AS one"));
        killed += usize::from(said.trim() == "t");
    }
    let total = load.stop().await;
    println!("{killed} backends killed: {:.2} % went well; {}", total.share(), total.told());
    assert!(killed > 100, "the test proves nothing: {killed} killed");
    // Which share that is depends on how fast the machine asks.
    assert!(total.unavailable.len() <= killed, "{}", total.told());
    let left = format!("SELECT count(*) <= 8 {OURS}");
    eventually("no more connections than the pool has", RECOVERY, async || {
        (backends.sql(&left) == "t").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_14_a_frozen_database_is_told_in_time_and_nothing_piles_up() {
    let postgres = Postgres::start(&[]);
    let database = postgres.empty_database();
    let server = Backends::on(&database).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let load = Load::start(&server, 8).await;
    let before = server.open_descriptors();
    postgres.hang(true);
    tokio::time::sleep(Duration::from_secs(8)).await;
    let during = server.open_descriptors();
    postgres.hang(false);
    let recovered = writes_again(&john).await;
    // One from each of the eight people, one for each connection of the pool.
    assert!(during <= before + 16, "{before} files were open, then {during}");
    let total = load.stop().await;
    println!("frozen for 8 s: back after {recovered:?}; {}", total.told());
    assert!(!total.unavailable.is_empty(), "the test proves nothing");
    eventually("nobody is left inside a transaction", RECOVERY, async || {
        let left = format!("SELECT count(*) {OURS} AND state LIKE 'idle in transaction%'");
        (postgres.sql(&database, &left).trim() == "0").then_some(())
    })
    .await;
}

/// One of two instances is cut off from everything, in the middle of a change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_46_an_instance_that_is_cut_off_holds_nobody_up_and_heals_by_itself() {
    let redis = Redis::start();
    let to_postgres = FaultProxy::to_port(Postgres::shared().port());
    let to_redis = FaultProxy::to_port(redis.port());
    let backends = Backends::new().with_redis(&redis);
    let near = backends.instance().await;
    let far = backends
        .clone()
        .with("DATABASE_URL", &to_postgres.url(backends.database()))
        .with("REDIS_URL", &to_redis.url(&redis.url()))
        .instance()
        .await;
    let john = near.signed_up("johndoe", "john@example.com").await;
    let ended = near.signed_up("annlee", "ann@example.com").await;
    ended.at(&far).me().await.is(200);

    // The change has locked its row and has not committed when the way is cut.
    to_postgres.set(Fault::slow(Duration::from_millis(400)));
    let there = john.at(&far);
    let cut_off = tokio::spawn(async move { there.patch_me(&json!({"name": "Far"})).await });
    let waiting = format!(
        "SELECT count(*) {OURS} AND state = 'idle in transaction' AND backend_xid IS NOT NULL"
    );
    eventually("a transaction that holds a row", RECOVERY, async || {
        (backends.sql(&waiting) != "0").then_some(())
    })
    .await;
    to_postgres.set(Fault::Hang);
    to_redis.set(Fault::Hang);
    let started = Instant::now();
    ended.log_out_without_body().await.is(200);
    ended.at(&far).me().await.is(503);
    cut_off.await.unwrap().is(503);
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    // Its row comes free, though its server never hears of its end.
    eventually("the same change by the other", Duration::from_secs(20), async || {
        let answer = john.patch_me(&json!({"name": "Near"})).await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
    println!("the row was free again {:?} after the cut", started.elapsed());

    to_postgres.set(Fault::None);
    to_redis.set(Fault::None);
    let healed = writes_again(&john.at(&far)).await;
    println!("healed {healed:?} after the way was free");
    ended.at(&far).is_over().await;
    super::shows(&far, "redis", "healthy").await;
}
