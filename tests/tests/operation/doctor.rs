//! `portcullis doctor`: what is well, what is not, and what to do about it.

mod databases;
mod traces;

use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis, SmtpSink, free_port};
use portcullis_tests::{Outcome, run};
use serde_json::Value;

const SECRET: &str = "canary-secret-that-all-instances-share";
const PASSWORD: &str = "canary-password";

/// A dead dependency costs seconds, whatever else is dead beside it.
const SECONDS: Duration = Duration::from_secs(8);

fn doctor(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Outcome {
    let started = Instant::now();
    let outcome = run(folder, &[&["doctor"], arguments].concat(), settings);
    assert!(started.elapsed() < SECONDS, "{:?}: {}", started.elapsed(), outcome.said());
    assert!(!outcome.said().contains("canary"), "{}", outcome.said());
    assert!(!outcome.said().contains("panicked"), "{}", outcome.said());
    outcome
}

fn report(folder: &Path, settings: &[(&str, &str)]) -> (Outcome, Value) {
    let outcome = doctor(folder, &["--json"], settings);
    let report = serde_json::from_str(&outcome.stdout).unwrap();
    (outcome, report)
}

/// What a report says about something.
fn findings<'a>(report: &'a Value, what: &str) -> Vec<&'a Value> {
    let checks = report["checks"].as_array().unwrap().iter();
    checks.filter(|check| check["what"] == what).collect()
}

fn finding<'a>(report: &'a Value, what: &str, state: &str) -> &'a Value {
    let found = findings(report, what).into_iter().find(|check| check["state"] == state);
    found.unwrap_or_else(|| panic!("{what} is not {state}: {report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_deployment_is_found_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::shared();
    let empty = postgres.empty_database();
    let database = postgres.url_of("test", PASSWORD, empty.rsplit_once('/').unwrap().1);
    let redis = Redis::start_with(&["--requirepass", PASSWORD]);
    let redis = format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port());
    let smtp = SmtpSink::with_login("ann", PASSWORD).await;
    let smtp_url = format!("smtp://ann:{PASSWORD}@{}", smtp.address());
    let settings = [
        ("DATABASE_URL", database.as_str()),
        ("REDIS_URL", &redis),
        ("SECRET_KEY", SECRET),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("CORS_ORIGINS", "https://app.example.com"),
        ("DOCS_ENABLED", "false"),
        ("MAIL_PROVIDER", "smtp"),
        ("SMTP_URL", &smtp_url),
        ("MAIL_FROM", "Example <auth@example.com>"),
    ];
    let (outcome, before) = report(folder.path(), &settings);
    assert!(outcome.status.success(), "{}", outcome.said());
    let behind = finding(&before, "database schema", "warning");
    assert!(behind["to_do"].as_str().unwrap().contains("portcullis migrate"), "{behind}");
    assert!(run(folder.path(), &["migrate"], &settings).status.success());

    let (outcome, report) = report(folder.path(), &settings);
    assert!(outcome.status.success(), "{}", outcome.said());
    assert_eq!(report["healthy"], true);
    for (what, told) in [
        ("settings", "valid"),
        ("database", "Postgres 1"),
        ("database encryption", "none, on this machine"),
        ("database clock", "within"),
        ("database schema", "at this version"),
        ("database pooler", "prepared statements"),
        ("redis", "Redis "),
        ("redis encryption", "none, on this machine"),
        ("redis eviction", "noeviction"),
        ("smtp", "login accepted"),
        ("mail sender", "auth@example.com"),
        ("secret key", "set"),
        ("signing keys", "HS256"),
        ("client address", "127.0.0.1"),
        ("unsafe settings", "none"),
    ] {
        let found = finding(&report, what, "ok")["found"].as_str().unwrap();
        assert!(found.contains(told), "{what}: {found}");
    }
    for what in ["object store", "firebase", "app store", "trace collector"] {
        finding(&report, what, "off");
    }
    let spf = finding(&report, "mail sender", "ok");
    assert!(spf["to_do"].as_str().unwrap().contains("dig TXT example.com"), "{spf}");
    assert!(smtp.messages().is_empty(), "a mail was sent");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it leaves something behind");
}

