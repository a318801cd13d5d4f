//! Getting round the limits (RL).

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portcullis_tests::{Connection, NAME, PASSWORD, Server, post_of, problem};
use reqwest::Method;
use serde_json::json;

const LOGIN: &str = "/api/v1/auth/login";

async fn limited(settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("RATE_LIMIT_ENABLED", "true"), ("LOCKOUT_THRESHOLD", "500")];
    all.extend(settings);
    Server::start_with(&all).await
}

/// A guess with these lines among its headers; whether it passed the limit.
fn passes(connection: &mut Connection, headers: &[&str]) -> bool {
    let body = json!({"email": "nobody@example.com", "password": PASSWORD});
    let answer = connection.ask(&post_of(LOGIN, headers, &body));
    match answer.status() {
        Some(400) => true,
        Some(429) if answer.text.contains("RATE_LIMIT_EXCEEDED") => false,
        _ => panic!("{headers:?}: {answer:?}"),
    }
}

#[tokio::test]
async fn rl_01_registering_has_the_strict_limit_too() {
    let server = limited(&[]).await;
    for number in 0..10 {
        let answer = server.anonymous().register(&format!("user{number}@example.com")).await;
        assert_eq!(answer.expect(201).number("x-ratelimit-remaining"), 9 - number);
    }
    let refused = server.anonymous().register("late@example.com").await;
    refused.is_problem(problem::TOO_MANY);
    assert!((1..=60).contains(&refused.number("retry-after")), "{refused:?}");
    assert_eq!(refused.number("x-ratelimit-limit"), 10);
    assert_eq!(refused.number("x-ratelimit-remaining"), 0);
    // Logging in counts with it.
    server.anonymous().log_in("user1@example.com", PASSWORD).await.is_problem(problem::TOO_MANY);
}

