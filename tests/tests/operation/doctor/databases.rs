//! What stands between the server and Postgres.

use portcullis_testkit::{Certificates, PgBouncer, PoolMode, Postgres};
use portcullis_tests::Outcome;
use serde_json::Value;

use super::{SECRET, finding, report};

fn report_on(database: &str) -> (Outcome, Value) {
    let folder = tempfile::tempdir().unwrap();
    report(folder.path(), &[("DATABASE_URL", database), ("SECRET_KEY", SECRET)])
}

/// What is found wrong with that database, which is nothing that stops the others.
fn wrong(database: &str, what: &str) -> (String, String) {
    let (outcome, report) = report_on(database);
    assert_eq!(outcome.status.code(), Some(1), "{}", outcome.said());
    let found = finding(&report, what, "wrong");
    finding(&report, "secret key", "ok");
    (found["found"].as_str().unwrap().to_owned(), found["to_do"].as_str().unwrap().to_owned())
}

fn encryption(database: &str, state: &str) -> String {
    let (outcome, report) = report_on(database);
    assert!(outcome.status.success(), "{}", outcome.said());
    finding(&report, "database encryption", state)["found"].as_str().unwrap().to_owned()
}

#[test]
fn a_login_that_is_refused_is_no_absence() {
    let url = Postgres::shared().url_of("nobody", super::PASSWORD, "postgres");
    let (found, to_do) = wrong(&url, "database");
    assert!(found.contains("nobody"), "{found}");
    assert!(to_do.contains("user and password"), "{to_do}");
}

#[test]
fn encryption_is_looked_at() {
    let certificates = Certificates::new();
    let postgres = Postgres::start_with_tls(&certificates);
    let url = postgres.empty_database();
    let trusting = |certificates: &Certificates| {
        format!("{url}?sslmode=verify-full&sslrootcert={}", certificates.authority().display())
    };
    assert_eq!(encryption(&trusting(&certificates), "ok"), "TLS, its certificate is trusted");
    assert_eq!(encryption(&format!("{url}?sslmode=require"), "ok"), "TLS, on this machine");
    let none = encryption(&format!("{url}?sslmode=disable"), "ok");
    assert_eq!(none, "none, on this machine");

    let stranger = Certificates::new();
    let (found, to_do) = wrong(&trusting(&stranger), "database");
    assert!(found.contains("certificate"), "{found}");
    assert!(to_do.contains("sslrootcert"), "{to_do}");
}

#[test]
fn a_pooler_is_noticed_where_it_is_in_the_way() {
    let postgres = Postgres::shared();
    let url = postgres.empty_database();
    let all = "options,extra_float_digits";
    let bouncer = PgBouncer::start(postgres, PoolMode::Session, all);
    let (outcome, report) = report_on(&bouncer.url(&url));
    assert!(outcome.status.success(), "{}", outcome.said());
    finding(&report, "database pooler", "ok");

    let bouncer = PgBouncer::start(postgres, PoolMode::Transaction, all);
    let (_, to_do) = wrong(&bouncer.url(&url), "database pooler");
    assert!(to_do.contains("session mode"), "{to_do}");

    let bouncer = PgBouncer::start(postgres, PoolMode::Session, "extra_float_digits");
    let (_, to_do) = wrong(&bouncer.url(&url), "database");
    assert!(to_do.contains("ignore_startup_parameters"), "{to_do}");
}