#[test]
fn what_runs_without_a_setting_is_healthy_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, before) = report(folder.path(), &[]);
    assert!(outcome.status.success(), "{}", outcome.said());
    assert!(finding(&before, "database", "ok")["found"].as_str().unwrap().contains("first start"));
    finding(&before, "redis", "off");
    finding(&before, "mail", "off");
    finding(&before, "disk space", "ok");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it leaves something behind");

    assert!(run(folder.path(), &["migrate"], &[]).status.success());
    let outcome = doctor(folder.path(), &[], &[]);
    assert!(outcome.status.success(), "{}", outcome.said());
    for told in ["SQLite 3", "data/portcullis.db", "disk space", "all is well"] {
        assert!(outcome.stdout.contains(told), "{told}: {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains('\u{1b}'), "colours for a file: {}", outcome.stdout);
}

#[test]
fn a_secret_that_the_server_would_refuse_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/secret.key"), "").unwrap();
    let (outcome, report) = report(folder.path(), &[]);
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.said());
    finding(&report, "secret key", "wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_broken_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start_with(&["--requirepass", "another"]);
    let redis = format!("redis://:{PASSWORD}@127.0.0.1:{}", redis.port());
    let database = format!("postgres://ann:{PASSWORD}@127.0.0.1:{}/auth", free_port());
    let smtp = format!("smtp://ann:{PASSWORD}@127.0.0.1:{}", free_port());
    let settings = [
        ("DATABASE_URL", database.as_str()),
        ("REDIS_URL", &redis),
        ("SECRET_KEY", SECRET),
        ("SECRET_KEY_PREVIOUS", "canary-short"),
        ("HASHING_PATIENCE", "long"),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("HOST", "0.0.0.0"),
        ("MAIL_PROVIDER", "smtp,resend"),
        ("RESEND_API_KEY", "canary-key"),
        ("SMTP_URL", &smtp),
        ("SEEDING_USER_COUNT", "10"),
        ("RATE_LIMIT_ENABLED", "false"),
    ];
    let (outcome, report) = report(folder.path(), &settings);
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.said());
    assert_eq!(report["healthy"], false);
    for (what, told) in [
        ("database", "cannot be connected to"),
        ("redis", "authentication failed"),
        ("smtp", "cannot be reached"),
    ] {
        let found = finding(&report, what, "wrong");
        assert!(found["found"].as_str().unwrap().contains(told), "{found}");
        assert!(!found["to_do"].as_str().unwrap().is_empty(), "{found}");
    }
    let mistakes = findings(&report, "settings");
    for name in ["HASHING_PATIENCE", "SECRET_KEY_PREVIOUS"] {
        let is_told = |mistake: &&Value| mistake["found"].as_str().unwrap().starts_with(name);
        assert!(mistakes.iter().any(is_told), "{name}: {report:#}");
    }
    finding(&report, "resend", "ok");
    finding(&report, "client address", "warning");
    finding(&report, "mail sender", "warning");
    let risks: Vec<_> = findings(&report, "unsafe settings");
    for name in ["SEEDING_USER_COUNT", "RATE_LIMIT_ENABLED", "CORS_ORIGINS", "DOCS_ENABLED"] {
        let is_told = |risk: &&Value| risk["found"].as_str().unwrap().starts_with(name);
        assert!(risks.iter().any(is_told), "{name}: {report:#}");
    }
}

#[test]
fn what_is_silent_costs_seconds_and_refused_logins_are_told_from_absence() {
    let folder = tempfile::tempdir().unwrap();
    // Accepts connections and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let settings = [
        ("DATABASE_URL", format!("postgres://ann@{silent}/auth")),
        ("REDIS_URL", format!("redis://{silent}")),
        ("SECRET_KEY", SECRET.to_owned()),
        ("MAIL_PROVIDER", "smtp".to_owned()),
        ("SMTP_URL", format!("smtp://{silent}")),
    ];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let (outcome, report) = report(folder.path(), &settings);
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.said());
    for what in ["database", "redis"] {
        finding(&report, what, "wrong");
    }
    // What is silent hides nothing else.
    finding(&report, "smtp", "wrong");
    finding(&report, "mail sender", "warning");

    let postgres = Postgres::shared();
    let nowhere = postgres.url("nowhere");
    let settings = [("DATABASE_URL", nowhere.as_str()), ("SECRET_KEY", SECRET)];
    let outcome = doctor(folder.path(), &[], &settings);
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.said());
    assert!(outcome.stdout.contains("create the database"), "{}", outcome.stdout);
}

#[test]
fn a_redis_that_forgets_counters_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start_with(&["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]);
    let url = redis.url();
    let (outcome, report) = report(folder.path(), &[("REDIS_URL", &url)]);
    assert!(outcome.status.success(), "warnings alone: {}", outcome.said());
    let eviction = finding(&report, "redis eviction", "warning");
    assert!(eviction["to_do"].as_str().unwrap().contains("noeviction"), "{eviction}");
}
