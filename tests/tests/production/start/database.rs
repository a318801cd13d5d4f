//! A database that is not there, does not let us in, or is not ours.

use std::net::TcpListener;
use std::time::Duration;

use portcullis_testkit::{Postgres, free_port};
use portcullis_tests::eventually;

use super::{CANARY, is_refused};
use crate::backends::Backends;

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

/// A table that is gone may come back, as when a backup is restored: 503 without
/// its cause, which the log tells.
#[tokio::test]
async fn op_04_a_table_that_is_gone_is_an_outage_and_unhealthy() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    backends.sql("DROP TABLE sessions");
    let answer = john.me().await;
    answer.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(!answer.text.contains("sessions"), "{}", answer.text);
    let id = answer.header("x-request-id").unwrap();
    assert!(server.log().contains(id), "the log does not tell of {id}: {}", server.log());
    assert!(server.log().contains("sessions"), "the log does not tell: {}", server.log());
    server.anonymous().get("/health").await.is(200);
    backends.sql("DROP TABLE users CASCADE");
    let health = eventually("unhealthy", Duration::from_secs(5), async || {
        let health = server.anonymous().get("/health").await;
        (health.status == 503).then_some(health)
    })
    .await;
    assert_eq!(health.str("/error"), "Database connection failed");
}
