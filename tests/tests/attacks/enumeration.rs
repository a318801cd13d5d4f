//! Finding out who has an account (EN).

use std::collections::HashSet;
use std::time::Duration;

use portcullis_tests::{PASSWORD, Server, eventually, post_of};
use serde_json::{Value, json};

const WRONG: &str = "wrong password";

fn of(path: &str, body: &Value) -> Vec<u8> {
    post_of(&format!("/api/v1/auth/{path}"), &[], body)
}

/// What the server answers to a request, to the byte.
fn told(server: &Server, request: &[u8]) -> String {
    server.connect().ask(request).masked(&[])
}

#[tokio::test]
async fn en_01_an_unknown_address_and_a_wrong_password_are_one_answer_to_the_byte() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.registered("eve@example.com").await;
    let login = |email: &str| of("login", &json!({"email": email, "password": WRONG}));
    let unknown = told(&server, &login("nobody.of.that.name@example.com"));
    assert!(unknown.starts_with("HTTP/1.1 400"), "{unknown}");
    assert_eq!(told(&server, &login("ann@example.com")), unknown);
    assert_eq!(told(&server, &login("eve@example.com")), unknown);
}

#[tokio::test]
async fn en_04_a_reset_request_is_one_answer_to_the_byte() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.registered("eve@example.com").await;
    for path in ["password-reset/request", "verify-email/resend"] {
        let ask = |email: &str| of(path, &json!({"email": email}));
        let unknown = told(&server, &ask("nobody.of.that.name@example.com"));
        assert!(unknown.starts_with("HTTP/1.1 200"), "{unknown}");
        // Past the number of mails that an address is sent, too.
        for _ in 0..7 {
            assert_eq!(told(&server, &ask("ann@example.com")), unknown);
            assert_eq!(told(&server, &ask("eve@example.com")), unknown);
            assert_eq!(told(&server, &ask("nobody.of.that.name@example.com")), unknown);
        }
    }
}

#[tokio::test]
async fn en_09_a_refresh_token_that_is_not_good_gets_one_answer_whatever_is_wrong() {
    let settings = [("REFRESH_GRACE", "1s"), ("FORM_REFRESH_TOKEN_TTL", "1s")];
    let server = Server::start_with(&settings).await;
    let elsewhere = Server::start().await;
    let refresh = |token: &str| of("refresh", &json!({"refresh_token": token}));
    let unknown = told(&server, &refresh("unknown"));
    assert!(unknown.starts_with("HTTP/1.1 401"), "{unknown}");

    let stranger = elsewhere.logged_in("ann@example.com").await;
    assert_eq!(told(&server, &refresh(&stranger.refresh)), unknown);

    let gone = server.logged_in("ann@example.com").await;
    gone.log_out().await.is(204);
    assert_eq!(told(&server, &refresh(&gone.refresh)), unknown);

    let rotated = server.logged_in_again("ann@example.com").await;
    let successor = rotated.refreshed().await;
    let expired = server.signed_up("johndoe", "john@example.com").await;
    for token in [&rotated.refresh, &expired.refresh] {
        let refused = eventually("the end of the token", Duration::from_secs(10), async || {
            let answer = told(&server, &refresh(token));
            (!answer.starts_with("HTTP/1.1 200")).then_some(answer)
        })
        .await;
        assert_eq!(refused, unknown);
    }
    assert_eq!(told(&server, &refresh(&successor.refresh)), unknown);
}

#[tokio::test]
async fn en_10_a_mailed_token_that_is_not_good_gets_one_answer_whatever_is_wrong() {
    let lives = [("VERIFICATION_TOKEN_TTL", "1s"), ("RESET_TOKEN_TTL", "1s")];
    let (server, hasty) = tokio::join!(Server::start(), Server::start_with(&lives));
    let verify = |token: &str| of("verify-email", &json!({"token": token}));
    let reset = |token: &str| {
        of("password-reset/confirm", &json!({"token": token, "new_password": PASSWORD}))
    };
    let late_verification = hasty.registered("ann@example.com").await;
    let late_reset = hasty.reset_token("ann@example.com").await;
    let verification = server.registered("ann@example.com").await;
    server.anonymous().verify(&verification).await.is(200);
    let used = server.reset_token("ann@example.com").await;
    let spent_beside = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&used, PASSWORD).await.is(200);
    // Asking whether they have expired would spend them.
    tokio::time::sleep(Duration::from_millis(1200)).await;

    let unknown = told(&server, &verify("unknown"));
    assert!(unknown.starts_with("HTTP/1.1 400"), "{unknown}");
    assert_eq!(told(&server, &verify(&verification)), unknown);
    assert_eq!(told(&server, &verify(&used)), unknown);
    assert_eq!(told(&hasty, &verify(&late_verification)), unknown);
    let unknown = told(&server, &reset("unknown"));
    assert!(unknown.starts_with("HTTP/1.1 400"), "{unknown}");
    for token in [&used, &spent_beside, &verification] {
        assert_eq!(told(&server, &reset(token)), unknown);
    }
    assert_eq!(told(&hasty, &reset(&late_reset)), unknown);
}

