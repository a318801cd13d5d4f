//! What is particular to a store in a file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use portcullis_conformance::build::{
    START, letter, new_user, owed_letter, session, stored_session, stored_user,
};
use portcullis_domain::ports::{Lease, OutboxQueue, SessionStore, Store};
use portcullis_domain::{Session, StoreError};
use portcullis_sqlite::{MigrationError, migrate, open};

fn raw(file: &Path) -> SqliteConnection {
    SqliteConnection::establish(&file.to_string_lossy()).unwrap()
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

fn count(connection: &mut SqliteConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Count>(connection).unwrap().count
}

/// How many migrations there are.
fn migrations() -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn migrating_makes_a_private_folder_and_does_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/portcullis.db");
    assert_eq!(migrate(&file).unwrap().len(), migrations());
    assert_eq!(migrate(&file).unwrap(), Vec::<String>::new());
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mode = file.parent().unwrap().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn ten_that_start_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let start = Arc::new(Barrier::new(10));
    let threads: Vec<_> = (0..10)
        .map(|_| {
            let (start, file) = (Arc::clone(&start), folder.path().join("portcullis.db"));
            std::thread::spawn(move || {
                start.wait();
                migrate(&file).unwrap().len()
            })
        })
        .collect();
    let applied: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(applied, migrations());
}

#[test]
fn a_newer_schema_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    raw(&file)
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')")
        .unwrap();
    let refused = migrate(&file).unwrap_err();
    assert!(matches!(&refused, MigrationError::Newer(version) if version == "29990101000000"));
}

#[test]
fn every_migration_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let mut connection = raw(&file);
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let mut names: Vec<_> =
        migrations.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for name in names.iter().rev() {
        let down = std::fs::read_to_string(name.join("down.sql")).unwrap();
        connection.batch_execute(&down).unwrap();
    }
    let left = "SELECT count(*) AS count FROM sqlite_schema \
                WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' \
                AND name NOT LIKE 'sqlite%'";
    assert_eq!(count(&mut connection, left), 0);
}

