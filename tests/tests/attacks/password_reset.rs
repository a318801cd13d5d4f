//! Taking accounts over by a reset (PR).

use std::collections::BTreeSet;

use portcullis_testkit::SmtpSink;
use portcullis_tests::{Anonymous, Answer, LoggedIn, Mail, PASSWORD, Server, at_once, problem};
use reqwest::Method;
use serde_json::json;

use crate::mail::mailing_to;

const REQUEST: &str = "/api/v1/auth/password-reset/request";
const SUBJECT: &str = "Reset your password";
const ANOTHER: &str = "NewSecurePass456!";

/// Confirmations of one token at the same time, each with a password of its own.
async fn confirm_at_once(server: &Server, token: &str, count: usize) -> Vec<(Answer, String)> {
    at_once(count, |number| {
        let (anonymous, token) = (server.anonymous(), token.to_owned());
        async move {
            let password = format!("good password {number}");
            (anonymous.confirm_reset(&token, &password).await, password)
        }
    })
    .await
}

/// 40 rounds, since one address gets five mails an hour and each round hashes
/// 32 passwords.
#[tokio::test]
async fn pr_04_of_32_resets_at_once_one_decides_the_password_in_40_rounds() {
    let server = Server::start().await;
    for number in 0..8 {
        let email = format!("ann{number}@example.com");
        server.verified(&email).await;
        for _ in 0..5 {
            let token = server.reset_token(&email).await;
            let outcomes = confirm_at_once(&server, &token, 32).await;
            let (won, lost): (Vec<_>, Vec<_>) =
                outcomes.into_iter().partition(|(answer, _)| answer.status == 200);
            assert_eq!(won.len(), 1);
            for (answer, _) in &lost {
                answer.is_problem(problem::BAD_RESET);
            }
            let (winner, loser) = (&won[0].1, &lost[0].1);
            server.anonymous().log_in(&email, loser).await.is_problem(problem::BAD_LOGIN);
            server.anonymous().log_in(&email, winner).await.is(200);
        }
    }
}

/// What an answer tells, but for what differs each time.
fn told(answer: &Answer) -> (u16, String, BTreeSet<String>) {
    let changing = ["date", "x-request-id"];
    let names = answer.headers.keys().map(ToString::to_string);
    let told = names.filter(|name| !changing.contains(&name.as_str()));
    (answer.status, answer.text.clone(), told.collect())
}

#[tokio::test]
async fn pr_13_thirty_sources_cannot_flood_a_mailbox_and_learn_nothing() {
    let limited = [("RATE_LIMIT_ENABLED", "true"), ("TRUSTED_PROXIES", "127.0.0.1/32")];
    let server = Server::start_with(&limited).await;
    server.registered("ann@example.com").await;
    let ask = async |source: usize, email: &str| {
        let request = server.anonymous().request(Method::POST, REQUEST);
        let request = request.header("x-forwarded-for", format!("203.0.113.{source}"));
        Answer::to(request.json(&json!({"email": email}))).await
    };
    let first = ask(1, "ann@example.com").await.expect(200);
    for source in 2..31 {
        let (known, unknown) =
            (ask(source, "ann@example.com").await, ask(source + 100, "nobody@example.com").await);
        assert_eq!(told(&known), told(&first));
        assert_eq!(told(&unknown), told(&first));
    }
    server.mailbox().mails("ann@example.com", SUBJECT, 5).await;
    // Whoever comes later has had their mail: then every earlier one is out.
    ask(200, "ann@example.com").await.is(200);
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().count("ann@example.com", SUBJECT).await, 5);
    assert!(server.mailbox().all("nobody@example.com").await.is_empty());
}

/// No reset takes as long as so many requests.
const ENOUGH: usize = 500;

/// Refreshes one session for as long as that works; gives every token it saw.
async fn keep_refreshing(session: LoggedIn) -> Vec<LoggedIn> {
    let mut seen = vec![session];
    while seen.len() < ENOUGH {
        let last = &seen[seen.len() - 1];
        let answer = last.anonymous().refresh(&last.refresh).await;
        if answer.status != 200 {
            answer.is_problem(problem::BAD_REFRESH);
            return seen;
        }
        seen.push(last.anonymous().with_tokens_of(&answer));
    }
    seen
}

