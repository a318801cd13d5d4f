//! Logging out, by both contracts.

use portcullis_tests::{Answer, Server, at_once, problem};
use reqwest::Method;
use serde_json::json;

const LOGOUT: &str = "/api/v1/auth/logout";

#[tokio::test]
async fn lo_01_contract_a_answers_with_nothing_and_both_tokens_are_dead() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let answer = ann.log_out().await.expect(204);
    assert_eq!(answer.text, "");
    ann.is_over().await;
}

#[tokio::test]
async fn lo_01_contract_b_says_when_and_both_tokens_are_dead() {
    let server = Server::start().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let answer = john.log_out_without_body().await.expect(200);
    answer.has_exactly(&["message", "revoked_at"]);
    assert_eq!(answer.str("/message"), "Successfully logged out");
    answer.is_instant_at("/revoked_at");
    john.is_over().await;
}

#[tokio::test]
async fn the_body_decides_which_contract_a_logout_follows() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    ann.log_out_without_body().await.is(200);
    ann.is_over().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    john.log_out().await.is(204);
    john.is_over().await;
}

#[tokio::test]
async fn lo_01_every_access_token_of_the_session_dies() {
    let server = Server::start().await;
    let first = server.logged_in("ann@example.com").await;
    let second = first.refreshed().await;
    second.log_out().await.is(204);
    first.is_over().await;
    second.is_over().await;
}

#[tokio::test]
async fn the_other_sessions_live_on() {
    let server = Server::start().await;
    let here = server.logged_in("ann@example.com").await;
    let there = server.logged_in_again("ann@example.com").await;
    here.log_out().await.is(204);
    there.is_alive().await;
}

#[tokio::test]
async fn lo_03_somebody_elses_refresh_token_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    ann.log_out_with(&bob.refresh).await.is_problem(problem::NOT_YOURS);
    ann.is_alive().await;
    bob.is_alive().await;
}

#[tokio::test]
async fn lo_04_a_made_up_refresh_token_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for made_up in ["made up", &ann.refresh[1..], &ann.access] {
        ann.log_out_with(made_up).await.is_problem(problem::NOT_YOURS);
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn lo_10_a_second_logout_is_refused() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    ann.log_out().await.is(204);
    ann.log_out().await.is_unauthorized();
    ann.log_out_without_body().await.is_unauthorized();
}

#[tokio::test]
async fn of_16_logouts_at_once_one_succeeds() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let answers = at_once(16, |_| {
        let ann = ann.clone();
        async move { ann.log_out().await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 204).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 15);
}

#[tokio::test]
async fn logging_out_needs_a_bearer() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let anonymous = server.anonymous();
    let with_body = anonymous.post(LOGOUT, &json!({"refresh_token": ann.refresh})).await;
    with_body.is_problem(problem::NO_FORM_BEARER);
    let without_body = Answer::to(anonymous.request(Method::POST, LOGOUT)).await;
    without_body.is_problem(problem::NO_FORM_BEARER);
    let made_up = anonymous.request(Method::POST, LOGOUT).bearer_auth("made up");
    Answer::to(made_up).await.is_problem(problem::BAD_BEARER);
    ann.is_alive().await;
}

#[tokio::test]
async fn lo_04_a_body_without_a_refresh_token_is_invalid_and_changes_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let logout = |body| Answer::to(ann.request(Method::POST, LOGOUT).json(&body));
    logout(json!({})).await.is_missing(&["refresh_token"]);
    logout(json!({"refresh_token": 5})).await.is_invalid(&["refresh_token"]);
    ann.is_alive().await;
}

#[tokio::test]
async fn who_bears_nothing_good_is_refused_before_the_fields_are_read() {
    let server = Server::start().await;
    let answer = server.anonymous().post(LOGOUT, &json!({"refresh_token": 5})).await;
    answer.is_problem(problem::NO_FORM_BEARER);
}

#[tokio::test]
async fn lo_02_no_request_sent_after_the_answer_passes() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    for _ in 0..20 {
        let ann = server.logged_in_again("ann@example.com").await;
        let hammering = tokio::spawn({
            let ann = ann.clone();
            async move { while ann.me().await.status == 200 {} }
        });
        ann.me().await.is(200);
        ann.log_out().await.is(204);
        let after = at_once(4, |_| {
            let ann = ann.clone();
            async move { ann.me().await }
        })
        .await;
        for answer in after {
            answer.is_unauthorized();
        }
        hammering.await.unwrap();
    }
}
