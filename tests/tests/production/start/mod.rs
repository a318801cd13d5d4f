//! Starting: ten at once, and what is said when it does not work.

mod database;
mod encrypted;
mod mail_and_keys;
mod redis;

use std::time::{Duration, Instant};

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
async fn r_44_ten_that_start_at_once_on_an_empty_database_make_one_schema() {
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
