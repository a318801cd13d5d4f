//! Redis is away, or hangs.

use std::time::Instant;

use portcullis_testkit::Redis;
use portcullis_tests::{PASSWORD, Server, problem};
use serde_json::json;

use super::{PATIENCE, RECOVERY, checks, shows};
use crate::backends::Backends;

/// Everything that a user does, each request within its time.
pub(super) async fn goes_on(server: &Server) {
    let slowest = Instant::now();
    let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    assert!(slowest.elapsed() < PATIENCE, "a login took {:?}", slowest.elapsed());
    let session = server.anonymous().with_tokens_of(&answer);
    let other = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    let other = server.anonymous().with_tokens_of(&other);
    for _ in 0..3 {
        let started = Instant::now();
        session.is_alive().await;
        assert!(started.elapsed() < PATIENCE, "reading took {:?}", started.elapsed());
    }
    let started = Instant::now();
    session.log_out().await.is(204);
    println!("a logout without Redis took {:?}", started.elapsed());
    assert!(started.elapsed() < PATIENCE, "a logout took {:?}", started.elapsed());
    session.is_over().await;
    other.is_alive().await;
}

/// The strict tier limits in process; the others let requests through.
pub(super) async fn limits_in_process(server: &Server) {
    let ask = async || {
        let path = "/api/v1/auth/password-reset/confirm";
        server.anonymous().post(path, &json!({})).await
    };
    let mut passed = 0;
    let refused = loop {
        let answer = ask().await;
        if answer.status == 429 {
            break answer;
        }
        answer.is(422);
        passed += 1;
        assert!(passed <= 10, "the strict limit does not hold without Redis");
    };
    refused.is_problem(problem::TOO_MANY);
}

#[tokio::test]
async fn without_redis_everything_goes_on_and_what_is_strict_stays_strict() {
    let mut redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let server = limited.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    john.is_alive().await;
    redis.stop();
    shows(&server, "redis", "degraded").await;
    let health = server.anonymous().get("/health").await.expect(200);
    assert_eq!(health.str("/status"), "healthy");
    goes_on(&server).await;
    limits_in_process(&server).await;

    redis.start_again();
    let back = Instant::now();
    shows(&server, "redis", "healthy").await;
    println!("Redis is used again {:?} after it is back", back.elapsed());
    assert!(back.elapsed() < RECOVERY, "after {:?}", back.elapsed());
    john.log_out_without_body().await.is(200);
    john.is_over().await;
}

/// The other tiers would have refused after fifty.
#[tokio::test]
async fn rl_11_without_redis_a_hundred_reads_pass_and_of_30_logins_ten() {
    let mut redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let limited = limited.with("RATE_LIMIT_DEFAULT", "50").with("RATE_LIMIT_USER", "50");
    let server = limited.with("LOCKOUT_THRESHOLD", "50").instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    redis.stop();
    shows(&server, "redis", "degraded").await;
    for _ in 0..100 {
        john.me().await.is(200);
    }
    for number in 0..30 {
        let answer = server.anonymous().log_in("nobody@example.com", PASSWORD).await;
        answer.is_problem(if number < 10 { problem::BAD_LOGIN } else { problem::TOO_MANY });
    }
}

/// What was shown out while Redis was away stays out when it is back.
#[tokio::test]
async fn a_logout_while_redis_is_away_holds_on_both_instances_also_when_it_is_back() {
    let mut redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let elsewhere = john.at(&there);
    elsewhere.me().await.is(200);
    john.me().await.is(200);
    redis.stop();
    elsewhere.me().await.is(200);
    john.log_out().await.is(204);
    elsewhere.is_over().await;
    redis.start_again();
    elsewhere.is_over().await;
    shows(&there, "redis", "healthy").await;
    elsewhere.is_over().await;
}

/// The instance that logs out cannot reach Redis, the other one can: the worst
/// case, in which the logout waits until no cache knows the session any more.
#[tokio::test]
async fn a_logout_by_an_instance_cut_off_from_redis_is_seen_by_one_that_is_not() {
    let (near, far) = (Redis::start(), Redis::start());
    let backends = Backends::new();
    let there = backends.clone().with_redis(&near).instance().await;
    // Its own way to Redis is gone after the start.
    let here = backends.with_redis(&far).instance().await;
    drop(far);
    for _ in 0..2 {
        let answer = there.anonymous().sign_up("johndoe", "john@example.com").await;
        let answer = if answer.status == 201 {
            answer
        } else {
            there.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200)
        };
        let elsewhere = there.anonymous().with_tokens_of(&answer);
        elsewhere.me().await.is(200);
        elsewhere.me().await.is(200);
        let started = Instant::now();
        elsewhere.at(&here).log_out().await.is(204);
        elsewhere.is_over().await;
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_redis_that_hangs_holds_nobody_up_for_long() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let server = limited.instance().await;
    server.signed_up("johndoe", "john@example.com").await.is_alive().await;
    redis.hang(true);
    goes_on(&server).await;
    let started = Instant::now();
    assert_eq!(checks(&server).await["redis"], "degraded");
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
    limits_in_process(&server).await;
    redis.hang(false);
    shows(&server, "redis", "healthy").await;
}
