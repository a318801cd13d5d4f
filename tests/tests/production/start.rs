//! Starting: ten at once, and what is said when it does not work.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis, free_port};
use portcullis_tests::{Outcome, at_once, run};

use crate::backends::Backends;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/postgres");

/// In every password of these tests.
pub(crate) const CANARY: &str = "canary";

/// Tries to serve, which must fail soon, in words that name the setting and the
/// cause and no secret.
#[track_caller]
pub(crate) fn is_refused(backends: &Backends, setting: &str, cause: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let outcome = run(folder.path(), &["serve"], &backends.settings());
    let (took, said) = (started.elapsed(), outcome.said());
    assert!(!outcome.status.success(), "{said}");
    assert!(said.contains(&format!("{setting}:")), "{setting} is not named: {said}");
    assert!(said.contains(cause), "{cause:?} is not told: {said}");
    assert!(!said.contains(CANARY), "a secret is shown: {said}");
    assert!(!said.contains("panicked at"), "{said}");
    assert!(took < Duration::from_secs(5), "after {took:?}: {said}");
    outcome
}

#[tokio::test]
async fn ten_that_start_at_once_on_an_empty_database_make_one_schema() {
    let backends = Backends::new();
    let instances = at_once(10, |_| {
        let backends = backends.clone();
        async move { backends.instance().await }
    })
    .await;
    for instance in &instances {
        instance.anonymous().get("/health").await.is(200);
    }
    let migrations = std::fs::read_dir(MIGRATIONS).unwrap().count();
    let applied = backends.sql("SELECT count(*) FROM __diesel_schema_migrations");
    assert_eq!(applied, migrations.to_string());
    let john = instances[0].signed_up("johndoe", "john@example.com").await;
    for instance in &instances {
        john.at(instance).me().await.is(200);
    }
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let url = format!("postgres://test:{CANARY}@127.0.0.1:{}/auth", free_port());
    is_refused(&Backends::on(&url), "DATABASE_URL", "refused");
}

#[test]
fn a_host_that_has_no_address_is_told() {
    let url = format!("postgres://test:{CANARY}@nowhere.invalid/auth");
    is_refused(&Backends::on(&url), "DATABASE_URL", "nowhere.invalid");
}

#[test]
fn a_host_that_does_not_answer_is_told() {
    // The system accepts; nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://test:{CANARY}@127.0.0.1:{port}/auth");
    is_refused(&Backends::on(&url), "DATABASE_URL", "does not answer");
}

#[test]
fn a_database_of_another_name_is_told() {
    let url = Postgres::shared().url("elsewhere");
    is_refused(&Backends::on(&url), "DATABASE_URL", "database \"elsewhere\" does not exist");
}

#[test]
fn a_refused_login_is_told() {
    let postgres = Postgres::shared();
    let backends = Backends::new();
    backends.sql("CREATE ROLE ann LOGIN PASSWORD 'canary-right'");
    let database = backends.database().rsplit('/').next().unwrap();
    let wrong = postgres.url_of("ann", "canary-wrong", database);
    let cause = "password authentication failed for user \"ann\"";
    is_refused(&Backends::on(&wrong), "DATABASE_URL", cause);
}

#[tokio::test]
async fn an_owner_with_a_password_is_let_in() {
    let backends = Backends::new();
    backends.sql("CREATE ROLE bob LOGIN PASSWORD 'canary-right'");
    let database = backends.database().rsplit('/').next().unwrap().to_owned();
    backends.sql(&format!("ALTER DATABASE {database} OWNER TO bob"));
    let url = Postgres::shared().url_of("bob", "canary-right", &database);
    let server = Backends::on(&url).instance().await;
    server.signed_up("johndoe", "john@example.com").await;
    assert!(!server.log().contains(CANARY), "{}", server.log());
}

#[test]
fn missing_privileges_are_told() {
    let backends = Backends::new();
    backends.sql("CREATE ROLE cleo LOGIN PASSWORD 'canary-right'");
    let database = backends.database().rsplit('/').next().unwrap();
    let url = Postgres::shared().url_of("cleo", "canary-right", database);
    is_refused(&Backends::on(&url), "DATABASE_URL", "permission denied for schema public");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let backends = Backends::new();
    drop(backends.instance().await);
    let before = backends.sql("SELECT count(*) FROM __diesel_schema_migrations");
    backends.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231235959')");
    is_refused(&backends, "DATABASE_URL", "newer version (it knows 29991231235959)");
    let after = backends.sql("SELECT count(*) - 1 FROM __diesel_schema_migrations");
    assert_eq!(before, after);
}

/// A table that is gone is a defect: 500 without its cause, which the log tells.
#[tokio::test]
async fn a_table_that_is_gone_is_an_internal_error_and_unhealthy() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    backends.sql("DROP TABLE sessions");
    let answer = john.me().await;
    answer.is_refused(500, "INTERNAL_SERVER_ERROR");
    assert!(!answer.text.contains("sessions"), "{}", answer.text);
    assert!(server.log().contains("sessions"), "the log does not tell: {}", server.log());
    server.anonymous().get("/health").await.is(200);
    backends.sql("DROP TABLE users CASCADE");
    let health = server.anonymous().get("/health").await.expect(503);
    assert_eq!(health.str("/error"), "Database connection failed");
}

#[test]
fn a_redis_that_is_not_there_is_told() {
    let url = format!("redis://:{CANARY}@127.0.0.1:{}", free_port());
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "refused");
}

#[test]
fn a_redis_that_does_not_answer_is_told() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("redis://:{CANARY}@127.0.0.1:{port}");
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "does not answer");
}

#[test]
fn a_wrong_password_for_redis_is_told() {
    let redis = Redis::start_with(&["--requirepass", "canary-right"]);
    let url = format!("redis://:canary-wrong@127.0.0.1:{}", redis.port());
    // Redis 7 says WRONGPASS; the driver adds words of its own.
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "uthentication failed");
    let url = format!("redis://127.0.0.1:{}", redis.port());
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "uthentication");
}

#[test]
fn an_smtp_address_that_is_none_is_told() {
    let backends = Backends::new().with_smtp(&format!("http://ann:{CANARY}@example.com"));
    is_refused(&backends, "SMTP_URL", "smtp");
}

#[test]
fn a_sender_that_is_no_mailbox_is_told() {
    let backends = Backends::new().with_smtp("smtp://127.0.0.1:25");
    is_refused(&backends.with("MAIL_FROM", "nobody at all"), "MAIL_FROM", "mailbox");
}

#[test]
fn with_postgres_a_secret_must_be_given() {
    let backends = Backends::new();
    let without: Vec<_> =
        backends.settings().into_iter().filter(|(name, _)| *name != "SECRET_KEY").collect();
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(folder.path(), &["serve"], &without);
    assert!(!outcome.status.success());
    let told = "SECRET_KEY: must be set with Postgres";
    assert!(outcome.said().contains(told), "{}", outcome.said());
}
