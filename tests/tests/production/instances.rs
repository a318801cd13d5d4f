//! Two instances behave as one.

use portcullis_testkit::Redis;
use portcullis_tests::{
    Anonymous, Answer, LoggedIn, NAME, PASSWORD, Server, at_once, eventually, problem,
};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

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
    logout_is_seen_by_the_other(Backends::new().with_redis(&redis)).await;
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
    let (here, there) = Backends::new().with_redis(&redis).two().await;
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
    let (here, there) = Backends::new().with_redis(&redis).two().await;
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
async fn a_new_name_is_seen_by_the_others_next_request() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).two().await;
    let ann = here.logged_in("ann@example.com").await;
    let elsewhere = ann.at(&there);
    assert_eq!(elsewhere.me().await.expect(200).str("/name"), NAME);
    for number in 0..ROUNDS {
        let name = format!("Ann {number}");
        ann.patch_me(&json!({"name": name})).await.is(200);
        assert_eq!(elsewhere.me().await.expect(200).str("/name"), name);
    }
}

/// Every second one of them speaks to the other instance.
fn in_turn(here: &Server, there: &Server, number: usize) -> Anonymous {
    if number.is_multiple_of(2) { here.anonymous() } else { there.anonymous() }
}

#[tokio::test]
async fn the_limit_per_address_is_one_for_both() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let (here, there) = limited.two().await;
    let answers = at_once(40, |number| {
        let caller = in_turn(&here, &there, number);
        async move { caller.post("/api/v1/auth/password-reset/confirm", &json!({})).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 422).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 422) {
        refused.is_problem(problem::TOO_MANY);
    }
}

#[tokio::test]
async fn the_limit_per_user_is_one_for_both() {
    let redis = Redis::start();
    let limited = Backends::new().with_redis(&redis).with("RATE_LIMIT_ENABLED", "true");
    let (here, there) = limited.with("RATE_LIMIT_USER", "6").two().await;
    let john = here.signed_up("johndoe", "john@example.com").await;
    let elsewhere = john.at(&there);
    let answers = at_once(20, |number| {
        let session = if number % 2 == 0 { john.clone() } else { elsewhere.clone() };
        async move { session.me().await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 6);
}

#[tokio::test]
async fn guesses_on_both_get_no_extra_try_also_without_redis() {
    let (here, there) = Backends::new().two().await;
    here.signed_up("johndoe", "john@example.com").await;
    let answers = at_once(48, |number| {
        let caller = in_turn(&here, &there, number);
        async move { caller.log_in_by_form("johndoe", "wrong password").await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 401) {
        refused.is_problem(problem::LOCKED);
    }
    for instance in [&here, &there] {
        let answer = instance.anonymous().log_in_by_form("johndoe", PASSWORD).await;
        answer.is_problem(problem::LOCKED);
    }
}

async fn one_successor(backends: Backends) {
    let (here, there) = backends.two().await;
    let first = here.logged_in("ann@example.com").await;
    let answers = at_once(64, |number| {
        let (caller, token) = (in_turn(&here, &there, number), first.refresh.clone());
        async move { caller.refresh(&token).await }
    })
    .await;
    assert_eq!(answers.len(), 64);
    for answer in &answers {
        answer.is(200);
        assert_eq!(answer.str("/refresh_token"), answers[0].str("/refresh_token"));
    }
    assert_ne!(answers[0].str("/refresh_token"), first.refresh);
    for instance in [&here, &there] {
        instance.anonymous().with_tokens_of(&answers[0]).is_alive().await;
    }
}

#[tokio::test]
async fn sixty_four_tabs_on_both_get_one_successor() {
    let redis = Redis::start();
    one_successor(Backends::new().with_redis(&redis)).await;
}

#[tokio::test]
async fn without_redis_sixty_four_tabs_on_both_get_one_successor() {
    one_successor(Backends::new()).await;
}

#[tokio::test]
async fn a_stolen_token_on_one_ends_the_session_on_the_other() {
    let redis = Redis::start();
    let backends = Backends::new().with_redis(&redis).with("REFRESH_GRACE", "1s");
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

/// Uniqueness is the database's word, not an instance's.
#[tokio::test]
async fn of_24_who_want_a_username_on_both_one_gets_it() {
    let (here, there) = Backends::new().two().await;
    let answers: Vec<Answer> = at_once(24, |number| {
        let caller = in_turn(&here, &there, number);
        async move { caller.sign_up("johndoe", &format!("john{number}@example.com")).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::SIGN_UP_FAILED);
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
    let request = there.anonymous().request(Method::POST, "/api/v1/auth/refresh");
    let answer = Answer::to(request.json(&json!({"refresh_token": john.refresh}))).await;
    answer.is_problem(problem::BAD_REFRESH);
    john.is_alive().await;
}
