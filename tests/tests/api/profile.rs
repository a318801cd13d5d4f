//! A user's own profile, by both contracts, and how a bearer is recognised.

use portcullis_tests::{Answer, NAME, Server, claims, problem};
use reqwest::Method;
use serde_json::json;

const ME: &str = "/api/v1/auth/me";
const USERS_ME: &str = "/api/v1/users/me";

#[tokio::test]
async fn me_05_contract_a_shows_the_account_and_no_more() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let answer = ann.me().await.expect(200);
    answer.has_exactly(&[
        "id",
        "email",
        "name",
        "email_verified",
        "created_at",
        "updated_at",
        "last_login_at",
    ]);
    assert_eq!(answer.str("/email"), "ann@example.com");
    assert_eq!(answer.str("/name"), NAME);
    assert_eq!(answer.body["email_verified"], true);
    assert_eq!(answer.body["updated_at"], json!(null));
    assert_eq!(answer.body["id"], claims(&ann.access)["sub"]);
    answer.is_instant_at("/created_at");
    answer.is_instant_at("/last_login_at");
}

#[tokio::test]
async fn me_05_contract_b_shows_the_account_and_no_more() {
    let server = Server::start().await;
    let john = server.signed_up("JohnDoe", "john@example.com").await;
    let answer = john.users_me().await.expect(200);
    answer.has_exactly(&[
        "id",
        "username",
        "email",
        "first_name",
        "last_name",
        "created_at",
        "updated_at",
    ]);
    assert!(answer.body["id"].is_i64(), "{answer:?}");
    assert_eq!(answer.str("/username"), "JohnDoe");
    assert_eq!(answer.str("/email"), "john@example.com");
    assert_eq!(answer.str("/first_name"), "John");
    assert_eq!(answer.str("/last_name"), "Doe");
    assert_eq!(answer.body["updated_at"], answer.body["created_at"]);
    answer.is_instant_at("/created_at");
}

#[tokio::test]
async fn each_contract_shows_the_others_accounts() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let answer = ann.users_me().await.expect(200);
    assert_eq!(answer.body["username"], json!(null));
    assert_eq!(answer.str("/first_name"), "Ann");
    assert_eq!(answer.str("/last_name"), "Mary Lee");
    let john = server.signed_up("johndoe", "john@example.com").await;
    assert_eq!(john.me().await.expect(200).str("/name"), "John Doe");
}

#[tokio::test]
async fn me_04_everybody_sees_only_themselves() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    let id = bob.me().await.expect(200).str("/id").to_owned();
    let request = ann.request(Method::GET, &format!("{ME}?id={id}&user_id={id}"));
    let answer = Answer::to(request.header("x-user-id", id)).await.expect(200);
    assert_eq!(answer.str("/email"), "ann@example.com");
}

#[tokio::test]
async fn a_new_name_is_an_update() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let answer = ann.patch_me(&json!({"name": "  Ann Kay "})).await.expect(200);
    assert_eq!(answer.str("/name"), "Ann Kay");
    answer.is_instant_at("/updated_at");
    assert_eq!(ann.me().await.expect(200).body, answer.body);
    let other = ann.users_me().await.expect(200);
    assert_eq!((other.str("/first_name"), other.str("/last_name")), ("Ann", "Kay"));
    assert_eq!(other.body["updated_at"], answer.body["updated_at"]);
}

#[tokio::test]
async fn me_03_nothing_and_null_change_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let before = ann.me().await.expect(200).body;
    for body in [json!({}), json!({"name": null}), json!({"name": NAME})] {
        assert_eq!(ann.patch_me(&body).await.expect(200).body, before, "{body}");
    }
    assert_eq!(ann.me().await.expect(200).body, before);
}

#[tokio::test]
async fn me_02_only_the_name_can_be_changed() {
    let server = Server::start().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let before = john.me().await.expect(200).body;
    let id = "00000000-0000-7000-8000-000000000001";
    let body = json!({
        "email": "other@example.com", "email_verified": true, "is_active": false, "id": id,
        "password": "another good one", "username": "other", "created_at": "2001-01-01T00:00:00Z",
    });
    assert_eq!(john.patch_me(&body).await.expect(200).body, before);
    assert_eq!(john.users_me().await.expect(200).str("/username"), "johndoe");
    let login = server.anonymous().log_in_by_form("johndoe", "another good one").await;
    login.is_problem(problem::BAD_FORM_LOGIN);
}

