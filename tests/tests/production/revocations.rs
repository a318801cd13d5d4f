//! An end that was answered stays one, whatever becomes of Redis; one that
//! could not be stored is not answered as if it had been.

use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis};
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, eventually, problem};
use serde_json::json;

use crate::backends::Backends;

/// How long a request may take at most, whatever is away.
const PATIENCE: Duration = Duration::from_secs(4);

#[tokio::test]
async fn lo_05_a_logout_that_could_not_be_stored_is_not_called_done() {
    let (mut postgres, redis) = (Postgres::start(&[]), Redis::start());
    let backends = Backends::on(&postgres.empty_database()).with_redis(&redis).counting();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    // Known to the cache, so that it is the end itself that fails.
    john.me().await.is(200);
    postgres.stop();
    let away = Instant::now();
    for answer in [john.log_out().await, john.log_out_without_body().await] {
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
        assert!(answer.number("retry-after") >= 1, "{answer:?}");
    }
    println!("two logouts without a database took {:?}", away.elapsed());
    postgres.start_again();
    eventually("the recovery", Duration::from_secs(10), async || {
        (john.me().await.status == 200).then_some(())
    })
    .await;
    john.is_alive().await;
    john.log_out().await.is(204);
    john.is_over().await;
}

async fn log_in(server: &Server) -> LoggedIn {
    let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    server.anonymous().with_tokens_of(&answer)
}

/// Everybody who was shown out stays out, on both, and everybody else in.
async fn holds(ended: &LoggedIn, live: &LoggedIn, instances: [&Server; 2]) {
    for instance in instances {
        ended.at(instance).is_over().await;
        live.at(instance).is_alive().await;
    }
}

#[tokio::test]
async fn lo_06_r_24_what_redis_loses_brings_nobody_back() {
    let mut redis = Redis::start();
    let backends = Backends::new().with_redis(&redis).counting();
    let (here, there) = backends.two().await;
    let ended = here.signed_up("johndoe", "john@example.com").await;
    let live = log_in(&here).await;
    ended.at(&there).me().await.is(200);
    ended.log_out().await.is(204);
    holds(&ended, &live, [&here, &there]).await;
    assert_eq!(redis.command(&["flushall"]).trim(), "OK");
    holds(&ended, &live, [&here, &there]).await;
    let another = log_in(&there).await;
    another.me().await.is(200);
    redis.stop();
    holds(&ended, &live, [&here, &there]).await;
    another.log_out().await.is(204);
    holds(&another, &live, [&here, &there]).await;
    redis.start_again();
    for _ in 0..20 {
        holds(&ended, &live, [&here, &there]).await;
        holds(&another, &live, [&here, &there]).await;
    }
}

#[tokio::test]
async fn r_24_limits_that_redis_forgets_begin_again_once() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let (here, there) = limited.two().await;
    let ask = async |server: &Server| {
        let path = "/api/v1/auth/password-reset/confirm";
        server.anonymous().post(path, &json!({})).await
    };
    for _ in 0..2 {
        for number in 0..10 {
            ask(if number % 2 == 0 { &here } else { &there }).await.is(422);
        }
        for server in [&here, &there] {
            ask(server).await.is_problem(problem::TOO_MANY);
        }
        assert_eq!(redis.command(&["flushall"]).trim(), "OK");
    }
}

/// Two limits and the caller in one call, once token and session are known.
#[tokio::test]
async fn a_read_asks_redis_once() {
    let redis = Redis::start();
    let server = Backends::new().with_redis(&redis).counting().instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let calls = || {
        let said = redis.command(&["info", "commandstats"]);
        let calls = said.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        calls.and_then(|line| line.split(',').next()?.parse::<u32>().ok()).unwrap_or(0)
    };
    // Within two seconds of the last look-up a caller is known.
    let mut asked = Vec::new();
    for _ in 0..10 {
        john.me().await.is(200);
        let before = calls();
        john.me().await.is(200);
        asked.push(calls() - before);
    }
    asked.sort_unstable();
    assert_eq!(asked[asked.len() / 2], 1, "{asked:?}");
}

