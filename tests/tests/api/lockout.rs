//! Too many wrong passwords.

use std::time::Duration;

use portcullis_tests::{Answer, PASSWORD, Server, at_once, eventually, problem};
use reqwest::Method;
use serde_json::json;

const WRONG: &str = "wrong password";
const SUBJECT: &str = "Your account is locked for a while";

async fn fail_ten_times(server: &Server, email: &str) {
    for _ in 0..10 {
        server.anonymous().log_in(email, WRONG).await.is_problem(problem::BAD_LOGIN);
    }
}

/// Insists on a lock that lasts at most an hour.
#[track_caller]
fn is_locked(answer: &Answer) {
    answer.is_problem(problem::LOCKED);
    assert!((1..=3600).contains(&answer.number("retry-after")), "{answer:?}");
}

#[tokio::test]
async fn lg_02_the_eleventh_try_is_locked_even_with_the_right_password() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    fail_ten_times(&server, "ann@example.com").await;
    is_locked(&server.anonymous().log_in("ann@example.com", WRONG).await);
    is_locked(&server.anonymous().log_in("ann@example.com", PASSWORD).await);
    server.mailbox().mail("ann@example.com", SUBJECT).await;
}

#[tokio::test]
async fn lg_03_an_unknown_address_is_locked_in_the_same_way_and_gets_no_mail() {
    let server = Server::start().await;
    fail_ten_times(&server, "nobody@example.com").await;
    is_locked(&server.anonymous().log_in("nobody@example.com", PASSWORD).await);
    server.registered("later@example.com").await;
    assert!(server.mailbox().all("nobody@example.com").await.is_empty());
}

#[tokio::test]
async fn somebody_elses_lock_locks_nobody() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    fail_ten_times(&server, "bob@example.com").await;
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn both_contracts_count_together() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let anonymous = server.anonymous();
    for _ in 0..5 {
        anonymous.log_in("ann@example.com", WRONG).await.is_problem(problem::BAD_LOGIN);
        let form = anonymous.log_in_by_form("ann@example.com", WRONG).await;
        form.is_problem(problem::BAD_FORM_LOGIN);
    }
    is_locked(&anonymous.log_in("ann@example.com", PASSWORD).await);
    is_locked(&anonymous.log_in_by_form("ann@example.com", PASSWORD).await);
}

#[tokio::test]
async fn lg_12_every_spelling_counts_as_one() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let spellings = [
        "ann@example.com",
        "ANN@example.com",
        " ann@example.com",
        "ann@EXAMPLE.com ",
        "Ann@Example.Com",
    ];
    for spelling in spellings {
        server.anonymous().log_in(spelling, WRONG).await.is_problem(problem::BAD_LOGIN);
    }
    // Neither fields that nobody asked for make it another one, nor a query.
    for number in 0..5 {
        let body = json!({
            "email": "ann@example.com", "password": WRONG, "x": number,
            "identifier": format!("other{number}"), "username": format!("other{number}"),
        });
        let path = format!("/api/v1/auth/login?email=other{number}@example.com");
        server.anonymous().post(&path, &body).await.is_problem(problem::BAD_LOGIN);
    }
    let twice = r#"{"email": "a@example.com", "email": "ann@example.com", "password": "x"}"#;
    let path = "/api/v1/auth/login";
    let answer = server.anonymous().post_bytes(path, "application/json", twice.into()).await;
    answer.is_malformed();
    is_locked(&server.anonymous().log_in("ann@example.com", PASSWORD).await);
}

#[tokio::test]
async fn a_username_is_locked_too() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    for spelling in ["johndoe", "JohnDoe"].into_iter().cycle().take(10) {
        let answer = server.anonymous().log_in_by_form(spelling, WRONG).await;
        answer.is_problem(problem::BAD_FORM_LOGIN);
    }
    is_locked(&server.anonymous().log_in_by_form("JOHNDOE", PASSWORD).await);
}

