//! Proving a mailbox.

use portcullis_tests::{Answer, PASSWORD, Server, at_once, problem};
use reqwest::Method;
use serde_json::json;

const RESEND: &str = "/api/v1/auth/verify-email/resend";
const RESENT: &str = "If an unverified account exists, a verification email has been sent.";
const USER: [&str; 6] = ["id", "email", "name", "email_verified", "created_at", "last_login_at"];

fn path(token: &str) -> String {
    format!("/api/v1/auth/verify-email/{token}")
}

fn is_verified(answer: &Answer, email: &str) {
    answer.is(200);
    answer.has_exactly(&["message", "user"]);
    assert_eq!(answer.str("/message"), "Email verified successfully");
    let user = answer.body["user"].as_object().unwrap();
    assert_eq!(user.len(), USER.len(), "{user:?}");
    for key in USER {
        assert!(user.contains_key(key), "{key} is missing: {user:?}");
    }
    assert_eq!(answer.str("/user/email"), email);
    assert_eq!(answer.body["user"]["email_verified"], true);
    assert_eq!(answer.body["user"]["last_login_at"], json!(null));
}

#[tokio::test]
async fn ve_09_the_mailed_link_verifies_by_get_and_opens_no_session() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    let answer = server.anonymous().get(&path(&token)).await;
    is_verified(&answer, "ann@example.com");
    assert_eq!(answer.header("set-cookie"), None);
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn the_mailed_token_verifies_by_post() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    is_verified(&server.anonymous().verify(&token).await, "ann@example.com");
}

#[tokio::test]
async fn ve_08_clients_that_take_anything_are_answered_in_json() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    let request = server.anonymous().request(Method::GET, &path(&token)).header("accept", "*/*");
    is_verified(&Answer::to(request).await, "ann@example.com");
}

#[tokio::test]
async fn a_verified_address_is_welcomed_by_mail() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.mailbox().mail("ann@example.com", "Welcome").await;
}

#[tokio::test]
async fn ve_03_a_token_verifies_once() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    server.anonymous().verify(&token).await.is(200);
    server.anonymous().verify(&token).await.is_problem(problem::BAD_VERIFICATION);
    server.anonymous().get(&path(&token)).await.is_problem(problem::BAD_VERIFICATION);
}

#[tokio::test]
async fn a_token_verifies_once_in_parallel_too() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    let answers = at_once(32, |_| {
        let (anonymous, token) = (server.anonymous(), token.clone());
        async move { anonymous.verify(&token).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.is_problem(problem::BAD_VERIFICATION);
    }
}

#[tokio::test]
async fn near_misses_are_refused_and_spend_nothing() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    let swapped: String = token
        .chars()
        .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c })
        .collect();
    let misses = [
        "unknown".to_owned(),
        token[1..].to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        format!("{token} "),
        format!("{token}\0"),
        swapped,
    ];
    for miss in misses {
        let answer = server.anonymous().verify(&miss).await;
        assert!([400, 422].contains(&answer.status), "{miss:?}: {answer:?}");
    }
    server.anonymous().verify(&token).await.is(200);
}

#[tokio::test]
async fn an_unknown_token_in_the_path_is_refused() {
    let server = Server::start().await;
    for miss in ["unknown", "%20", &"a".repeat(43)] {
        server.anonymous().get(&path(miss)).await.is_problem(problem::BAD_VERIFICATION);
    }
}

#[tokio::test]
async fn ve_04_an_expired_token_is_refused() {
    let server = Server::start_with(&[("VERIFICATION_TOKEN_TTL", "1s")]).await;
    let token = server.registered("ann@example.com").await;
    // Asking whether it has expired would spend it.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    server.anonymous().verify(&token).await.is_problem(problem::BAD_VERIFICATION);
}

#[tokio::test]
async fn ve_08_ve_12_a_browser_gets_a_page_and_spends_nothing() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    for _ in 0..3 {
        let page = server.anonymous().browse(&path(&token)).await.expect(200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{page:?}");
        assert!(page.text.contains("<button"), "{}", page.text);
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(portcullis_tests::foreign_hosts(&page.text), Vec::<String>::new());
    }
    is_verified(&server.anonymous().get(&path(&token)).await, "ann@example.com");
}

#[tokio::test]
async fn ve_08_looking_at_a_link_spends_nothing() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    for method in [Method::HEAD, Method::OPTIONS, Method::HEAD] {
        let answer = Answer::to(server.anonymous().request(method, &path(&token))).await;
        assert!(answer.status < 500, "{answer:?}");
        assert!(!answer.text.contains("verified"), "{answer:?}");
    }
    server.anonymous().verify(&token).await.is(200);
}

#[tokio::test]
async fn ve_12_answers_about_tokens_leak_neither_by_referrer_nor_by_cache() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    for answer in [
        server.anonymous().get(&path(&token)).await.expect(200),
        server.anonymous().get(&path(&token)).await.expect(400),
    ] {
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn asking_again_says_the_same_to_everybody_and_mails_only_who_waits() {
    let server = Server::start().await;
    server.verified("verified@example.com").await;
    server.registered("waiting@example.com").await;
    for email in ["nobody@example.com", "verified@example.com", "waiting@example.com"] {
        let answer = server.anonymous().post(RESEND, &json!({"email": email})).await.expect(200);
        answer.has_exactly(&["message"]);
        assert_eq!(answer.str("/message"), RESENT);
    }
    let subject = "Verify your email address";
    let mails = server.mailbox().mails("waiting@example.com", subject, 2).await;
    assert_eq!(server.mailbox().count("verified@example.com", subject).await, 1);
    assert!(server.mailbox().all("nobody@example.com").await.is_empty());
    server.anonymous().verify(&mails[0].token()).await.is(200);
}

#[tokio::test]
async fn asking_again_needs_an_address() {
    let server = Server::start().await;
    server.anonymous().post(RESEND, &json!({})).await.is_missing(&["email"]);
    server.anonymous().post(RESEND, &json!({"email": "ann"})).await.is_invalid(&["email"]);
    let verify = server.anonymous().post("/api/v1/auth/verify-email", &json!({})).await;
    verify.is_missing(&["token"]);
}

#[tokio::test]
async fn ve_10_the_links_origin_comes_from_the_settings_alone() {
    let server = Server::start_with(&[("PUBLIC_URL", "https://auth.example.com")]).await;
    let body = json!({"email": "ann@example.com", "name": "Ann", "password": PASSWORD});
    let request = server
        .anonymous()
        .request(Method::POST, "/api/v1/auth/register")
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-proto", "http")
        .header("x-forwarded-prefix", "/evil")
        .header("forwarded", "host=evil.example;proto=http")
        .header("origin", "https://evil.example")
        .json(&body);
    Answer::to(request).await.is(201);
    let mail = server.mailbox().mail("ann@example.com", "Verify your email address").await;
    assert_eq!(mail.link(), format!("https://auth.example.com{}", path(&mail.token())));
    assert!(!mail.html.contains("evil"), "{}", mail.html);
}
