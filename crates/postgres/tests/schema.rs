//! The schema: the same as the embedded one, and able to grow under a running
//! server.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Text;
use portcullis_conformance::build::{
    LOCKOUT, START, attempt, job, notice, session, stored_session, stored_user,
};
use portcullis_domain::ports::{JobQueue, Lease, LoginStore, Opening, SessionStore, Store};
use portcullis_testkit::Postgres;

mod database;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn sqlite_columns() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("portcullis.db");
    portcullis_sqlite::migrate(&file).unwrap();
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    let columns = diesel::sql_query(
        "SELECT tables.name || '.' || columns.name || CASE WHEN columns.\"notnull\" OR columns.pk \
         THEN ' always' ELSE '' END AS line \
         FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns \
         WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' \
         AND tables.name NOT LIKE '__diesel%'",
    );
    let columns: Vec<Line> = columns.load(&mut connection).unwrap();
    let mut lines: Vec<String> = columns.into_iter().map(|column| column.line).collect();
    lines.sort();
    lines
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn both_databases_have_the_same_tables_and_columns() {
    let url = database::fresh_url();
    let columns = Postgres::shared().sql(
        &url,
        "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN ' always' \
         ELSE '' END FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'",
    );
    assert_eq!(lines(&columns), sqlite_columns());
}

#[test]
fn what_a_user_owns_goes_with_them_and_every_moment_is_one() {
    let url = database::fresh_url();
    let sql = |sql| Postgres::shared().sql(&url, sql);
    let users = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'public' \
                 AND column_name = 'user_id'";
    let cascades = "SELECT count(*) FROM information_schema.referential_constraints \
                    WHERE delete_rule = 'CASCADE'";
    assert_eq!(sql(users), sql(cascades));
    let moments = "SELECT table_name || '.' || column_name FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%' \
                   AND (column_name LIKE '%\\_at' OR column_name IN ('at', 'locked_until')) \
                   AND data_type <> 'timestamp with time zone'";
    assert_eq!(sql(moments), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_migration_can_be_undone_and_done_again() {
    let url = Postgres::shared().empty_database();
    let address = url.parse().unwrap();
    let applied = portcullis_postgres::migrate(&address).await.unwrap();
    assert!(!applied.is_empty());
    assert!(portcullis_postgres::migrate(&address).await.unwrap().is_empty());
    portcullis_postgres::revert(&address).await.unwrap();
    let left = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(Postgres::shared().sql(&url, left).trim(), "__diesel_schema_migrations");
    assert_eq!(portcullis_postgres::migrate(&address).await.unwrap(), applied);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_that_migrate_at_once_one_does_it() {
    let address: portcullis_postgres::Address =
        Postgres::shared().empty_database().parse().unwrap();
    let starts: Vec<_> = (0..10)
        .map(|_| {
            let address = address.clone();
            tokio::spawn(async move { portcullis_postgres::migrate(&address).await.unwrap() })
        })
        .collect();
    let mut busy = 0;
    for start in starts {
        busy += usize::from(!start.await.unwrap().is_empty());
    }
    assert_eq!(busy, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_left_alone() {
    let url = database::fresh_url();
    let future = "INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')";
    assert_eq!(Postgres::shared().sql(&url, future), "");
    let told = portcullis_postgres::migrate(&url.parse().unwrap()).await.unwrap_err().to_string();
    assert!(told.contains("newer version") && told.contains("29990101000000"), "{told}");
}

/// What the next version may do to the schema while this one serves: add.
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_grows_disturbs_no_statement_that_is_prepared() {
    let url = database::fresh_url();
    let store = portcullis_postgres::open(&url.parse().unwrap(), 1).unwrap();
    let user = stored_user(&store, "ann").await;
    for grows in [true, false] {
        let session = session(user.id);
        let met = store.attempt(attempt("ann"), LOCKOUT).await.unwrap();
        assert_eq!(met.user.map(|user| user.id), Some(user.id));
        let opening = Opening {
            session: session.clone(),
            password_changed_at: user.password_changed_at,
            attempt: Some(attempt("ann")),
        };
        assert!(store.open(opening).await.unwrap().is_some());
        let caller = store.caller(session.id).await.unwrap().unwrap();
        assert_eq!(caller.session, session);
        let advanced = store.advance(session.id, 0, session.seed_digest, START).await.unwrap();
        assert_eq!(advanced.unwrap().counter, 1);
        store.enqueue(job(notice())).await.unwrap();
        let lease = Lease { duration: Duration::from_mins(1), limit: 10 };
        assert_eq!(store.claim(START, lease).await.unwrap().len(), 1);
        store.begin().await.unwrap().commit().await.unwrap();
        if grows {
            for table in
                ["users", "sessions", "one_time_tokens", "outbox", "jobs", "login_failures"]
            {
                let grow = format!("ALTER TABLE {table} ADD COLUMN added TEXT");
                assert_eq!(Postgres::shared().sql(&url, &grow), "");
            }
        }
    }
    stored_session(&store, &session(user.id)).await;
}
