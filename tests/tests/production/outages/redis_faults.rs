//! Redis fails in every way, while people use the server.

use std::time::{Duration, Instant};

use portcullis_testkit::{Fault, FaultProxy, Postgres, Redis};
use portcullis_tests::{LoggedIn, Server, eventually};

use super::load::percentile;
use super::redis::{goes_on, limits_in_process};
use super::shows;
use crate::backends::Backends;

/// A server that limits requests, and John.
async fn with_john(redis: &Redis) -> Server {
    let limited = Backends::new().with_redis(redis).with("RATE_LIMIT_ENABLED", "true");
    let server = limited.with("RATE_LIMIT_DEFAULT", "9999").with("RATE_LIMIT_USER", "9999");
    let server = server.instance().await;
    server.signed_up("johndoe", "john@example.com").await.is_alive().await;
    server
}

/// Reads profiles for that long, of sessions that live and of ones that ended;
/// gives how long the living ones took, in the order in which they were asked.
async fn reads(live: &[LoggedIn], ended: &[LoggedIn], time: Duration) -> Vec<Duration> {
    let (started, mut took) = (Instant::now(), Vec::new());
    while started.elapsed() < time {
        for (live, ended) in live.iter().zip(ended) {
            let asked = Instant::now();
            live.me().await.is(200);
            took.push(asked.elapsed());
            ended.me().await.is_unauthorized();
        }
    }
    took
}

fn ninety_nine(took: &[Duration]) -> Duration {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    percentile(&sorted, 99)
}

async fn read_while(what: &str, fail: impl FnOnce(&mut Redis), mend: impl FnOnce(&mut Redis)) {
    let mut redis = Redis::start();
    let server = Backends::new().with_redis(&redis).instance().await;
    let (mut live, mut ended) = (Vec::new(), Vec::new());
    for number in 0..4 {
        let name = format!("user{number}");
        live.push(server.signed_up(&name, &format!("{name}@example.com")).await);
        let name = format!("gone{number}");
        let session = server.signed_up(&name, &format!("{name}@example.com")).await;
        session.me().await.is(200);
        session.log_out_without_body().await.is(200);
        ended.push(session);
    }
    let quiet = reads(&live, &ended, Duration::from_secs(2)).await;
    fail(&mut redis);
    let first = reads(&live, &ended, Duration::from_secs(1)).await;
    let later = reads(&live, &ended, Duration::from_secs(5)).await;
    mend(&mut redis);
    let back = Instant::now();
    shows(&server, "redis", "healthy").await;
    println!(
        "Redis {what}: of {} reads all went well; 99 % within {:?} before, {:?} in the first \
         second, {:?} later; none of {} ended sessions was let in; used again after {:?}",
        first.len() + later.len(),
        ninety_nine(&quiet),
        ninety_nine(&first),
        ninety_nine(&later),
        first.len() + later.len(),
        back.elapsed(),
    );
    // A read costs a statement more. A machine that is busy is slow by itself.
    let bound = ninety_nine(&quiet) * 5 + Duration::from_millis(50);
    assert!(ninety_nine(&later) < bound, "{:?} > {bound:?}", ninety_nine(&later));
    assert!(first.iter().max() < Some(&Duration::from_secs(2)), "{:?}", first.iter().max());
    reads(&live, &ended, Duration::from_millis(200)).await;
}

#[tokio::test]
async fn r_22_who_is_in_stays_in_and_who_is_out_stays_out_while_redis_is_killed() {
    read_while("killed", Redis::stop, Redis::start_again).await;
}

#[tokio::test]
async fn r_23_who_is_in_stays_in_and_who_is_out_stays_out_while_redis_is_frozen() {
    read_while("frozen", |redis| redis.hang(true), |redis| redis.hang(false)).await;
}

/// Everything goes on, and what is strict stays strict.
async fn does_not_matter(server: &Server) {
    goes_on(server).await;
    limits_in_process(server).await;
}

#[tokio::test]
async fn r_25_a_redis_that_is_full_does_not_matter() {
    let redis = Redis::start();
    let server = with_john(&redis).await;
    assert_eq!(redis.command(&["config", "set", "maxmemory", "1"]).trim(), "OK");
    does_not_matter(&server).await;
    assert_eq!(redis.command(&["config", "set", "maxmemory", "0"]).trim(), "OK");
    shows(&server, "redis", "healthy").await;
}

#[tokio::test]
async fn r_25_a_redis_that_forgets_at_any_time_lets_nobody_back_in() {
    let redis = Redis::start();
    let server = with_john(&redis).await;
    let evict = ["config", "set", "maxmemory-policy", "allkeys-random"];
    assert_eq!(redis.command(&evict).trim(), "OK");
    let flood = "for i = 1, 2000 do redis.call('SET', 'flood' .. i, string.rep('x', 500)) end";
    assert_eq!(redis.command(&["config", "set", "maxmemory", "2mb"]).trim(), "OK");
    for _ in 0..3 {
        let _ = redis.command(&["eval", flood, "0"]);
        goes_on(&server).await;
    }
    let evicted = redis.command(&["info", "stats"]);
    assert!(!evicted.contains("evicted_keys:0\r"), "the test proves nothing: {evicted}");
}