#[tokio::test]
async fn lo_07_a_redis_that_is_full_or_evicts_neither_revives_anybody_nor_holds_a_logout_up() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).counting().two().await;
    let live = here.signed_up("johndoe", "john@example.com").await;
    for policy in ["noeviction", "allkeys-random", "volatile-ttl"] {
        for memory in ["1", "2mb"] {
            let session = log_in(&here).await;
            session.at(&there).me().await.is(200);
            session.me().await.is(200);
            for (name, value) in [("maxmemory-policy", policy), ("maxmemory", memory)] {
                assert_eq!(redis.command(&["config", "set", name, value]).trim(), "OK");
            }
            session.at(&there).me().await.is(200);
            let started = Instant::now();
            session.log_out().await.is(204);
            assert!(started.elapsed() < PATIENCE, "{policy} {memory}: {:?}", started.elapsed());
            holds(&session, &live, [&here, &there]).await;
            let full_from_the_start = log_in(&there).await;
            full_from_the_start.me().await.is(200);
            full_from_the_start.at(&here).log_out_without_body().await.is(200);
            holds(&full_from_the_start, &live, [&here, &there]).await;
            assert_eq!(redis.command(&["config", "set", "maxmemory", "0"]).trim(), "OK");
        }
    }
}

const LIVES: &str = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
    all[#all + 1] = key .. ' ' .. redis.call('PTTL', key) end return all";

/// There is no list of ended sessions in Redis that could grow: what is there
/// goes by itself, a caller after one lease.
#[tokio::test]
async fn lo_08_nothing_in_redis_outlives_its_use() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let server = limited.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let other = log_in(&server).await;
    john.is_alive().await;
    other.log_out().await.is(204);
    other.is_over().await;
    john.me().await.is(200);
    let told = redis.command(&["eval", LIVES, "0"]);
    let mut kinds = std::collections::BTreeSet::new();
    for line in told.lines().filter(|line| !line.trim().is_empty()) {
        let (key, life) = line.rsplit_once(' ').unwrap();
        let life: i64 = life.trim().parse().unwrap();
        let (kind, longest) = match key {
            key if key.contains(":caller:") => ("caller", 2_000),
            key if key.contains(":version:") => ("version", 3_600_000),
            _ => ("limit", 61_000),
        };
        assert!(life > 0 && life <= longest, "{key} lives for {life} ms");
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 3, "{told}");
    let ended = portcullis_tests::claims(&other.access)["sid"].as_str().unwrap().to_owned();
    eventually("the end of the lease", Duration::from_secs(5), async || {
        (!redis.command(&["keys", "*"]).contains(&ended)).then_some(())
    })
    .await;
}

/// Whatever stands where a caller or a version should is an error, not a pass.
#[tokio::test]
async fn lo_11_other_types_in_redis_let_nobody_in_and_shut_nobody_out() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).counting().two().await;
    let live = here.signed_up("johndoe", "john@example.com").await;
    let ended = log_in(&here).await;
    for session in [&live, &ended] {
        session.me().await.is(200);
        session.at(&there).me().await.is(200);
    }
    let keys = redis.command(&["keys", "portcullis:*"]);
    assert!(keys.contains(":caller:") && keys.contains(":version:"), "{keys}");
    ended.log_out().await.is(204);
    for wrong in [
        ["rpush", "list"].as_slice(),
        ["sadd", "member"].as_slice(),
        ["hset", "field", "value"].as_slice(),
        ["set", "no such value"].as_slice(),
        ["set", ""].as_slice(),
    ] {
        for key in keys.lines().map(str::trim).filter(|key| !key.is_empty()) {
            let _: String = redis.command(&["del", key]);
            let mut command = vec![wrong[0], key];
            command.extend(&wrong[1..]);
            let _: String = redis.command(&command);
        }
        holds(&ended, &live, [&here, &there]).await;
        let another = log_in(&there).await;
        another.at(&here).me().await.is(200);
        let answer: Answer = another.log_out().await;
        answer.is(204);
        holds(&another, &live, [&here, &there]).await;
    }
}