/// Whoever asks all the time, over the edges of every clock: a request and the
/// tenth after it are a whole window apart, so the latest moment of the one is
/// later than the earliest of the other by that much.
#[tokio::test]
async fn rl_03_no_window_lets_more_than_the_limit_through() {
    const WINDOW: Duration = Duration::from_secs(2);
    let server = limited(&[("RATE_LIMIT_WINDOW", "2")]).await;
    let mut connection = server.connect();
    let (started, mut passed) = (Instant::now(), Vec::new());
    while started.elapsed() < WINDOW * 4 {
        let sent = Instant::now();
        if passes(&mut connection, &[]) {
            passed.push((sent, Instant::now()));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(passed.len() >= 20, "only {} passed", passed.len());
    for (earlier, later) in passed.iter().zip(passed.iter().skip(10)) {
        // The server's clock counts microseconds.
        let apart = later.1 - earlier.0 + Duration::from_millis(1);
        assert!(apart >= WINDOW, "eleven passed within {apart:?}");
    }
}

#[tokio::test]
async fn rl_05_of_50_requests_with_other_names_for_the_client_ten_pass() {
    let server = limited(&[]).await;
    let mut connection = server.connect();
    let names = [
        "X-Forwarded-For: {}",
        "Forwarded: for={}",
        "X-Real-IP: {}",
        "X-Client-IP: {}",
        "CF-Connecting-IP: {}",
        "True-Client-IP: {}",
        "X-Forwarded-For: 127.0.0.1, {}",
        "Forwarded: for=\"[2001:db8::{}]\"",
        "X-Cluster-Client-IP: {}",
        "Via: 1.1 {}",
    ];
    let passed = (0..50).filter(|number| {
        let header = names[number % names.len()].replace("{}", &format!("203.0.113.{number}"));
        passes(&mut connection, &[&header])
    });
    assert_eq!(passed.count(), 10);
}

/// What is written down is the peer, as the mail about a lock shows.
#[tokio::test]
async fn rl_05_a_name_for_the_client_by_a_stranger_is_written_down_nowhere() {
    let server = Server::start_with(&[("LOCKOUT_THRESHOLD", "1")]).await;
    server.verified("ann@example.com").await;
    let body = json!({"email": "ann@example.com", "password": "wrong password"});
    let forged = ["X-Forwarded-For: 203.0.113.7", "Forwarded: for=203.0.113.7"];
    let answer = server.connect().ask(&post_of(LOGIN, &forged, &body));
    assert_eq!(answer.status(), Some(400), "{answer:?}");
    let subject = "Your account is locked for a while";
    let mail = server.mailbox().mail("ann@example.com", subject).await;
    assert!(mail.text.contains("the network address 127.0.0.1"), "{}", mail.text);
    assert!(!mail.text.contains("203.0.113.7"), "{}", mail.text);
    assert!(!server.log().contains("203.0.113.7"), "{}", server.log());
}

/// The first stranger from the right counts, over several lines too; what makes
/// no sense ends the walk at the proxy that sent it.
#[tokio::test]
async fn rl_06_the_right_most_stranger_is_the_client_and_nonsense_is_the_proxy() {
    let server = limited(&[("TRUSTED_PROXIES", "127.0.0.1/32,10.0.0.0/8")]).await;
    let mut connection = server.connect();
    let mut used_up = |headers: &[&str], others: &[&[&str]]| {
        for number in 0..10 {
            // Left of the client anything may stand.
            let spoofed = format!("X-Forwarded-For: 198.51.100.{number}");
            let all: Vec<&str> =
                std::iter::once(spoofed.as_str()).chain(headers.iter().copied()).collect();
            assert!(passes(&mut connection, &all), "{headers:?}: {number}");
        }
        for same in others.iter().chain([&headers]) {
            assert!(!passes(&mut connection, same), "{same:?}");
        }
    };
    used_up(&["X-Forwarded-For: 203.0.113.7"], &[&["X-Forwarded-For: x, 203.0.113.7, 10.1.2.3"]]);
    used_up(
        &["X-Forwarded-For: 203.0.113.8", "X-Forwarded-For: 10.0.0.1"],
        &[&["X-Forwarded-For: 203.0.113.8,10.0.0.1 , 10.9.9.9"]],
    );
    used_up(
        &["X-Forwarded-For: not an address"],
        &[
            &[],
            &["X-Forwarded-For: "],
            &["X-Forwarded-For: 203.0.113.9, unknown"],
            &["X-Forwarded-For: 203.0.113.9:443"],
            &["X-Real-IP: 203.0.113.9"],
        ],
    );
}

#[tokio::test]
async fn rl_07_an_ipv6_client_is_its_64_and_a_mapped_one_is_ipv4() {
    let server = limited(&[("TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    let mut connection = server.connect();
    let mut passes =
        |client: &str| passes(&mut connection, &[&format!("X-Forwarded-For: {client}")]);
    for number in 0..10 {
        assert!(passes(&format!("2001:db8:1:2:{number}::{number}")), "{number}");
    }
    for same in ["2001:db8:1:2::", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:0db8:0001:0002::1"] {
        assert!(!passes(same), "{same}");
    }
    assert!(passes("2001:db8:1:3::1"), "the next network");
    for number in 0..10 {
        let client = if number % 2 == 0 { "::ffff:203.0.113.7" } else { "203.0.113.7" };
        assert!(passes(client), "{client}");
    }
    for same in ["203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"] {
        assert!(!passes(same), "{same}");
    }
    assert!(passes("203.0.113.8"), "the next address");
}

#[tokio::test]
async fn rl_08_a_fresh_token_brings_no_fresh_limit() {
    let limits = [("RATE_LIMIT_USER", "4"), ("RATE_LIMIT_STRICT", "100")];
    let server = limited(&limits).await;
    let ann = server.logged_in("ann@example.com").await;
    for number in (0..4).rev() {
        assert_eq!(ann.me().await.expect(200).number("x-ratelimit-remaining"), number);
    }
    ann.me().await.is_problem(problem::TOO_MANY);
    ann.refreshed().await.me().await.is_problem(problem::TOO_MANY);
    server.logged_in_again("ann@example.com").await.me().await.is_problem(problem::TOO_MANY);
}

/// Neither the victim's bucket is filled nor one's own left.
#[tokio::test]
async fn rl_09_a_token_that_was_not_verified_chooses_no_bucket() {
    let limits = [
        ("RATE_LIMIT_USER", "5"),
        ("RATE_LIMIT_DEFAULT", "100"),
        ("TRUSTED_PROXIES", "127.0.0.1/32"),
    ];
    let server = limited(&limits).await;
    let ann = server.logged_in("ann@example.com").await;
    let (head, _) = ann.access.split_once('.').unwrap();
    let claims = portcullis_tests::claims(&ann.access);
    let forged = |number: usize| {
        let mut claims = claims.clone();
        if number % 2 == 1 {
            claims["sub"] = json!(format!("00000000-0000-7000-8000-{number:012}"));
        }
        let body = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        format!("{head}.{body}.{}", "A".repeat(43))
    };
    let mut connection = server.connect();
    let statuses: Vec<_> = (0..500)
        .map(|number| {
            let request = format!(
                "GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\n\
                 Authorization: Bearer {}\r\n\r\n",
                forged(number)
            );
            connection.ask(request.as_bytes()).status().unwrap()
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 100);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 400);
    for _ in 0..5 {
        assert_eq!(ann.me().await.expect(200).str("/name"), NAME);
    }
    ann.me().await.is_problem(problem::TOO_MANY);
}

#[tokio::test]
async fn rl_12_what_is_not_there_has_a_limit_too() {
    let server = limited(&[("RATE_LIMIT_DEFAULT", "12")]).await;
    let anonymous = server.anonymous();
    for number in 0..6 {
        anonymous.get(&format!("/nowhere/{number}")).await.is_refused(404, "NOT_FOUND");
        let put = anonymous.request(Method::PUT, "/api/v1/auth/refresh");
        let answer = portcullis_tests::Answer::to(put).await;
        answer.is_refused(405, "METHOD_NOT_ALLOWED");
    }
    for path in ["/nowhere/7", "/", "/api", "/api/v1/auth/login/", "/.env", "/wp-login.php"] {
        anonymous.get(path).await.is_problem(problem::TOO_MANY);
    }
}