#[test]
fn every_user_id_goes_with_its_user_and_every_time_is_an_integer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let mut connection = raw(&file);
    let tables = "sqlite_schema AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'";
    let columns = format!("SELECT count(*) AS count FROM {tables} AND c.name = 'user_id'");
    let cascades = "SELECT count(*) AS count FROM sqlite_schema AS t \
                    JOIN pragma_foreign_key_list(t.name) AS f \
                    WHERE f.\"from\" = 'user_id' AND f.\"table\" = 'users' \
                    AND f.on_delete = 'CASCADE'";
    assert!(count(&mut connection, &columns) >= 3);
    assert_eq!(count(&mut connection, &columns), count(&mut connection, cascades));
    let odd = format!(
        "SELECT count(*) AS count FROM {tables} AND c.name LIKE '%\\_at' ESCAPE '\\' \
         AND c.type <> 'INTEGER'"
    );
    assert_eq!(count(&mut connection, &odd), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_users_session_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let user = stored_user(&store, "ann").await;
    let session = session(user.id);
    stored_session(&store, &session).await;
    raw(&file).batch_execute("UPDATE users SET is_active = 0").unwrap();
    let moved = store.advance(session.id, 0, session.seed_digest, START).await.unwrap();
    assert_eq!(moved, None);
    let caller = store.caller(session.id).await.unwrap().unwrap();
    assert!(!caller.user.is_active());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let user = stored_user(&open(&file, 1).unwrap(), "ann").await;
    let again = open(&file, 1).unwrap();
    let mut unit = again.begin().await.unwrap();
    assert_eq!(unit.users().by_id(user.id).await.unwrap(), Some(user));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_opened_is_unavailable() {
    let store = open(Path::new("/nowhere/portcullis.db"), 1).unwrap();
    assert!(matches!(store.ping().await.unwrap_err(), StoreError::Unavailable(_)));
    assert!(matches!(store.begin().await.map(drop).unwrap_err(), StoreError::Unavailable(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_breaks_its_rules_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let user = stored_user(&store, "ann").await;
    raw(&file).batch_execute("UPDATE users SET email = 'no address'").unwrap();
    let mut unit = store.begin().await.unwrap();
    let refused = unit.users().by_id(user.id).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_from_outside_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let mut outside = raw(&file);
    outside.batch_execute("BEGIN IMMEDIATE").unwrap();
    let waiter = tokio::spawn(async move {
        let mut unit = store.begin().await.unwrap();
        unit.users().add(new_user("ann")).await.unwrap();
        unit.commit().await.unwrap();
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert!(!waiter.is_finished());
    outside.batch_execute("COMMIT").unwrap();
    waiter.await.unwrap();
}

/// All that an outage can be for a file: it cannot be taken from under an open
/// connection, but another process may keep its one write lock.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_from_outside_that_never_ends_makes_writes_unavailable_and_no_reads() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let user = stored_user(&store, "ann").await;
    let session = session(user.id);
    stored_session(&store, &session).await;
    let mut outside = raw(&file);
    outside.batch_execute("BEGIN IMMEDIATE").unwrap();
    let started = std::time::Instant::now();
    let (moved, seen) = tokio::join!(
        store.advance(session.id, 0, session.seed_digest, START),
        store.caller(session.id)
    );
    assert!(matches!(moved.unwrap_err(), StoreError::Unavailable(_)));
    assert!(started.elapsed() < std::time::Duration::from_secs(6), "{:?}", started.elapsed());
    assert_eq!(seen.unwrap().unwrap().session, session);
    outside.batch_execute("ROLLBACK").unwrap();
    let moved = store.advance(session.id, 0, session.seed_digest, START).await.unwrap();
    assert_eq!(moved.unwrap().counter, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_nobody_can_read_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let (bad, good) = (letter("ann"), letter("bob"));
    owed_letter(&store, &bad).await;
    raw(&file).batch_execute("UPDATE outbox SET recipient = 'no address@'").unwrap();
    owed_letter(&store, &good).await;
    let lease = Lease { duration: std::time::Duration::from_mins(1), limit: 10 };
    let claims = store.claim(START, lease).await.unwrap();
    assert_eq!(claims.iter().map(|claim| claim.letter.id).collect::<Vec<_>>(), [good.id]);
    let buried = "SELECT count(*) AS count FROM outbox WHERE buried_at IS NOT NULL";
    assert_eq!(count(&mut raw(&file), buried), 1);
}

/// How long the middle one of so many steps takes.
async fn middle(step: impl AsyncFn(usize)) -> Duration {
    let mut times = Vec::new();
    for number in 0..101 {
        let started = Instant::now();
        step(number).await;
        times.push(started.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}

/// A table that is read from end to end would take a hundred times as long.
#[tokio::test(flavor = "multi_thread")]
async fn rf_10_a_session_among_50_000_is_found_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    migrate(&file).unwrap();
    let store = open(&file, 1).unwrap();
    let user = stored_user(&store, "ann").await;
    let (fixed, stranger) = (Session { rotates: false, ..session(user.id) }, session(user.id));
    stored_session(&store, &fixed).await;
    let measure = async || {
        let looked_up = middle(async |_| drop(store.caller(fixed.id).await.unwrap().unwrap()));
        let unknown = middle(async |_| assert!(store.caller(stranger.id).await.unwrap().is_none()));
        let advance = async |session: &Session| {
            store.advance(session.id, 0, session.seed_digest, START).await.unwrap().is_some()
        };
        let advanced = middle(async |_| assert!(advance(&fixed).await));
        let refused = middle(async |_| assert!(!advance(&stranger).await));
        [looked_up.await, unknown.await, advanced.await, refused.await]
    };
    let alone = measure().await;
    raw(&file)
        .batch_execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers \
             WHERE n < 50000) INSERT INTO sessions SELECT randomblob(16), user_id, contract, \
             rotates, seed_digest, counter, opened_at, rotated_at, last_used_at, expires_at, \
             ended_at, end_reason, source, user_agent FROM sessions, numbers",
        )
        .unwrap();
    assert!(count(&mut raw(&file), "SELECT count(*) AS count FROM sessions") > 50_000);
    let among_many = measure().await;
    println!("alone {alone:?}, among 50,000 {among_many:?}");
    for (alone, among_many) in alone.into_iter().zip(among_many) {
        assert!(among_many < alone * 8, "{among_many:?}, alone {alone:?}");
    }
}