/// Clients of their own, so that each begins with a whole quota.
#[tokio::test]
async fn en_11_limits_and_their_headers_are_the_same_for_every_address() {
    let settings = [
        ("RATE_LIMIT_ENABLED", "true"),
        ("TRUSTED_PROXIES", "127.0.0.1/32"),
        ("REGISTRATION_DISCLOSURE", "hide"),
        ("RATE_LIMIT_STRICT", "6"),
        ("LOCKOUT_THRESHOLD", "4"),
    ];
    let server = Server::start_with(&settings).await;
    server.verified("ann@example.com").await;
    let mut connection = server.connect();
    let mut clients = 1..;
    let mut told = |path: &str, body: &Value| -> Vec<String> {
        let client = format!("X-Forwarded-For: 198.51.100.{}", clients.next().unwrap());
        let request = post_of(&format!("/api/v1/auth/{path}"), &[&client], body);
        let masked = ["retry-after", "x-ratelimit-reset", "email"];
        (0..8).map(|_| connection.ask(&request).masked(&masked)).collect()
    };
    for (path, field) in
        [("login", "password"), ("password-reset/request", "x"), ("register", "password")]
    {
        let body = |email: &str| json!({"email": email, field: WRONG, "name": "Ann"});
        let known = told(path, &body("ann@example.com"));
        for (number, answer) in known.iter().enumerate() {
            let left = 5_usize.saturating_sub(number);
            assert!(answer.contains(&format!("x-ratelimit-remaining: {left}\n")), "{answer}");
            assert_eq!(answer.contains("RATE_LIMIT_EXCEEDED"), number >= 6, "{answer}");
        }
        assert_eq!(told(path, &body("bob@example.com")), known, "{path}");
    }
}

/// A version 7 UUID without its time: what nobody can foretell.
fn randomness(id: &str) -> u128 {
    let id = u128::from_str_radix(&id.replace('-', ""), 16).unwrap();
    assert_eq!((id >> 76) & 0xf, 7, "{id:x} is of another version");
    id & ((1 << 76) - 1)
}

#[tokio::test]
async fn en_12_an_id_foretells_no_other_and_opens_nothing() {
    let server = Server::start().await;
    let mut seen = HashSet::new();
    for number in 0..50 {
        let answer = server.anonymous().register(&format!("user{number}@example.com")).await;
        seen.insert(randomness(answer.expect(201).str("/id")) >> 64 & 0xfff);
    }
    // Twelve random bits of fifty ids: hardly any two are the same.
    assert!(seen.len() > 40, "{} of 50 differ", seen.len());

    let document = server.anonymous().get("/openapi.json").await.expect(200).body;
    for (path, operations) in document["paths"].as_object().unwrap() {
        // A token names a letter or a device, and nobody.
        let names_somebody = path.contains('{') && !path.ends_with("/{token}");
        assert!(!names_somebody, "{path}");
        for (method, operation) in operations.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert_eq!(parameter["name"], "token", "{method} {path}");
            }
        }
    }
    let ann = server.logged_in("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    let id = bob.me().await.expect(200).str("/id").to_owned();
    for query in ["id", "user_id", "sub", "user"] {
        let mine = ann.get(&format!("/api/v1/auth/me?{query}={id}")).await.expect(200);
        assert_eq!(mine.str("/email"), "ann@example.com");
    }
    for path in [format!("/api/v1/auth/me/{id}"), format!("/api/v1/users/{id}")] {
        ann.get(&path).await.is(404);
    }
    let renamed = ann.patch_me(&json!({"name": "Eve", "id": id, "user_id": id})).await;
    assert_eq!(renamed.expect(200).str("/email"), "ann@example.com");
    assert_ne!(bob.me().await.expect(200).str("/name"), "Eve");
}
