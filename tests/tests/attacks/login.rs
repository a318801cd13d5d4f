//! Guessing passwords, and locking people out (LG).

use std::time::Duration;

use portcullis_tests::{
    Answer, PASSWORD, RightOne, Server, at_once, eventually, guess_at_once, post_of, problem,
};
use reqwest::Method;
use serde_json::json;

const LOGIN: &str = "/api/v1/auth/login";
const WRONG: &str = "wrong password";

/// A login by way of a trusted proxy, which names the client.
async fn log_in_from(server: &Server, client: &str, email: &str, password: &str) -> Answer {
    let request = server
        .anonymous()
        .request(Method::POST, LOGIN)
        .header("x-forwarded-for", client)
        .json(&json!({"email": email, "password": password}));
    Answer::to(request).await
}

#[tokio::test]
async fn lg_03_en_01_the_steps_to_a_lock_are_the_same_to_the_byte_for_an_unknown_name() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.signed_up("johndoe", "john@example.com").await;
    let mut connection = server.connect();
    let mut told = |request: &[u8]| -> Vec<String> {
        (0..12).map(|_| connection.ask(request).masked(&["retry-after"])).collect()
    };
    let json = |email: &str| post_of(LOGIN, &[], &json!({"email": email, "password": WRONG}));
    let form = |username: &str| {
        let body = format!("username={username}&password=wrong");
        format!(
            "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            body.len()
        )
    };
    let known = told(&json("ann@example.com"));
    assert!(known[9].starts_with("HTTP/1.1 400") && known[10].starts_with("HTTP/1.1 429"));
    assert_eq!(told(&json("nobody@example.com")), known);
    let known = told(form("johndoe").as_bytes());
    assert!(known[9].starts_with("HTTP/1.1 401") && known[10].starts_with("HTTP/1.1 429"));
    assert_eq!(told(form("somebody").as_bytes()), known);
}

#[tokio::test]
async fn lg_04_of_200_guesses_at_once_ten_are_checked_and_then_the_right_one_is_refused() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    let guesses = guess_at_once(&[&server], "johndoe", RightOne::After(10)).await;
    assert_eq!(guesses.checked, 10);
    guesses.right.is_problem(problem::LOCKED);
}

/// An attempt is counted, and the count kept, before the password is looked at.
#[tokio::test]
async fn lg_05_guesses_count_although_the_server_dies_while_it_checks_them() {
    // Slow enough to be interrupted, and quick enough for nobody to be sent away.
    let mut server = Server::start_with(&[("BCRYPT_ROUNDS", "11")]).await;
    server.signed_up("johndoe", "john@example.com").await;
    let guesses: Vec<_> = (0..10)
        .map(|_| {
            let anonymous = server.anonymous();
            tokio::spawn(async move {
                let fields = [("username", "johndoe"), ("password", WRONG)];
                Answer::if_any(anonymous.request(Method::POST, LOGIN).form(&fields)).await
            })
        })
        .collect();
    // All are counted long before the last is checked.
    eventually("the lock", Duration::from_secs(30), async || {
        let waiting = guesses.iter().filter(|guess| !guess.is_finished()).count();
        assert!(waiting > 0, "they were checked before they could be interrupted");
        let probe = server.anonymous().log_in_by_form("johndoe", WRONG).await;
        (probe.status == 429).then_some(())
    })
    .await;
    server.kill();
    for guess in guesses {
        drop(guess.await.unwrap());
    }
    server.restart_with(&[("BCRYPT_ROUNDS", "4")]).await;
    let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await;
    answer.is_problem(problem::LOCKED);
}

#[tokio::test]
async fn lg_05_guesses_count_although_the_client_hangs_up() {
    let server = Server::start_with(&[("BCRYPT_ROUNDS", "11")]).await;
    server.verified("ann@example.com").await;
    let body = json!({"email": "ann@example.com", "password": WRONG});
    // More than ten: on a machine that is busy, some are not read in time.
    for _ in 0..40 {
        let login = server.anonymous().request(Method::POST, LOGIN).json(&body);
        drop(login.timeout(Duration::from_millis(50)).send().await);
    }
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is_problem(problem::LOCKED);
}

