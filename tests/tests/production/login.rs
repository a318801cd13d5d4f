//! Logging in on Postgres: accounts that were disabled, text that means
//! something to a database, and tables full of other people's failures.

use std::time::{Duration, Instant};

use portcullis_testkit::Redis;
use portcullis_tests::{PASSWORD, Server, problem};
use serde_json::json;

use crate::backends::Backends;

const WRONG: &str = "wrong password";

#[tokio::test]
async fn lg_15_a_disabled_account_logs_in_nowhere_and_its_tokens_are_dead() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let ann = server.logged_in("ann@example.com").await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    ann.is_alive().await;
    john.is_alive().await;
    backends.sql("UPDATE users SET is_active = false");
    ann.me().await.is_unauthorized();
    ann.anonymous().refresh(&ann.refresh).await.is_problem(problem::BAD_REFRESH);
    john.users_me().await.is_unauthorized();
    john.anonymous().refresh(&john.refresh).await.is_problem(problem::BAD_REFRESH);
    let anonymous = server.anonymous();
    anonymous.log_in("ann@example.com", PASSWORD).await.is_problem(problem::BAD_LOGIN);
    anonymous.log_in_by_form("johndoe", PASSWORD).await.is_problem(problem::BAD_FORM_LOGIN);
}

/// Strings that would change a statement, a pattern or a shell command that
/// they were pasted into; three of them would take ten seconds.
const INJECTIONS: [&str; 14] = [
    "' OR '1'='1",
    "' OR 1=1 --",
    "'; SELECT pg_sleep(10); --",
    "' || (SELECT pg_sleep(10)) || '",
    "1; SELECT pg_sleep(10)",
    "'; DROP TABLE users; --",
    "\\",
    "\\'; --",
    "$$",
    "$1",
    "%",
    "_",
    "{\"$gt\":\"\"}",
    "*)(uid=*))(|(uid=*",
];

/// Every field that reaches the database, one after the other.
async fn inject(server: &Server, access: &str, text: &str) {
    let anonymous = server.anonymous();
    let mut answers = vec![
        anonymous.log_in(text, PASSWORD).await,
        anonymous.log_in(&format!("{text}@example.com"), PASSWORD).await,
        anonymous.log_in("ann@example.com", text).await,
        anonymous.log_in_by_form(text, PASSWORD).await,
        anonymous.log_in_by_form("ann@example.com", text).await,
        anonymous.refresh(text).await,
        anonymous.verify(text).await,
        anonymous.confirm_reset(text, "NewSecurePass456!").await,
        anonymous.register_with(text, PASSWORD).await,
    ];
    let mut bearer =
        anonymous.with_tokens_of(&anonymous.log_in("ann@example.com", PASSWORD).await.expect(200));
    bearer.access = access.to_owned();
    answers.push(bearer.log_out_with(text).await);
    for answer in answers {
        assert!((400..=422).contains(&answer.status), "{text}: {answer:?}");
        assert!(
            answer.body["detail"].is_string() || answer.body["detail"].is_array(),
            "{answer:?}"
        );
    }
    // A name may hold anything; it is kept as it is.
    let renamed = bearer.patch_me(&json!({"name": text})).await.expect(200);
    assert_eq!(renamed.str("/name"), text);
}

#[tokio::test]
async fn lg_16_what_means_something_to_a_database_is_only_text() {
    let backends = Backends::new().with("LOCKOUT_THRESHOLD", "1000");
    let server = backends.instance().await;
    let ann = server.logged_in("ann@example.com").await;
    for text in INJECTIONS {
        let started = Instant::now();
        inject(&server, &ann.access, text).await;
        assert!(started.elapsed() < Duration::from_secs(8), "{text}: {:?}", started.elapsed());
    }
    assert_eq!(backends.sql("SELECT count(*) FROM users"), "1");
    ann.is_alive().await;
}

/// Neither in the database nor in Redis.
#[tokio::test]
async fn lg_14_counters_are_not_pushed_out_by_other_peoples() {
    let redis = Redis::start();
    let backends = Backends::new()
        .with_redis(&redis)
        .with("TRUSTED_PROXIES", "127.0.0.1/32")
        .with("RATE_LIMIT_ENABLED", "true")
        // However long the others take, the window does not end meanwhile.
        .with("RATE_LIMIT_WINDOW", "10m");
    let server = backends.instance().await;
    server.signed_up("johndoe", "john@example.com").await;
    let guess = |client: &str, username: &str| {
        let header = format!("X-Forwarded-For: {client}");
        let body = format!("username={username}&password={}", WRONG.replace(' ', "+"));
        format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n{header}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    };
    let mut connection = server.connect();
    for _ in 0..9 {
        assert_eq!(connection.ask(&guess("203.0.113.7", "johndoe")).status(), Some(401));
    }
    // As many others as no attacker fills in a day, and some by requests.
    backends.sql(
        "INSERT INTO login_failures SELECT sha256(n::text::bytea), '198.51.100.1', 1, now(), NULL
         FROM generate_series(1, 200000) AS n",
    );
    for number in 0..3000 {
        let client = format!("10.{}.{}.1", number / 250, number % 250);
        // What nobody can be called is refused without a hash, and counts.
        assert_eq!(connection.ask(&guess(&client, "no+name")).status(), Some(401));
    }
    assert_eq!(connection.ask(&guess("203.0.113.7", "johndoe")).status(), Some(401));
    let limited = connection.ask(&guess("203.0.113.7", "johndoe"));
    assert!(limited.text.contains("RATE_LIMIT_EXCEEDED"), "{limited:?}");
    // Without the limit of requests, the lock would say no.
    assert_eq!(redis.command(&["flushall"]).trim(), "OK");
    let locked = connection.ask(&guess("203.0.113.7", "johndoe"));
    assert!(locked.text.contains("ACCOUNT_LOCKED"), "{locked:?}");
}
