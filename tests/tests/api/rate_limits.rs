//! Too many requests.

use std::time::Duration;

use portcullis_tests::{
    Anonymous, Answer, PASSWORD, Server, at_once, eventually, problem, unix_now,
};
use reqwest::Method;
use serde_json::json;

const LOGIN: &str = "/api/v1/auth/login";

async fn limited(settings: &[(&str, &str)]) -> Server {
    let mut all = vec![("RATE_LIMIT_ENABLED", "true"), ("LOCKOUT_THRESHOLD", "50")];
    all.extend(settings);
    Server::start_with(&all).await
}

/// A login that fails: it reaches the handler unless the limit stops it.
async fn guess(anonymous: &Anonymous) -> Answer {
    anonymous.log_in("nobody@example.com", PASSWORD).await
}

/// The same, with one more header.
async fn guess_with(server: &Server, name: &str, value: &str) -> Answer {
    let body = json!({"email": "nobody@example.com", "password": PASSWORD});
    let request = server.anonymous().request(Method::POST, LOGIN).header(name, value);
    Answer::to(request.json(&body)).await
}

async fn use_up(server: &Server) {
    for _ in 0..10 {
        guess(&server.anonymous()).await.is_problem(problem::BAD_LOGIN);
    }
}

#[track_caller]
fn is_limited(answer: &Answer) {
    answer.is_problem(problem::TOO_MANY);
    assert!((1..=60).contains(&answer.number("retry-after")), "{answer:?}");
    assert_eq!(answer.number("x-ratelimit-remaining"), 0, "{answer:?}");
}

#[tokio::test]
async fn rl_01_rl_02_the_eleventh_login_of_a_minute_is_refused_and_the_headers_count_down() {
    let server = limited(&[]).await;
    let mut first_reset = None;
    for left in (0..10).rev() {
        let answer = guess(&server.anonymous()).await;
        answer.is_problem(problem::BAD_LOGIN);
        // The first of them leaves the window first.
        let reset = answer.number("x-ratelimit-reset");
        assert_eq!(*first_reset.get_or_insert(reset), reset);
        assert_eq!(answer.number("x-ratelimit-limit"), 10);
        assert_eq!(answer.number("x-ratelimit-remaining"), left);
        let (now, reset) = (unix_now(), answer.number("x-ratelimit-reset"));
        assert!((now..=now + 61).contains(&reset), "{reset} is not within a minute of {now}");
        assert_eq!(answer.header("retry-after"), None);
    }
    let refused = guess(&server.anonymous()).await;
    is_limited(&refused);
    assert_eq!(refused.number("x-ratelimit-limit"), 10);
}

#[tokio::test]
async fn rl_01_every_strict_route_has_a_limit() {
    for path in [
        "login",
        "signup",
        "register",
        "password-reset/request",
        "password-reset/confirm",
        "verify-email/resend",
    ] {
        let server = limited(&[("RATE_LIMIT_STRICT", "2")]).await;
        let path = format!("/api/v1/auth/{path}");
        for _ in 0..2 {
            let answer = server.anonymous().post(&path, &json!({})).await;
            assert_ne!(answer.status, 429, "{path}: {answer:?}");
            assert_eq!(answer.number("x-ratelimit-limit"), 2, "{path}");
        }
        is_limited(&server.anonymous().post(&path, &json!({})).await);
    }
}

#[tokio::test]
async fn rl_04_of_200_at_once_exactly_ten_pass() {
    let server = limited(&[]).await;
    let answers = at_once(200, |_| {
        let anonymous = server.anonymous();
        async move { guess(&anonymous).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 400).count(), 10);
    for refused in answers.iter().filter(|answer| answer.status != 400) {
        is_limited(refused);
    }
}

#[tokio::test]
async fn rl_05_forwarding_headers_of_strangers_have_no_effect() {
    let server = limited(&[]).await;
    use_up(&server).await;
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("x-client-ip", "203.0.113.7"),
        ("cf-connecting-ip", "203.0.113.7"),
        ("true-client-ip", "203.0.113.7"),
        ("x-forwarded-for", "unknown"),
    ] {
        is_limited(&guess_with(&server, name, value).await);
    }
}

#[tokio::test]
async fn rl_06_a_trusted_proxy_names_the_client_and_what_stands_left_of_it_is_ignored() {
    let server = limited(&[("TRUSTED_PROXIES", "127.0.0.1/32,10.0.0.0/8")]).await;
    for spoofed in 0..10 {
        let chain = format!("198.51.100.{spoofed}, 203.0.113.7, 10.0.0.1");
        guess_with(&server, "x-forwarded-for", &chain).await.is_problem(problem::BAD_LOGIN);
    }
    is_limited(&guess_with(&server, "x-forwarded-for", "198.51.100.99, 203.0.113.7").await);
    let other = guess_with(&server, "x-forwarded-for", "203.0.113.7, 203.0.113.8").await;
    other.is_problem(problem::BAD_LOGIN);
}

