//! Settings that are wrong together with production's backends.

use portcullis_tests::run;

use super::{CANARY, is_refused};
use crate::backends::Backends;

#[test]
fn an_smtp_address_that_is_none_is_told() {
    let backends = Backends::new().with_smtp(&format!("http://ann:{CANARY}@example.com"));
    is_refused(&backends, "SMTP_URL", "smtp");
}

#[test]
fn a_sender_that_is_no_mailbox_is_told() {
    let backends = Backends::new().with_smtp("smtp://127.0.0.1:25");
    is_refused(&backends.with("MAIL_FROM", "nobody at all"), "MAIL_FROM", "is not a sender");
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