#[tokio::test]
async fn lg_06_whoever_is_locked_out_elsewhere_may_come_in_here_and_lifts_nothing_there() {
    let server = Server::start_with(&[("TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    server.verified("ann@example.com").await;
    let (attacker, owner) = ("203.0.113.7", "198.51.100.9");
    for _ in 0..10 {
        let guess = log_in_from(&server, attacker, "ann@example.com", WRONG).await;
        guess.is_problem(problem::BAD_LOGIN);
    }
    log_in_from(&server, owner, "ann@example.com", PASSWORD).await.is(200);
    let guess = log_in_from(&server, attacker, "ann@example.com", PASSWORD).await;
    guess.is_problem(problem::LOCKED);
    // A neighbour in the same /64 is the same client.
    for _ in 0..10 {
        log_in_from(&server, "2001:db8:1:2::1", "ann@example.com", WRONG).await.is(400);
    }
    let neighbour = log_in_from(&server, "2001:db8:1:2:3::4", "ann@example.com", PASSWORD).await;
    neighbour.is_problem(problem::LOCKED);
    log_in_from(&server, owner, "ann@example.com", PASSWORD).await.is(200);
}

/// A client each: no client's own count reaches its threshold.
#[tokio::test]
async fn lg_07_of_guesses_from_many_clients_a_hundred_are_checked() {
    let server = Server::start_with(&[("TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    let server = std::sync::Arc::new(server);
    server.verified("ann@example.com").await;
    let client = |number: usize| format!("198.51.{}.{}", number / 250, number % 250);
    for email in ["ann@example.com", "nobody@example.com"] {
        let answers = at_once(160, |number| {
            let (server, client) = (std::sync::Arc::clone(&server), client(number));
            async move { log_in_from(&server, &client, email, WRONG).await }
        })
        .await;
        let (checked, refused): (Vec<_>, Vec<_>) =
            answers.iter().partition(|answer| answer.status == 400);
        // Some may be told that there is too much to hash; they count for nothing.
        for answer in refused.iter().filter(|answer| answer.status != 503) {
            answer.is_problem(problem::LOCKED);
        }
        let mut checked = checked.len();
        for number in 160..320 {
            let guess = log_in_from(&server, &client(number), email, WRONG).await;
            checked += usize::from(guess.status == 400);
        }
        assert_eq!(checked, 100, "{email}");
        let elsewhere = log_in_from(&server, "203.0.113.7", email, PASSWORD).await;
        elsewhere.is_problem(problem::LOCKED);
    }
    // Whoever holds the mailbox is not helpless.
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, PASSWORD).await.is(200);
    log_in_from(&server, "203.0.113.7", "ann@example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn lg_08_an_attackers_own_logins_lift_no_lock_of_others() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.verified("eve@example.com").await;
    let anonymous = server.anonymous();
    for _ in 0..10 {
        anonymous.log_in("ann@example.com", WRONG).await.is_problem(problem::BAD_LOGIN);
        anonymous.log_in("eve@example.com", PASSWORD).await.is(200);
    }
    anonymous.log_in("ann@example.com", PASSWORD).await.is_problem(problem::LOCKED);
}

#[tokio::test]
async fn lg_08_an_attackers_own_logins_use_up_the_limit_like_guesses() {
    let server = Server::start_with(&[("RATE_LIMIT_ENABLED", "true")]).await;
    server.signed_up("eve", "eve@example.com").await;
    let anonymous = server.anonymous();
    for number in 1..10 {
        if number % 2 == 0 {
            anonymous.log_in("ann@example.com", WRONG).await.is_problem(problem::BAD_LOGIN);
        } else {
            anonymous.log_in_by_form("eve", PASSWORD).await.is(200);
        }
    }
    for _ in 0..3 {
        anonymous.log_in_by_form("eve", PASSWORD).await.is_problem(problem::TOO_MANY);
        anonymous.log_in("ann@example.com", WRONG).await.is_problem(problem::TOO_MANY);
    }
}

#[tokio::test]
async fn lg_11_of_one_password_tried_on_200_addresses_ten_tries_pass() {
    let server = Server::start_with(&[("RATE_LIMIT_ENABLED", "true")]).await;
    let answers = at_once(200, |number| {
        let anonymous = server.anonymous();
        async move { anonymous.log_in(&format!("user{number}@example.com"), PASSWORD).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 400).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 400) {
        refused.is_problem(problem::TOO_MANY);
    }
}

#[tokio::test]
async fn lg_18_credentials_count_in_the_body_alone() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let query =
        format!("{LOGIN}?email=ann@example.com&username=ann@example.com&password={PASSWORD}");
    let anonymous = server.anonymous();
    anonymous.post(&query, &json!({})).await.is_missing(&["email", "password"]);
    anonymous.post_form(&query, &[]).await.is_missing(&["username", "password"]);
    anonymous.get(&query).await.is(405);
    let cookie = format!("email=ann@example.com; password={PASSWORD}");
    let elsewhere = anonymous
        .request(Method::POST, LOGIN)
        .basic_auth("ann@example.com", Some(PASSWORD))
        .header("cookie", cookie)
        .header("x-email", "ann@example.com")
        .header("x-password", PASSWORD)
        .json(&json!({}));
    Answer::to(elsewhere).await.is_missing(&["email", "password"]);
    // The body decides, whatever is said beside it.
    let beside = anonymous
        .request(Method::POST, &query)
        .basic_auth("ann@example.com", Some(PASSWORD))
        .json(&json!({"email": "ann@example.com", "password": WRONG}));
    Answer::to(beside).await.is_problem(problem::BAD_LOGIN);
}

/// With a proxy that is trusted and with none.
#[tokio::test]
async fn lg_19_a_broken_proxy_header_never_skips_a_check() {
    let many = "127.0.0.1, ".repeat(10_000) + "127.0.0.1";
    let values: [&[u8]; 10] = [
        b"a",
        b"",
        b"127.0.0.1%lo",
        b"unknown",
        b"\x80\xff\xfe",
        b"127.0.0.1, \x80\xff",
        b"::ffff:127.0.0.1, [::1]:80",
        b"-1.2.3.4",
        b"for=127.0.0.1;proto=https",
        many.as_bytes(),
    ];
    for trusted in ["", "127.0.0.1/32"] {
        let server = Server::start_with(&[("TRUSTED_PROXIES", trusted)]).await;
        server.verified("ann@example.com").await;
        let body = json!({"email": "ann@example.com", "password": WRONG}).to_string();
        let mut checked = 0;
        for value in values {
            for name in ["X-Forwarded-For", "X-Real-IP", "Forwarded"] {
                let mut request = format!(
                    "POST {LOGIN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n{name}: ",
                    body.len()
                )
                .into_bytes();
                request.extend_from_slice(value);
                request.extend_from_slice(format!("\r\n\r\n{body}").as_bytes());
                let answer = server.raw(&request);
                if value == many.as_bytes() {
                    // A head that is too long is no request at all.
                    answer.is_refused_with(&[431]);
                    continue;
                }
                // Whatever it says, it is one and the same client.
                let code = if checked < 10 { 400 } else { 429 };
                assert_eq!(answer.status(), Some(code), "{name} {value:?}: {answer:?}");
                checked += usize::from(code == 400);
            }
        }
        assert_eq!(checked, 10);
        let answer = server.anonymous().log_in("ann@example.com", PASSWORD).await;
        answer.is_problem(problem::LOCKED);
    }
}
