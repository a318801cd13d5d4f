//! Postgres is away.

use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis};
use portcullis_tests::{Anonymous, Answer, LoggedIn, PASSWORD, eventually};
use serde_json::json;

use super::RECOVERY;
use crate::backends::Backends;

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
    // What was found is told again for up to a second.
    let health = eventually("unhealthy", Duration::from_secs(5), async || {
        let health = anonymous.get("/health").await;
        (health.status == 503).then_some(health)
    })
    .await;
    anonymous.get("/health/ready").await.is(503);
    anonymous.get("/health/live").await.is(200);
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
    eventually("healthy", RECOVERY, async || {
        (anonymous.get("/health").await.status == 200).then_some(())
    })
    .await;
    john.is_alive().await;
    anonymous.log_in_by_form("johndoe", PASSWORD).await.is(200);
    assert!(back.elapsed() < RECOVERY, "all works after {:?}", back.elapsed());
    // The outbox too.
    server.registered("later@example.com").await;
}

#[tokio::test]
async fn op_10_without_the_database_the_answer_is_503_until_it_is_back() {
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
    let stopping = std::thread::spawn(move || postgres.stop());
    for task in hammering {
        task.await.unwrap().is_refused(503, "SERVICE_UNAVAILABLE");
    }
    stopping.join().unwrap();
}
