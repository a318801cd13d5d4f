//! Logging in by contract A.

use portcullis_tests::{PASSWORD, Server, claims, header, problem};
use serde_json::{Value, json};

const LOGIN: &str = "/api/v1/auth/login";

#[tokio::test]
async fn logging_in_answers_with_tokens_and_user() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let answer = server.anonymous().log_in("ann@example.com", PASSWORD).await.expect(200);
    answer.has_exactly(&["access_token", "refresh_token", "token_type", "expires_in", "user"]);
    assert_eq!(answer.str("/token_type"), "bearer");
    assert_eq!(answer.body["expires_in"], 1800);
    assert!(answer.str("/refresh_token").len() >= 43);
    let user = answer.body["user"].as_object().unwrap();
    let keys: Vec<_> = user.keys().map(String::as_str).collect();
    for key in ["id", "email", "name", "email_verified", "created_at", "last_login_at"] {
        assert!(keys.contains(&key), "{key} is missing: {keys:?}");
    }
    assert_eq!(keys.len(), 6, "{keys:?}");
    assert_eq!(user["email"], "ann@example.com");
    assert_eq!(user["email_verified"], true);
    answer.is_instant_at("/user/last_login_at");
}

#[tokio::test]
async fn jw_17_an_access_token_says_little_and_lives_as_long_as_promised() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let answer = server.anonymous().log_in("ann@example.com", PASSWORD).await.expect(200);
    let token = answer.str("/access_token");
    assert_eq!(header(token)["typ"], "JWT");
    assert_eq!(header(token)["alg"], "HS256");
    assert!(header(token)["kid"].is_string());
    let claims = claims(token);
    let keys: Vec<_> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    for key in ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "type"] {
        assert!(keys.contains(&key), "{key} is missing: {keys:?}");
    }
    assert_eq!(keys.len(), 8, "{keys:?}");
    assert_eq!(claims["type"], "access");
    assert_eq!(claims["aud"], "portcullis");
    assert_eq!(claims["iss"], format!("http://localhost:{}", server.port()));
    assert_eq!(claims["sub"], answer.body["user"]["id"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 1800);
}

#[tokio::test]
async fn the_address_may_be_typed_in_any_case() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.anonymous().log_in(" ANN@Example.com ", PASSWORD).await.is(200);
}

#[tokio::test]
async fn wrong_password_and_unknown_address_are_one_answer() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let anonymous = server.anonymous();
    anonymous.log_in("ann@example.com", "wrong password").await.is_problem(problem::BAD_LOGIN);
    anonymous.log_in("nobody@example.com", PASSWORD).await.is_problem(problem::BAD_LOGIN);
}

#[tokio::test]
async fn lg_01_an_unproven_address_is_told_only_to_who_knows_the_password() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    let anonymous = server.anonymous();
    anonymous.log_in("ann@example.com", "wrong password").await.is_problem(problem::BAD_LOGIN);
    anonymous.log_in("ann@example.com", PASSWORD).await.is_problem(problem::NOT_VERIFIED);
}

#[tokio::test]
async fn lg_21_only_a_success_moves_the_last_login() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let before = ann.me().await.expect(200).body;
    for _ in 0..11 {
        server.anonymous().log_in("ann@example.com", "wrong password").await;
        // Nothing at all tells of the attempt.
        assert_eq!(ann.me().await.expect(200).body, before);
    }
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, PASSWORD).await.is(200);
    let ann = server.logged_in_again("ann@example.com").await;
    let after = ann.me().await.expect(200);
    assert!(after.str("/last_login_at") > before["last_login_at"].as_str().unwrap(), "{after:?}");
}

#[tokio::test]
async fn lg_20_each_login_opens_a_session_of_its_own() {
    let server = Server::start().await;
    let first = server.logged_in("ann@example.com").await;
    let second = server.logged_in_again("ann@example.com").await;
    assert_ne!(first.refresh, second.refresh);
    assert_ne!(claims(&first.access)["sid"], claims(&second.access)["sid"]);
    assert_ne!(claims(&first.access)["jti"], claims(&second.access)["jti"]);
    first.log_out().await.is(204);
    second.is_alive().await;
}

#[tokio::test]
async fn lg_17_missing_and_mistyped_fields_are_named() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    anonymous.post(LOGIN, &json!({})).await.is_missing(&["email", "password"]);
    for password in [json!(true), json!(0), json!([]), json!({}), Value::Null] {
        let body = json!({"email": "ann@example.com", "password": password});
        anonymous.post(LOGIN, &body).await.is_invalid(&["password"]);
    }
    let operator = json!({"email": {"$gt": ""}, "password": {"$gt": ""}});
    anonymous.post(LOGIN, &operator).await.is_invalid(&["email", "password"]);
    anonymous.log_in("no address", PASSWORD).await.is_invalid(&["email"]);
}

#[tokio::test]
async fn lg_16_text_that_means_something_to_a_database_is_only_text() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    for text in ["' OR '1'='1", "\\", "$$", "%", "_", "'; DROP TABLE users; --"] {
        let answer = server.anonymous().log_in("ann@example.com", text).await;
        answer.is_problem(problem::BAD_LOGIN);
    }
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn the_lives_of_tokens_are_settings() {
    let server = Server::start_with(&[("ACCESS_TOKEN_TTL", "7m")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let claims = claims(&ann.access);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 420);
}