#[tokio::test]
async fn me_03_a_name_out_of_bounds_is_refused() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let bad = [json!(""), json!("  "), json!("x".repeat(256)), json!(5), json!(["x"]), json!({})];
    for name in bad {
        ann.patch_me(&json!({"name": name})).await.is_invalid(&["name"]);
    }
    assert_eq!(ann.me().await.expect(200).str("/name"), NAME);
}

#[tokio::test]
async fn changing_needs_a_bearer() {
    let server = Server::start().await;
    let request = server.anonymous().request(Method::PATCH, ME).json(&json!({"name": 5}));
    Answer::to(request).await.is_problem(problem::NO_BEARER);
}

#[tokio::test]
async fn me_01_without_a_bearer_each_contract_answers_in_its_way() {
    let server = Server::start().await;
    let missing = server.anonymous().get(ME).await;
    missing.is_problem(problem::NO_BEARER);
    assert_eq!(missing.header("www-authenticate"), Some("Bearer"));
    server.anonymous().get(USERS_ME).await.is_problem(problem::NO_FORM_BEARER);
}

#[tokio::test]
async fn after_a_logout_the_token_is_said_to_be_revoked() {
    let server = Server::start().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    john.log_out_without_body().await.is(200);
    john.users_me().await.is_problem(problem::REVOKED);
    john.me().await.is_unauthorized();
}

#[tokio::test]
async fn jw_13_every_character_of_a_token_counts() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    // Every fifth, so that header, claims and signature each have several.
    for place in (0..ann.access.len()).step_by(5) {
        let mut forged = ann.clone();
        let other = if &ann.access[place..=place] == "A" { "B" } else { "A" };
        forged.access.replace_range(place..=place, other);
        forged.me().await.is_problem(problem::BAD_BEARER);
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn jw_01_jw_06_unsigned_and_misshapen_tokens_are_refused() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let parts: Vec<_> = ann.access.split('.').collect();
    // {"alg":"none","typ":"JWT"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for forged in [
        "x".to_owned(),
        "a.b.c".to_owned(),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}.{}", ann.access, parts[2]),
        format!("{}=", ann.access),
        "A".repeat(5_000),
    ] {
        for path in [ME, USERS_ME] {
            let request = server.anonymous().request(Method::GET, path).bearer_auth(&forged);
            Answer::to(request).await.is_problem(problem::BAD_BEARER);
        }
    }
}

#[tokio::test]
async fn jw_20_the_scheme_may_be_written_in_any_case() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = server.anonymous().request(Method::GET, ME);
        let value = format!("{scheme} {}", ann.access);
        Answer::to(request.header("authorization", value)).await.is(200);
    }
}

#[tokio::test]
async fn jw_20_two_authorization_headers_are_refused() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let raw = format!(
        "GET {ME} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Authorization: Bearer {0}\r\nAuthorization: Bearer {0}\r\n\r\n",
        ann.access
    );
    server.raw(raw).is_refused_with(&[400, 401, 403]);
}

#[tokio::test]
async fn jw_20_other_ways_to_say_who_one_is_are_refused() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for value in [
        "Bearer".to_owned(),
        format!("Basic {}", ann.access),
        format!("Token {}", ann.access),
        format!("Bearer  {}", ann.access),
        format!("Bearer\t{}", ann.access),
        format!("Bearer {}\tx", ann.access),
        format!("Bearer {},x", ann.access),
        format!("Bearer {} x", ann.access),
        ann.access.clone(),
    ] {
        let request = server.anonymous().request(Method::GET, ME).header("authorization", &value);
        let answer = Answer::to(request).await;
        assert!([401, 403].contains(&answer.status), "{value}: {answer:?}");
    }
}

#[tokio::test]
async fn jw_19_a_token_in_query_or_cookie_is_no_token() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let token = &ann.access;
    let query = format!("{ME}?access_token={token}&token={token}");
    server.anonymous().get(&query).await.is_problem(problem::NO_BEARER);
    let cookie = format!("access_token={token}; token={token}; Authorization=Bearer {token}");
    let request = server.anonymous().request(Method::GET, ME).header("cookie", cookie);
    Answer::to(request).await.is_problem(problem::NO_BEARER);
}

#[tokio::test]
async fn an_expired_token_is_refused() {
    let server = Server::start_with(&[("ACCESS_TOKEN_TTL", "1s")]).await;
    let ann = server.logged_in("ann@example.com").await;
    // The contract allows clocks to differ by up to 30 s.
    let patience = std::time::Duration::from_secs(40);
    let refused = portcullis_tests::eventually("the token's end", patience, async || {
        let answer = ann.me().await;
        (answer.status != 200).then_some(answer)
    });
    refused.await.is_problem(problem::BAD_BEARER);
    assert!(ann.refreshed().await.access != ann.access);
}
