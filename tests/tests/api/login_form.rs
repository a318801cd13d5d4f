//! Logging in by contract B: the `OAuth2` password form.

use portcullis_tests::{Answer, PASSWORD, Server, problem};
use reqwest::Method;
use reqwest::multipart::Form;

const LOGIN: &str = "/api/v1/auth/login";

fn is_token_answer(answer: &Answer) {
    answer.is(200);
    answer.has_exactly(&["access_token", "refresh_token", "token_type", "expires_in"]);
    assert_eq!(answer.str("/token_type"), "bearer");
    assert_eq!(answer.body["expires_in"], 3600);
}

#[tokio::test]
async fn a_username_logs_in_whatever_its_case() {
    let server = Server::start().await;
    server.signed_up("JohnDoe", "john@example.com").await;
    for username in ["JohnDoe", "johndoe", "JOHNDOE"] {
        is_token_answer(&server.anonymous().log_in_by_form(username, PASSWORD).await);
    }
}

#[tokio::test]
async fn a_multipart_form_logs_in_too() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    let form = Form::new().text("username", "johndoe").text("password", PASSWORD);
    let request = server.anonymous().request(Method::POST, LOGIN).multipart(form);
    is_token_answer(&Answer::to(request).await);
    let form = Form::new().text("username", "johndoe").text("password", "wrong password");
    let request = server.anonymous().request(Method::POST, LOGIN).multipart(form);
    Answer::to(request).await.is_problem(problem::BAD_FORM_LOGIN);
}

#[tokio::test]
async fn the_fields_of_oauth2_are_tolerated() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    let fields = [
        ("grant_type", "password"),
        ("username", "johndoe"),
        ("password", PASSWORD),
        ("scope", ""),
        ("client_id", "string"),
        ("client_secret", "string"),
    ];
    is_token_answer(&server.anonymous().post_form(LOGIN, &fields).await);
}

#[tokio::test]
async fn another_grant_is_refused() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    let fields =
        [("grant_type", "client_credentials"), ("username", "johndoe"), ("password", PASSWORD)];
    server.anonymous().post_form(LOGIN, &fields).await.is_invalid(&["grant_type"]);
}

#[tokio::test]
async fn a_username_needs_no_proven_address_and_an_address_does() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    let anonymous = server.anonymous();
    is_token_answer(&anonymous.log_in_by_form("johndoe", PASSWORD).await);
    let wrong = anonymous.log_in_by_form("john@example.com", "wrong password").await;
    wrong.is_problem(problem::BAD_FORM_LOGIN);
    let right = anonymous.log_in_by_form("john@example.com", PASSWORD).await;
    right.is_problem(problem::NOT_VERIFIED);
    let mail = server.mailbox().mail("john@example.com", "Verify your email address").await;
    anonymous.verify(&mail.token()).await.is(200);
    is_token_answer(&anonymous.log_in_by_form("John@Example.com", PASSWORD).await);
}

#[tokio::test]
async fn an_account_of_contract_a_logs_in_by_form_with_its_address() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    is_token_answer(&server.anonymous().log_in_by_form("ann@example.com", PASSWORD).await);
}

#[tokio::test]
async fn wrong_password_and_unknown_user_are_one_answer() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    for (username, password) in [
        ("johndoe", "wrong password"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("not a username", PASSWORD),
    ] {
        let answer = server.anonymous().log_in_by_form(username, password).await;
        answer.is_problem(problem::BAD_FORM_LOGIN);
    }
}

#[tokio::test]
async fn missing_fields_are_named() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    anonymous.post_form(LOGIN, &[("username", "johndoe")]).await.is_missing(&["password"]);
    anonymous.post_form(LOGIN, &[]).await.is_missing(&["username", "password"]);
}

#[tokio::test]
async fn another_media_type_is_refused() {
    let server = Server::start().await;
    let body = format!("username=johndoe&password={PASSWORD}").into_bytes();
    for media_type in ["text/plain", "application/xml", "application/octet-stream"] {
        let answer = server.anonymous().post_bytes(LOGIN, media_type, body.clone()).await;
        answer.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn a_form_may_say_its_charset() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    let body = format!("username=johndoe&password={}", PASSWORD.replace('!', "%21"));
    let media_type = "application/x-www-form-urlencoded; charset=UTF-8";
    let answer = server.anonymous().post_bytes(LOGIN, media_type, body.into_bytes()).await;
    is_token_answer(&answer);
}

#[tokio::test]
async fn the_lives_of_form_tokens_are_settings() {
    let server = Server::start_with(&[("FORM_ACCESS_TOKEN_TTL", "9m")]).await;
    let answer = server.anonymous().sign_up("johndoe", "john@example.com").await.expect(201);
    assert_eq!(answer.body["expires_in"], 540);
}
