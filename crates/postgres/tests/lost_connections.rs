//! Connections that their server ended between two borrowers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use portcullis_conformance::build::session_id;
use portcullis_domain::ports::{SessionStore, Store};
use portcullis_testkit::Postgres;

mod database;

/// Ends every connection to that database but the one that does so.
fn cut(url: &str) {
    let others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    Postgres::shared().sql(url, others);
}

/// Who tries again must have given the dead connection back: it may be the only one,
/// and then they would wait for themselves.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_again_does_not_wait_for_the_connection_they_hold() {
    let url = database::fresh_url();
    let store = portcullis_postgres::open(&url.parse().unwrap(), 1).unwrap();
    let (mut tried, mut went_well) = (0, 0);
    for _ in 0..100 {
        cut(&url);
        let started = Instant::now();
        went_well += usize::from(store.caller(session_id()).await.is_ok());
        cut(&url);
        went_well += usize::from(store.begin().await.is_ok());
        tried += 2;
        // A connection is waited for as long as 2 s, and made in a few milliseconds.
        assert!(started.elapsed() < Duration::from_millis(1_900), "{:?}", started.elapsed());
    }
    println!("{went_well} of {tried} went well");
    assert!(went_well > 0);
}
