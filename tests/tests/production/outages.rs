//! A backend is away while the server serves, and comes back.

use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis, SmtpSink};
use portcullis_tests::{Anonymous, Answer, LoggedIn, PASSWORD, Server, eventually, problem};
use reqwest::Method;
use serde_json::{Value, json};

use crate::backends::Backends;
use crate::letterbox::{Letterbox, VERIFICATION};

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

/// Every request that cannot do without the database.
async fn asked_of_the_database(anonymous: &Anonymous, john: &LoggedIn) -> Vec<(String, Answer)> {
    let email = json!({"email": "john@example.com"});
    let verify = "/api/v1/auth/verify-email/some-token";
    let reset = json!({"token": "some-token", "new_password": "NewSecurePass456!"});
    let mut answers = vec![
        ("register".to_owned(), anonymous.register("ann@example.com").await),
        ("signup".to_owned(), anonymous.sign_up("annlee", "ann@example.com").await),
        ("login".to_owned(), anonymous.log_in("john@example.com", PASSWORD).await),
        ("form login".to_owned(), anonymous.log_in_by_form("johndoe", PASSWORD).await),
        ("refresh".to_owned(), anonymous.refresh(&john.refresh).await),
        ("verify by link".to_owned(), anonymous.get(verify).await),
        ("verify".to_owned(), anonymous.verify("some-token").await),
        ("me".to_owned(), john.me().await),
        ("users/me".to_owned(), john.users_me().await),
        ("patch me".to_owned(), john.patch_me(&json!({"name": "Other"})).await),
        ("logout".to_owned(), john.log_out().await),
        ("logout without a body".to_owned(), john.log_out_without_body().await),
    ];
    for (path, body) in [
        ("verify-email/resend", &email),
        ("password-reset/request", &email),
        ("password-reset/confirm", &reset),
    ] {
        let answer = anonymous.post(&format!("/api/v1/auth/{path}"), body).await;
        answers.push((path.to_owned(), answer));
    }
    answers
}

async fn while_the_database_is_away(mut postgres: Postgres, backends: Backends) {
    let server = backends.instance().await;
    let anonymous = server.anonymous();
    let john = server.signed_up("johndoe", "john@example.com").await;
    john.is_alive().await;
    // What a cache knows, it may tell for two seconds more.
    postgres.stop();
    eventually("the end of what a cache knows", Duration::from_secs(5), async || {
        (john.me().await.status != 200).then_some(())
    })
    .await;
    for (request, answer) in asked_of_the_database(&anonymous, &john).await {
        assert_eq!(answer.status, 503, "{request}: {answer:?}");
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
        assert!(answer.number("retry-after") >= 1, "{request}: {answer:?}");
    }
    let health = anonymous.get("/health").await.expect(503);
    assert_eq!(health.str("/error"), "Database connection failed");
    assert_eq!(health.body["checks"]["database"], "unhealthy");
    // What needs no database goes on.
    anonymous.get("/openapi.json").await.is(200);

    postgres.start_again();
    let back = Instant::now();
    let answer = eventually("the recovery", RECOVERY, async || {
        let answer = john.me().await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(answer)
    })
    .await;
    println!("a read works again {:?} after Postgres is back", back.elapsed());
    answer.is(200);
    anonymous.get("/health").await.is(200);
    john.is_alive().await;
    anonymous.log_in_by_form("johndoe", PASSWORD).await.is(200);
    assert!(back.elapsed() < RECOVERY, "all works after {:?}", back.elapsed());
    // The outbox too.
    server.registered("later@example.com").await;
}

#[tokio::test]
async fn without_the_database_the_answer_is_503_until_it_is_back() {
    let postgres = Postgres::start(&[]);
    let backends = Backends::on(&postgres.empty_database());
    while_the_database_is_away(postgres, backends).await;
}

#[tokio::test]
async fn with_redis_too_the_answer_is_503_until_the_database_is_back() {
    let (postgres, redis) = (Postgres::start(&[]), Redis::start());
    let backends = Backends::on(&postgres.empty_database()).with_redis(&redis);
    while_the_database_is_away(postgres, backends).await;
}

/// Whoever waits for an answer while the database goes gets one.
#[tokio::test]
async fn requests_under_way_when_the_database_goes_are_answered() {
    let mut postgres = Postgres::start(&[]);
    let server = Backends::on(&postgres.empty_database()).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let hammering: Vec<_> = (0..8)
        .map(|_| {
            let john = john.clone();
            tokio::spawn(async move {
                loop {
                    let answer = john.me().await;
                    if answer.status != 200 {
                        return answer;
                    }
                }
            })
        })
        .collect();
    john.me().await.is(200);
    tokio::task::spawn_blocking(move || {
        postgres.stop();
        postgres
    })
    .await
    .unwrap();
    for task in hammering {
        task.await.unwrap().is_refused(503, "SERVICE_UNAVAILABLE");
    }
}

/// Everything that a user does, each request within its time.
async fn goes_on(server: &Server) {
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
async fn limits_in_process(server: &Server) {
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

#[tokio::test]
async fn mail_that_cannot_leave_changes_no_answer_and_arrives_later() {
    let sink = SmtpSink::start().await;
    let server = Backends::new().with_smtp(&sink.url()).instance().await;
    // Once with a provider, to compare.
    server.anonymous().register("first@example.com").await.is(201);
    sink.mail("first@example.com", VERIFICATION).await;
    sink.vanish().await;
    let started = Instant::now();
    server.anonymous().register("ann@example.com").await.is(201);
    let request = server.anonymous().request(Method::POST, "/api/v1/auth/password-reset/request");
    Answer::to(request.json(&json!({"email": "first@example.com"}))).await.is(200);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    shows(&server, "mail", "degraded").await;
    assert_eq!(server.anonymous().get("/health").await.expect(200).str("/status"), "healthy");
    sink.come_back().await;
    let token = sink.mail("ann@example.com", VERIFICATION).await.token();
    server.anonymous().verify(&token).await.is(200);
    shows(&server, "mail", "healthy").await;
}