#[tokio::test]
async fn rl_06_lg_19_a_forwarding_header_that_makes_no_sense_skips_no_check() {
    let server = limited(&[("TRUSTED_PROXIES", "127.0.0.1/32")]).await;
    let long = "127.0.0.1,".repeat(500) + "x";
    for nonsense in ["a", "127.0.0.1%lo", "unknown", ",,,", "999.1.1.1", &long] {
        let answer = guess_with(&server, "x-forwarded-for", nonsense).await;
        answer.is_problem(problem::BAD_LOGIN);
    }
    for _ in 6..10 {
        guess_with(&server, "x-forwarded-for", "a").await.is_problem(problem::BAD_LOGIN);
    }
    is_limited(&guess_with(&server, "x-forwarded-for", "a").await);
}

#[tokio::test]
async fn lg_13_other_spellings_of_the_path_reach_no_handler() {
    let server = limited(&[]).await;
    use_up(&server).await;
    let body = format!("{{\"email\":\"nobody@example.com\",\"password\":\"{PASSWORD}\"}}");
    for path in [
        "/api/v1/auth/login/",
        "/api/v1/auth//login",
        "//api/v1/auth/login",
        "/api/v1/auth/LOGIN",
        "/api/v1/auth/%6cogin",
        "/api/v1/auth/./login",
        "/api/v1/auth/x/../login",
        "/api/v1/auth%2flogin",
        "/api/v1/auth/login;a=1",
        "/api/v1/auth/login?x=1",
        "/api/v1/auth/login%00",
        "http://elsewhere.example/api/v1/auth/login",
    ] {
        let answer = server.raw(format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let status = answer.status();
        // 400: no request of HTTP that this server accepts.
        let reaches_nobody = matches!(status, Some(404 | 429))
            || status == Some(400) && answer.text.contains("BAD_REQUEST");
        assert!(reaches_nobody, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn rl_03_the_window_slides_and_refused_requests_use_up_nothing() {
    let server = limited(&[("RATE_LIMIT_WINDOW", "2")]).await;
    use_up(&server).await;
    is_limited(&guess(&server.anonymous()).await);
    eventually("a place in the window", Duration::from_secs(5), async || {
        (guess(&server.anonymous()).await.status == 400).then_some(())
    })
    .await;
}

#[tokio::test]
async fn rl_08_a_users_sessions_share_one_limit_and_nobody_elses() {
    let server = limited(&[
        ("RATE_LIMIT_USER", "4"),
        ("RATE_LIMIT_STRICT", "100"),
        ("RATE_LIMIT_DEFAULT", "1000"),
    ])
    .await;
    let first = server.logged_in("ann@example.com").await;
    let second = server.logged_in_again("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    for session in [&first, &second, &first, &second] {
        session.me().await.is(200);
    }
    is_limited(&first.me().await);
    is_limited(&second.me().await);
    is_limited(&first.refreshed().await.me().await);
    bob.me().await.is(200);
}

#[tokio::test]
async fn rl_09_a_forged_token_uses_up_nobodys_limit() {
    let server = limited(&[("RATE_LIMIT_USER", "4"), ("RATE_LIMIT_DEFAULT", "1000")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let signed = ann.access.rsplit_once('.').unwrap().0;
    let mut forged = ann.clone();
    forged.access = format!("{signed}.{}", "A".repeat(43));
    for _ in 0..8 {
        forged.me().await.is_problem(problem::BAD_BEARER);
    }
    ann.me().await.is(200);
}

#[tokio::test]
async fn everything_else_has_the_general_limit() {
    let server = limited(&[("RATE_LIMIT_DEFAULT", "3")]).await;
    for _ in 0..3 {
        let answer = server.anonymous().refresh("unknown").await;
        answer.is_problem(problem::BAD_REFRESH);
        assert_eq!(answer.number("x-ratelimit-limit"), 3);
    }
    is_limited(&server.anonymous().refresh("unknown").await);
}

#[tokio::test]
async fn public_pages_have_their_own_limit() {
    let server = limited(&[("RATE_LIMIT_LENIENT", "20")]).await;
    let mut passed = 0;
    let refused = loop {
        let answer = server.anonymous().get("/health").await;
        if answer.status == 429 {
            break answer;
        }
        answer.is(200);
        assert_eq!(answer.number("x-ratelimit-limit"), 20);
        passed += 1;
        assert!(passed <= 20, "the limit does not hold");
    };
    is_limited(&refused);
    // Waiting for the start has used up some.
    assert!(passed >= 10, "only {passed} passed");
    guess(&server.anonymous()).await.is_problem(problem::BAD_LOGIN);
}

#[tokio::test]
async fn without_limits_there_are_no_limit_headers() {
    let server = Server::start().await;
    for _ in 0..12 {
        let answer = guess(&server.anonymous()).await;
        assert_eq!(answer.header("x-ratelimit-limit"), None);
        if answer.status == 429 {
            // Ten wrong passwords lock, whatever the limits.
            answer.is_problem(problem::LOCKED);
        }
    }
}
