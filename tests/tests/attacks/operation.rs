//! Running it: logs, settings, probes (OP).

use std::time::{Duration, Instant};

use portcullis_tests::{Answer, PASSWORD, Server, eventually, problem, run};
use reqwest::Method;
use serde_json::{Value, json};

/// The lines of a log, each of which is JSON.
#[track_caller]
fn lines(server: &Server) -> Vec<Value> {
    let log = server.log();
    // What was said before logging began is for people.
    let lines = log.lines().filter(|line| line.starts_with('{') || line.contains("level"));
    lines
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

#[tokio::test]
async fn op_02_one_event_is_one_line_whatever_it_quotes() {
    let server = Server::start_with(&[("LOG_FORMAT", "json"), ("LOG_LEVEL", "debug")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let forged = "\n{\"level\":\"ERROR\",\"forged\":true}";
    let escape = "\u{1b}[31mred\u{1b}[0m";
    for text in [forged, escape, "\r\n\r\nforged", "\u{9b}31m", "\u{85}forged", "\u{2028}forged"] {
        drop(ann.patch_me(&json!({"name": text})).await);
        drop(server.anonymous().register(&format!("{text}@example.com")).await);
        drop(server.anonymous().log_in_by_form(text, PASSWORD).await);
        let encoded: String =
            text.bytes().fold(String::new(), |all, byte| all + &format!("%{byte:02x}"));
        drop(server.anonymous().get(&format!("/api/v1/auth/verify-email/{encoded}")).await);
        drop(server.anonymous().get(&format!("/{encoded}?{encoded}")).await);
        let agent: Vec<u8> = text.bytes().filter(|byte| !b"\r\n\0".contains(byte)).collect();
        if let Ok(agent) = reqwest::header::HeaderValue::from_bytes(&agent) {
            let request = server.anonymous().request(Method::GET, "/health");
            drop(Answer::to(request.header("user-agent", agent)).await);
        }
    }
    let raw = "GET /\u{1b}[31m HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\u{1b}b\r\nConnection: close\r\n\r\n";
    drop(server.raw(raw));
    let log = server.log();
    assert!(!log.contains('\u{1b}') && !log.contains('\u{9b}'), "{log}");
    assert!(!log.contains("forged\":true"), "{log}");
    // Also for whoever takes other characters for the end of a line.
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    let is_forged = |line: &str| line.starts_with("forged") || line.contains("\"forged\":");
    assert!(!log.split(ends).any(is_forged), "{log}");
    let answered = lines(&server).iter().filter(|line| line["message"] == "answered").count();
    assert!(answered >= 30, "{answered} lines");
}

/// Whoever follows up a session in the log finds its requests: those that opened it,
/// refreshed it, and were made with its tokens.
#[tokio::test]
async fn lines_name_the_user_and_the_session_once_they_are_known() {
    let server = Server::start_with(&[("LOG_FORMAT", "json")]).await;
    let ann = server.logged_in("ann@example.com").await;
    ann.me().await.is(200);
    server.anonymous().refresh(&ann.refresh).await.is(200);
    server.anonymous().get("/api/v1/auth/me").await.is(403);
    let of = |route: &str| {
        let is_meant = |line: &&Value| line["message"] == "answered" && line["route"] == route;
        let lines = lines(&server);
        let line = lines.iter().rfind(is_meant).unwrap();
        [line["user"].clone(), line["session"].clone()]
    };
    let [user, session] = of("/api/v1/auth/login");
    assert!(user.is_string() && session.is_string(), "{user} {session}");
    assert_eq!(of("/api/v1/auth/refresh"), [user.clone(), session.clone()]);
    let lines = lines(&server);
    let reads = lines.iter().filter(|line| line["route"] == "/api/v1/auth/me");
    let reads: Vec<_> = reads.map(|line| (&line["user"], &line["session"])).collect();
    assert_eq!(reads, [(&user, &session), (&Value::Null, &Value::Null)]);
}

#[tokio::test]
async fn op_02_lines_for_people_hold_no_escapes_of_strangers_either() {
    let server = Server::start_with(&[("LOG_FORMAT", "pretty"), ("LOG_LEVEL", "debug")]).await;
    for text in ["\u{1b}]0;title\u{7}", "a\nforged line"] {
        drop(server.anonymous().log_in_by_form(text, PASSWORD).await);
        drop(
            server
                .anonymous()
                .post("/api/v1/auth/register", &json!({"name": text, "email": text}))
                .await,
        );
    }
    let log = server.log();
    assert!(
        !log.contains("]0;title") && !log.lines().any(|line| line.starts_with("forged")),
        "{log}"
    );
}

#[tokio::test]
async fn op_03_what_concerns_safety_is_logged_with_who_when_and_from_where() {
    let server = Server::start_with(&[
        ("LOG_FORMAT", "json"),
        ("LOCKOUT_THRESHOLD", "3"),
        ("REFRESH_GRACE", "0s"),
        ("RATE_LIMIT_ENABLED", "true"),
        ("RATE_LIMIT_STRICT", "40"),
    ])
    .await;
    let ann = server.logged_in("ann@example.com").await;
    let renewed = ann.refreshed().await;
    renewed.refreshed().await;
    ann.anonymous().refresh(&ann.refresh).await.is_problem(problem::BAD_REFRESH);
    server.logged_in_again("ann@example.com").await.log_out().await.is(204);
    for _ in 0..3 {
        server.anonymous().log_in("ann@example.com", "wrong password").await.is(400);
    }
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is_problem(problem::LOCKED);
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "NewSecurePass456!").await.is(200);
    server.signed_up("johndoe", "john@example.com").await;
    // Others each time: it is not to be their lock.
    let mut others = (0..).map(|number| format!("nobody{number}@example.com"));
    while server.anonymous().log_in(&others.next().unwrap(), PASSWORD).await.status != 429 {}
    let lines = lines(&server);
    let text = server.log();
    assert!(!text.contains("ann@example.com"), "{text}");
    let events = |event: &str, outcome: Option<&str>| {
        let is_it = |line: &&Value| {
            line["event"] == event && outcome.is_none_or(|outcome| line["outcome"] == outcome)
        };
        lines.iter().filter(is_it).cloned().collect::<Vec<_>>()
    };
    for (event, outcome, who) in [
        ("registration", None, "user"),
        ("email_verified", None, "user"),
        ("login", Some("success"), "user"),
        ("login", Some("failure"), "who"),
        ("login", Some("locked"), "who"),
        ("refresh_token_reused", None, "user"),
        ("logout", None, "user"),
        ("password_reset", None, "user"),
    ] {
        let found = events(event, outcome);
        assert!(!found.is_empty(), "{event} {outcome:?} is not logged:\n{text}");
        for line in found {
            assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
            assert!(line[who].as_str().is_some_and(|who| who.len() >= 16), "{line}");
            let span = &line["span"];
            assert!(span["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
            assert_eq!(span["client"], "127.0.0.1", "{line}");
        }
    }
    assert_eq!(events("registration", None).len(), 2, "one of each contract:\n{text}");
    // Somebody's failures can be told to be the same person's, without a name.
    let failures = events("login", Some("failure"));
    assert_eq!(failures[0]["who"], failures[1]["who"]);
    assert_eq!(failures[0]["who"], events("login", Some("success"))[0]["who"]);
    let limited = lines.iter().find(|line| line["code"] == "RateLimitExceeded").unwrap();
    assert_eq!((&limited["status"], &limited["client"]), (&json!(429), &json!("127.0.0.1")));
}

#[test]
fn op_06_what_is_unsafe_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let strong = ("SECRET_KEY", "canary-a-secret-that-is-long-enough");
    for (settings, named) in [
        (&[("SECRET_KEY", "")][..], "SECRET_KEY"),
        (&[("SECRET_KEY", "canary")], "SECRET_KEY"),
        (&[("SECRET_KEY_FILE", "/nowhere")], "SECRET_KEY_FILE"),
        (&[("CORS_ORIGINS", "*,https://app.example.com"), strong], "CORS_ORIGINS"),
        (&[("HOST", "0.0.0.0"), ("PUBLIC_URL", "http://auth.example.com"), strong], "PUBLIC_URL"),
        (&[("HOST", "0.0.0.0"), ("BCRYPT_ROUNDS", "5"), strong], "BCRYPT_ROUNDS"),
        (&[("DATABASE_URL", "postgres://ann:canary@127.0.0.1/auth")], "SECRET_KEY"),
        (&[("WORKERS", "513"), strong], "WORKERS"),
        (&[("PORT", "-1"), strong], "PORT"),
        (&[("ACCESS_TOKEN_TTL", "-5m"), strong], "ACCESS_TOKEN_TTL"),
        (&[("LOCKOUT_THRESHOLD", "ten"), strong], "LOCKOUT_THRESHOLD"),
        (&[("TRUSTED_PROXIES", "0.0.0.0/33"), strong], "TRUSTED_PROXIES"),
    ] {
        let outcome = run(folder.path(), &["serve"], settings);
        assert!(!outcome.status.success(), "{settings:?}");
        assert!(outcome.said().contains(named), "{settings:?}: {}", outcome.said());
        assert!(!outcome.said().contains("canary"), "{}", outcome.said());
        assert!(!outcome.said().contains("panicked"), "{}", outcome.said());
    }
    std::fs::write(folder.path().join(".env"), "LOCKOUT_TRESHOLD=5\n").unwrap();
    let outcome = run(folder.path(), &["serve"], &[strong]);
    assert!(
        !outcome.status.success() && outcome.said().contains("LOCKOUT_TRESHOLD"),
        "{}",
        outcome.said()
    );
}

#[tokio::test]
async fn op_07_secrets_are_not_where_others_can_read_them() {
    let secret = "canary-a-secret-that-is-long-enough";
    let server = Server::start_with(&[("SECRET_KEY", secret)]).await;
    assert!(!server.command_line().contains("canary"), "{}", server.command_line());
    assert!(server.command_line().trim_end().ends_with("serve"), "{}", server.command_line());
    for command in [
        &["--help"][..],
        &["serve", "--help"],
        &["config", "--help"],
        &["users", "import", "--help"],
    ] {
        let outcome = run(server.folder(), command, &[("SECRET_KEY", secret)]);
        assert!(outcome.status.success(), "{}", outcome.said());
        let said = outcome.said().to_lowercase();
        assert!(!said.contains("canary"), "{said}");
        // There is no option that would put one into the arguments.
        assert!(
            !["--secret", "--password", "--key", "--token"]
                .iter()
                .any(|option| said.contains(option)),
            "{said}"
        );
    }
    let outcome = run(server.folder(), &["serve", "--secret-key", "canary-in-arguments"], &[]);
    assert!(!outcome.status.success());
}

#[tokio::test]
async fn op_09_nobody_has_an_account_after_the_installation() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    for (name, password) in [
        ("admin", "admin"),
        ("admin", "password"),
        ("root", "root"),
        ("johndoe", "secretpassword"),
        ("test", "testpass123"),
        ("portcullis", "portcullis"),
    ] {
        anonymous.log_in_by_form(name, password).await.is_problem(problem::BAD_FORM_LOGIN);
        anonymous
            .log_in(&format!("{name}@example.com"), password)
            .await
            .is_problem(problem::BAD_LOGIN);
        anonymous
            .log_in("john.doe@example.com", "SecurePass123!")
            .await
            .is_problem(problem::BAD_LOGIN);
    }
    let export = server.folder().join("users.jsonl");
    let database = format!("sqlite://{}/data/portcullis.db", server.folder().display());
    let outcome = run(
        server.folder(),
        &["users", "export", "--output", export.to_str().unwrap()],
        &[("DATABASE_URL", &database)],
    );
    assert!(outcome.status.success(), "{}", outcome.said());
    assert_eq!(std::fs::read_to_string(export).unwrap().trim(), "");
}

#[tokio::test]
async fn op_10_a_server_that_is_told_to_stop_says_so_before_it_does() {
    let mut server = Server::start_with(&[("SHUTDOWN_DELAY", "3s")]).await;
    let anonymous = server.anonymous();
    let ready = anonymous.get("/health/ready").await.expect(200);
    ready.has_exactly(&["status"]);
    anonymous.get("/health/live").await.expect(200).has_exactly(&["status"]);
    let told = Instant::now();
    server.ask_to_stop();
    eventually("not ready", Duration::from_secs(2), async || {
        (anonymous.get("/health/ready").await.status == 503).then_some(())
    })
    .await;
    // New connections are still served meanwhile.
    anonymous.get("/health/live").await.is(200);
    anonymous.get("/health").await.is(200);
    anonymous.register("ann@example.com").await.is(201);
    assert!(server.stopped().await.success());
    assert!(told.elapsed() >= Duration::from_secs(3), "{:?}", told.elapsed());
}

#[tokio::test]
async fn op_11_there_is_nothing_to_be_measured_from_outside() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for path in [
        "/metrics",
        "/actuator",
        "/actuator/env",
        "/debug/pprof",
        "/debug/vars",
        "/server-status",
        "/env",
        "/info",
        "/status",
        "/stats",
        "/trace",
        "/admin",
        "/api/v1/metrics",
        "/.env",
        "/.git/config",
    ] {
        server.anonymous().get(path).await.is_refused(404, "NOT_FOUND");
        ann.get(path).await.is_refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn op_14_times_are_utc_wherever_the_server_stands() {
    let before = utc_of_the_system();
    let server = Server::start_with(&[("TZ", "Asia/Kolkata"), ("LOG_FORMAT", "json")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let answers = [
        (ann.me().await, "/created_at"),
        (ann.users_me().await, "/updated_at"),
        (server.anonymous().get("/health").await, "/timestamp"),
        (server.anonymous().get("/nothing").await, "/timestamp"),
        (ann.log_out_without_body().await, "/revoked_at"),
    ];
    let lines = lines(&server);
    let after = utc_of_the_system();
    // As texts of one length and one zone, times have the order of time.
    let is_now = |time: &str| (before.as_str()..=after.as_str()).contains(&&time[..19]);
    for (answer, pointer) in answers {
        answer.is_instant_at(pointer);
        assert!(is_now(answer.str(pointer)), "{before} to {after}: {answer:?}");
    }
    let token = portcullis_tests::claims(&ann.access);
    let now = portcullis_tests::unix_now();
    assert!(token["iat"].as_u64().unwrap().abs_diff(now) < 60, "{token}");
    assert!(!lines.is_empty());
    for line in lines {
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.ends_with('Z') && is_now(time), "{before} to {after}: {line}");
    }
}

/// The time by the system's own clock, in UTC.
fn utc_of_the_system() -> String {
    let output =
        std::process::Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every line of the log goes to a disk that is full.
#[tokio::test]
async fn r_37_a_log_that_cannot_be_written_takes_nothing_along() {
    let full = ["sh", "-c", "exec \"$@\" >/dev/full 2>/dev/full", "sh"];
    let mut server = Server::start_by(&full, &[]).await;
    let (mut answers, mut failures) = (0, 0);
    let ann = server.logged_in("ann@example.com").await;
    for _ in 0..100 {
        let answered = [
            ann.me().await,
            server.anonymous().get("/nothing").await,
            server.anonymous().log_in("x", "y").await,
        ];
        answers += answered.len();
        failures += answered.iter().filter(|answer| answer.status >= 500).count();
    }
    println!("{answers} answers while the log was full: {failures} failures");
    assert_eq!(failures, 0);
    assert!(!server.has_ended());
    ann.is_alive().await;
    assert!(server.terminate().await.success());
}
