//! What ends or changes on one is seen by the other's next request.

use std::time::Duration;

use portcullis_testkit::Redis;
use portcullis_tests::{LoggedIn, NAME, PASSWORD, Server, at_once, eventually, problem};
use serde_json::json;

use crate::backends::Backends;

/// Often enough for a cache to know the session at some point of its lease.
const ROUNDS: usize = 24;

/// Logs in on one instance and uses the session on the other, so that a cache
/// knows it.
async fn known_to_both(here: &Server, there: &Server) -> (LoggedIn, LoggedIn) {
    let answer = here.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
    let session = here.anonymous().with_tokens_of(&answer);
    let elsewhere = session.at(there);
    for _ in 0..2 {
        elsewhere.me().await.is(200);
        session.me().await.is(200);
    }
    (session, elsewhere)
}

async fn logout_is_seen_by_the_other(backends: Backends) {
    let (here, there) = backends.two().await;
    here.signed_up("johndoe", "john@example.com").await;
    for round in 0..ROUNDS {
        let (here, there) = if round % 2 == 0 { (&here, &there) } else { (&there, &here) };
        let (session, elsewhere) = known_to_both(here, there).await;
        session.log_out().await.is(204);
        elsewhere.is_over().await;
        session.is_over().await;
    }
}

#[tokio::test]
async fn a_logout_on_one_is_seen_by_the_others_next_request() {
    let redis = Redis::start();
    logout_is_seen_by_the_other(Backends::new().with_redis(&redis).counting()).await;
    let kept = redis.command(&["keys", "portcullis:*:caller:*"]);
    assert!(kept.contains(":caller:"), "no cache was in play: {kept:?}");
}

#[tokio::test]
async fn without_redis_a_logout_on_one_is_seen_by_the_others_next_request() {
    logout_is_seen_by_the_other(Backends::new()).await;
}

/// Nobody who keeps asking on the other instance gets in after the answer.
#[tokio::test]
async fn no_request_on_the_other_that_was_sent_after_the_logout_passes() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).counting().two().await;
    here.signed_up("johndoe", "john@example.com").await;
    for _ in 0..ROUNDS {
        let (session, elsewhere) = known_to_both(&here, &there).await;
        let hammering = tokio::spawn({
            let elsewhere = elsewhere.clone();
            async move { while elsewhere.me().await.status == 200 {} }
        });
        elsewhere.me().await.is(200);
        session.log_out().await.is(204);
        let after = at_once(4, |_| {
            let elsewhere = elsewhere.clone();
            async move { elsewhere.me().await }
        })
        .await;
        for answer in after {
            answer.is_unauthorized();
        }
        hammering.await.unwrap();
    }
}

#[tokio::test]
async fn a_reset_on_one_ends_the_sessions_on_the_other() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).counting().two().await;
    // One address gets five mails of a kind an hour.
    for number in 0..5 {
        let email = format!("ann{number}@example.com");
        let first = here.logged_in(&email).await;
        let token = here.reset_token(&email).await;
        let elsewhere = first.at(&there);
        elsewhere.me().await.is(200);
        first.me().await.is(200);
        elsewhere.me().await.is(200);
        here.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
        elsewhere.is_over().await;
        first.is_over().await;
    }
}

#[tokio::test]
async fn a_stolen_token_on_one_ends_the_session_on_the_other() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis).counting().with("REFRESH_GRACE", "1s");
    let (here, there) = backends.two().await;
    let first = here.logged_in("ann@example.com").await;
    let second = first.refreshed().await.at(&there);
    second.me().await.is(200);
    eventually("the end of the grace", Duration::from_secs(10), async || {
        let answer = first.anonymous().refresh(&first.refresh).await;
        (answer.status == 401).then_some(())
    })
    .await;
    second.is_over().await;
}

#[tokio::test]
async fn a_new_name_is_seen_by_the_others_next_request() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).counting().two().await;
    let ann = here.logged_in("ann@example.com").await;
    let elsewhere = ann.at(&there);
    assert_eq!(elsewhere.me().await.expect(200).str("/name"), NAME);
    for number in 0..ROUNDS {
        let name = format!("Ann {number}");
        ann.patch_me(&json!({"name": name})).await.is(200);
        assert_eq!(elsewhere.me().await.expect(200).str("/name"), name);
    }
}

#[tokio::test]
async fn instances_with_another_secret_share_no_session() {
    let backends = Backends::new();
    let here = backends.instance().await;
    let there =
        backends.with("SECRET_KEY", "another-secret-of-more-than-32-bytes").instance().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let elsewhere = john.at(&there);
    elsewhere.me().await.is_problem(problem::BAD_BEARER);
    there.anonymous().refresh(&john.refresh).await.is_problem(problem::BAD_REFRESH);
    john.is_alive().await;
}