#[tokio::test]
async fn lg_04_guesses_in_parallel_get_no_extra_try() {
    // Nobody is sent away, however slow the machine.
    let server = Server::start_with(&[("HASHING_PATIENCE", "1m")]).await;
    server.verified("ann@example.com").await;
    let answers = at_once(48, |_| {
        let anonymous = server.anonymous();
        async move { anonymous.log_in("ann@example.com", WRONG).await }
    })
    .await;
    let (checked, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 400);
    assert_eq!(checked.len(), 10);
    refused.into_iter().for_each(is_locked);
}

#[tokio::test]
async fn a_success_forgives_earlier_failures() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    for _ in 0..2 {
        for _ in 0..9 {
            let answer = server.anonymous().log_in("ann@example.com", WRONG).await;
            answer.is_problem(problem::BAD_LOGIN);
        }
        server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
    }
}

#[tokio::test]
async fn lg_02_a_lock_ends_when_it_was_said_to_end() {
    let server = Server::start_with(&[("LOCKOUT_DURATION", "2s")]).await;
    server.verified("ann@example.com").await;
    fail_ten_times(&server, "ann@example.com").await;
    let locked = server.anonymous().log_in("ann@example.com", PASSWORD).await;
    locked.is_problem(problem::LOCKED);
    assert!((1..=2).contains(&locked.number("retry-after")), "{locked:?}");
    // Trying again and again does not make it longer.
    eventually("the end of the lock", Duration::from_secs(6), async || {
        let answer = server.anonymous().log_in("ann@example.com", PASSWORD).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_threshold_is_a_setting() {
    let server = Server::start_with(&[("LOCKOUT_THRESHOLD", "2")]).await;
    for _ in 0..2 {
        let answer = server.anonymous().log_in("ann@example.com", WRONG).await;
        answer.is_problem(problem::BAD_LOGIN);
    }
    is_locked(&server.anonymous().log_in("ann@example.com", WRONG).await);
}

#[tokio::test]
async fn a_lock_survives_a_restart() {
    let mut server = Server::start().await;
    server.verified("ann@example.com").await;
    fail_ten_times(&server, "ann@example.com").await;
    server.restart().await;
    is_locked(&server.anonymous().log_in("ann@example.com", PASSWORD).await);
}

#[tokio::test]
async fn lg_10_a_lock_ends_no_session() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    fail_ten_times(&server, "ann@example.com").await;
    is_locked(&server.anonymous().log_in("ann@example.com", PASSWORD).await);
    ann.is_alive().await;
}

#[tokio::test]
async fn lg_09_a_reset_ends_the_lock() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    fail_ten_times(&server, "ann@example.com").await;
    is_locked(&server.anonymous().log_in("ann@example.com", PASSWORD).await);
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
    server.anonymous().log_in("ann@example.com", "NewSecurePass456!").await.is(200);
}

#[tokio::test]
async fn lg_06_an_owner_elsewhere_is_not_shut_out() {
    let server = Server::start_with(&[("TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    server.verified("ann@example.com").await;
    fail_ten_times(&server, "ann@example.com").await;
    let body = serde_json::json!({"email": "ann@example.com", "password": PASSWORD});
    let elsewhere = server
        .anonymous()
        .request(reqwest::Method::POST, "/api/v1/auth/login")
        .header("x-forwarded-for", "198.51.100.9")
        .json(&body);
    Answer::to(elsewhere).await.is(200);
}

#[tokio::test]
async fn clients_that_hang_up_on_a_right_password_are_not_locked_out() {
    let server = Server::start_with(&[("BCRYPT_ROUNDS", "11")]).await;
    server.verified("ann@example.com").await;
    let body = json!({"email": "ann@example.com", "password": PASSWORD});
    for _ in 0..15 {
        // Long enough to be counted, too short to be answered.
        let login = server.anonymous().request(Method::POST, "/api/v1/auth/login").json(&body);
        let login = login.timeout(Duration::from_millis(40)).send();
        assert!(login.await.is_err(), "the login was answered too soon to be hung up on");
    }
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}