#[tokio::test]
async fn pr_14_no_refresh_carries_a_session_over_a_reset_in_20_rounds() {
    let server = Server::start().await;
    let mut refreshed = 0;
    for round in 0..20 {
        let email = format!("ann{round}@example.com");
        let first = server.logged_in(&email).await;
        let sessions = [
            first.clone(),
            server.logged_in_again(&email).await,
            server.logged_in_again(&email).await,
        ];
        let token = server.reset_token(&email).await;
        let racing: Vec<_> =
            sessions.into_iter().map(|session| tokio::spawn(keep_refreshing(session))).collect();
        server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
        for race in racing {
            let seen = race.await.unwrap();
            refreshed += seen.len() - 1;
            for session in &seen[seen.len().saturating_sub(3)..] {
                session.is_over().await;
            }
        }
    }
    assert!(refreshed >= 20, "nothing raced: {refreshed} refreshes");
}

/// Logs in with a password for as long as that works.
async fn keep_logging_in(anonymous: Anonymous, email: String) -> Vec<LoggedIn> {
    let mut seen = Vec::new();
    while seen.len() < ENOUGH {
        let answer = anonymous.log_in(&email, PASSWORD).await;
        if answer.status != 200 {
            answer.is_problem(problem::BAD_LOGIN);
            return seen;
        }
        seen.push(anonymous.with_tokens_of(&answer));
    }
    seen
}

#[tokio::test]
async fn pr_15_no_login_with_the_old_password_outlives_a_reset_in_20_rounds() {
    // Hashes that take a while, so that logins are under way when the reset comes.
    let server = Server::start_with(&[("BCRYPT_ROUNDS", "7")]).await;
    let mut logins = 0;
    for round in 0..20 {
        let email = format!("ann{round}@example.com");
        server.verified(&email).await;
        let token = server.reset_token(&email).await;
        let racing: Vec<_> = (0..8)
            .map(|_| tokio::spawn(keep_logging_in(server.anonymous(), email.clone())))
            .collect();
        server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
        for race in racing {
            let seen = race.await.unwrap();
            logins += seen.len();
            for session in &seen[seen.len().saturating_sub(2)..] {
                session.is_over().await;
            }
        }
        server.logged_in_with(&email, ANOTHER).await.is_alive().await;
    }
    assert!(logins >= 10, "nothing raced: {logins} logins");
}

#[tokio::test]
async fn pr_16_no_parameter_of_a_request_changes_the_link() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    server.anonymous().register("ann@example.com").await.is(201);
    sink.wait_for(1).await;
    let names = [
        "redirect",
        "redirect_url",
        "redirect_uri",
        "redirectTo",
        "reset_url",
        "callbackURL",
        "url",
        "next",
        "return_to",
        "continue",
        "link",
        "host",
        "origin",
        "password_reset_url",
    ];
    let evil = "https://evil.test/steal";
    let mut body = json!({"email": "ann@example.com"});
    for name in names {
        body[name] = json!(evil);
    }
    let query = format!("?{}", names.map(|name| format!("{name}={evil}")).join("&"));
    for path in [REQUEST.to_owned(), format!("{REQUEST}{query}")] {
        let answer = server.anonymous().post(&path, &body).await.expect(200);
        assert!(!answer.text.contains("evil") && answer.header("location").is_none());
    }
    for mail in &sink.wait_for(3).await[1..] {
        let mail = Mail::from(mail);
        assert!(!mail.text.contains("evil") && !mail.html.contains("evil"), "{mail:?}");
        let expected = format!("https://auth.example.com/reset-password#token={}", mail.token());
        assert_eq!(mail.link(), expected);
    }
    let page = server.anonymous().browse(&format!("/reset-password{query}")).await;
    assert!(!page.text.contains("evil") && page.header("location").is_none(), "{page:?}");
}

#[tokio::test]
async fn pr_18_guessing_a_token_is_slowed_down() {
    let server = Server::start_with(&[("RATE_LIMIT_ENABLED", "true")]).await;
    for number in 0..10 {
        let answer = server.anonymous().confirm_reset(&format!("guess{number}"), ANOTHER).await;
        answer.is_problem(problem::BAD_RESET);
    }
    let answer = server.anonymous().confirm_reset("guess", ANOTHER).await;
    answer.is_problem(problem::TOO_MANY);
}