#[tokio::test]
async fn r_25_a_redis_that_became_a_replica_does_not_matter() {
    let redis = Redis::start();
    let server = with_john(&redis).await;
    assert_eq!(redis.command(&["replicaof", "127.0.0.1", "9"]).trim(), "OK");
    does_not_matter(&server).await;
    assert_eq!(redis.command(&["replicaof", "no", "one"]).trim(), "OK");
    shows(&server, "redis", "healthy").await;
}

#[tokio::test]
async fn r_25_a_redis_whose_password_changed_does_not_matter() {
    let redis = Redis::start();
    let server = with_john(&redis).await;
    assert_eq!(redis.command(&["config", "set", "requirepass", "other"]).trim(), "OK");
    let kill = ["-a", "other", "--no-auth-warning", "client", "kill", "type", "normal"];
    let _ = redis.command(&kill);
    does_not_matter(&server).await;
    shows(&server, "redis", "degraded").await;
    let empty = ["-a", "other", "--no-auth-warning", "config", "set", "requirepass", ""];
    assert_eq!(redis.command(&empty).trim(), "OK");
    shows(&server, "redis", "healthy").await;
}

#[tokio::test]
async fn r_25_a_redis_that_is_loading_its_data_does_not_matter() {
    // A key takes it a tenth of a second, and after each it looks who is there.
    let slow = [
        ["--dbfilename", "much.rdb"],
        ["--rdbcompression", "no"],
        ["--key-load-delay", "100000"],
        ["--loading-process-events-interval-bytes", "1024"],
    ];
    let mut redis = Redis::start_with(slow.as_flattened());
    let server = with_john(&redis).await;
    let fill =
        "for i = 1, 120 do redis.call('SET', 'key' .. i, string.rep('x', 2000)) end return 'OK'";
    assert_eq!(redis.command(&["eval", fill, "0"]).trim(), "OK");
    assert_eq!(redis.command(&["save"]).trim(), "OK");
    redis.start_again();
    let loading = redis.command(&["info", "persistence"]);
    assert!(loading.contains("loading:1"), "the test proves nothing: {loading}");
    does_not_matter(&server).await;
}

#[tokio::test]
async fn r_25_a_redis_that_is_slow_does_not_matter() {
    let redis = Redis::start();
    let way = FaultProxy::to_port(redis.port());
    let settings = Backends::new().with("REDIS_URL", &way.url(&redis.url()));
    let server = settings.with("RATE_LIMIT_ENABLED", "true").instance().await;
    server.signed_up("johndoe", "john@example.com").await.is_alive().await;
    way.set(Fault::slow(Duration::from_millis(400)));
    does_not_matter(&server).await;
    way.set(Fault::None);
    shows(&server, "redis", "healthy").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_27_a_redis_that_comes_and_goes_leaves_nothing_behind() {
    let redis = Redis::start();
    let way = FaultProxy::to_port(redis.port());
    let backends = Backends::on(&Postgres::shared().empty_database());
    let server = backends.with("REDIS_URL", &way.url(&redis.url())).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let faults = [Fault::Refuse, Fault::Cut { after: 0 }, Fault::Hang, Fault::Cut { after: 200 }];
    let mut base = None;
    for round in 0..48 {
        if round == 8 {
            base = Some((
                server.open_descriptors(),
                server.resident_kib(),
                way.accepted_connections(),
            ));
        }
        way.set(faults[round % faults.len()]);
        for _ in 0..5 {
            john.me().await.is(200);
        }
        way.set(Fault::None);
        for _ in 0..5 {
            john.me().await.is(200);
        }
        // Its return is noticed within half a second; then it goes again.
        tokio::time::sleep(Duration::from_millis(u64::try_from(round).unwrap() % 3 * 200)).await;
    }
    shows(&server, "redis", "healthy").await;
    let (files, kib, accepted) = base.unwrap();
    let connected = way.accepted_connections() - accepted;
    println!(
        "40 flaps: {connected} connections; files {files} -> {}; memory {kib} -> {} KiB",
        server.open_descriptors(),
        server.resident_kib()
    );
    assert!(connected <= 200, "{connected} connections in 40 flaps");
    assert!(server.resident_kib() < kib + 16 * 1024, "{kib} -> {} KiB", server.resident_kib());
    eventually("no connection is left behind", Duration::from_secs(10), async || {
        (way.open_connections() <= 16 && server.open_descriptors() <= files + 16).then_some(())
    })
    .await;
}
