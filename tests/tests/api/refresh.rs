//! Refreshing: contract A's tokens rotate, contract B's stay.

use std::time::{Duration, Instant};

use portcullis_tests::{Answer, LoggedIn, Server, at_once, claims, eventually, problem};
use serde_json::json;

const REFRESH: &str = "/api/v1/auth/refresh";
const SIGNED_OUT: &str = "You were signed out for your safety";

fn is_token_answer(answer: &Answer, expires_in: u32) {
    answer.is(200);
    answer.has_exactly(&["access_token", "refresh_token", "token_type", "expires_in"]);
    assert_eq!(answer.str("/token_type"), "bearer");
    assert_eq!(answer.body["expires_in"], expires_in);
}

/// Presents a rotated token until its grace is over and it is refused.
async fn reused(first: &LoggedIn) -> Answer {
    eventually("the end of the grace", Duration::from_secs(10), async || {
        let answer = first.anonymous().refresh(&first.refresh).await;
        (answer.status != 200).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn rf_01_a_refresh_replaces_the_refresh_token() {
    let server = Server::start().await;
    let first = server.logged_in("ann@example.com").await;
    let answer = server.anonymous().refresh(&first.refresh).await;
    is_token_answer(&answer, 1800);
    assert_ne!(answer.str("/refresh_token"), first.refresh);
    let second = server.anonymous().with_tokens_of(&answer);
    second.is_alive().await;
    assert_eq!(claims(&second.access)["sid"], claims(&first.access)["sid"]);
    assert_ne!(claims(&second.access)["jti"], claims(&first.access)["jti"]);
}

#[tokio::test]
async fn rf_05_a_replay_within_the_grace_gets_the_same_successor() {
    let server = Server::start().await;
    let first = server.logged_in("ann@example.com").await;
    let second = first.refreshed().await;
    let replayed = first.refreshed().await;
    assert_eq!(replayed.refresh, second.refresh);
    replayed.is_alive().await;
}

#[tokio::test]
async fn rf_03_rf_04_sixty_four_tabs_get_one_successor() {
    let server = Server::start().await;
    let first = server.logged_in("ann@example.com").await;
    let answers = at_once(64, |_| {
        let first = first.clone();
        async move { first.anonymous().refresh(&first.refresh).await }
    })
    .await;
    for answer in &answers {
        is_token_answer(answer, 1800);
        assert_eq!(answer.str("/refresh_token"), answers[0].str("/refresh_token"));
    }
    assert_ne!(answers[0].str("/refresh_token"), first.refresh);
}

#[tokio::test]
async fn rf_01_rf_02_a_used_refresh_token_ends_the_session() {
    let server = Server::start_with(&[("REFRESH_GRACE", "1s")]).await;
    let first = server.logged_in("ann@example.com").await;
    let other = server.logged_in_again("ann@example.com").await;
    let second = first.refreshed().await;
    reused(&first).await.is_problem(problem::BAD_REFRESH);
    second.is_over().await;
    first.is_over().await;
    other.is_alive().await;
    server.mailbox().mail("ann@example.com", SIGNED_OUT).await;
}

#[tokio::test]
async fn reuse_is_told_once_however_often_it_happens() {
    let server = Server::start_with(&[("REFRESH_GRACE", "1s")]).await;
    let first = server.logged_in("ann@example.com").await;
    first.refreshed().await;
    for _ in 0..5 {
        reused(&first).await.is_problem(problem::BAD_REFRESH);
    }
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().count("ann@example.com", SIGNED_OUT).await, 1);
}

#[tokio::test]
async fn rf_08_rf_09_near_misses_are_refused_and_end_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let good = &ann.refresh;
    for miss in [
        good[1..].to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        format!("{good}="),
        format!(" {good}"),
        good.to_lowercase(),
        ann.access.clone(),
        "' OR '1'='1".to_owned(),
    ] {
        let answer = server.anonymous().refresh(&miss).await;
        answer.is_problem(problem::BAD_REFRESH);
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn rf_08_a_refresh_token_bears_nobody() {
    let server = Server::start().await;
    let mut ann = server.logged_in("ann@example.com").await;
    ann.access = ann.refresh.clone();
    ann.me().await.is_problem(problem::BAD_BEARER);
}

#[tokio::test]
async fn refreshing_needs_a_token_of_the_right_type() {
    let server = Server::start().await;
    server.anonymous().post(REFRESH, &json!({})).await.is_missing(&["refresh_token"]);
    for wrong in [json!(5), json!(null), json!(["x"])] {
        let answer = server.anonymous().post(REFRESH, &json!({"refresh_token": wrong})).await;
        answer.is_invalid(&["refresh_token"]);
    }
}

#[tokio::test]
async fn contract_b_keeps_its_refresh_token() {
    let server = Server::start().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    for _ in 0..3 {
        let answer = server.anonymous().refresh(&john.refresh).await;
        is_token_answer(&answer, 3600);
        assert_eq!(answer.str("/refresh_token"), john.refresh);
        server.anonymous().with_tokens_of(&answer).me().await.is(200);
    }
}

#[tokio::test]
async fn contract_b_rotates_if_it_is_told_to() {
    let server = Server::start_with(&[("FORM_REFRESH_ROTATION", "true")]).await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let answer = server.anonymous().refresh(&john.refresh).await;
    is_token_answer(&answer, 3600);
    assert_ne!(answer.str("/refresh_token"), john.refresh);
}

#[tokio::test]
async fn rf_06_a_session_ends_in_time_however_often_it_is_refreshed() {
    let server = Server::start_with(&[("REFRESH_TOKEN_TTL", "2s")]).await;
    server.verified("ann@example.com").await;
    let started = Instant::now();
    let mut ann = server.logged_in_again("ann@example.com").await;
    let refused = loop {
        let answer = ann.anonymous().refresh(&ann.refresh).await;
        if answer.status != 200 {
            break answer;
        }
        ann = ann.anonymous().with_tokens_of(&answer);
        assert!(started.elapsed() < Duration::from_secs(10), "refreshing extends the session");
    };
    assert!(started.elapsed() >= Duration::from_millis(1900), "the session ended early");
    refused.is_problem(problem::BAD_REFRESH);
    ann.me().await.is_unauthorized();
}
