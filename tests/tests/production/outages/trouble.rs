//! Postgres is there, and has no connection, no time, no right or no row to
//! spare.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use portcullis_testkit::{Certificates, Fault, FaultProxy, Postgres};
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, at_once, run};
use serde_json::json;

use super::load::Load;
use super::writes_again;
use crate::backends::Backends;

/// What a client waits for at most, and what a busy machine adds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Logins and reads at the same time, each with how long it took.
async fn rush(server: &Server, john: &LoggedIn) -> Vec<(Answer, Duration)> {
    at_once(30, |number| {
        let (anonymous, john) = (server.anonymous(), john.clone());
        async move {
            let started = Instant::now();
            let answer = match number % 3 {
                0 => anonymous.log_in_by_form("johndoe", PASSWORD).await,
                1 => john.me().await,
                _ => anonymous.log_in("nobody@example.com", PASSWORD).await,
            };
            (answer, started.elapsed())
        }
    })
    .await
}

fn all_are_unavailable(answers: &[(Answer, Duration)]) {
    for (answer, took) in answers {
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
        assert!(*took < PATIENCE, "{took:?}: {answer:?}");
    }
    println!("the slowest of 30 took {:?}", answers.iter().map(|(_, took)| took).max());
}

/// Whoever asks whether the process lives, or how to ask it, needs no connection.
async fn needs_no_database(server: &Server) {
    for path in ["/health/live", "/openapi.json", "/.well-known/jwks.json"] {
        server.anonymous().get(path).await.is(200);
    }
}

/// A role of its own, whose rights can be taken away.
fn of_role(name: &str) -> Backends {
    let backends = Backends::new();
    backends.sql(&format!("CREATE ROLE {name} LOGIN PASSWORD 'canary-right'"));
    let database = backends.name();
    backends.sql(&format!("ALTER DATABASE {database} OWNER TO {name}"));
    Backends::on(&Postgres::shared().url_of(name, "canary-right", database))
}

fn operate(backends: &Backends, sql: &str) -> String {
    // Whatever the database's default is, the operator may write.
    let url = Postgres::shared().url(backends.name());
    let url = format!("{url}?options=-cdefault_transaction_read_only%3Doff");
    Postgres::shared().sql(&url, sql).trim().to_owned()
}

#[tokio::test]
async fn r_17_without_a_connection_to_spare_the_answer_is_503_in_time() {
    let backends = of_role("lonely");
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    operate(&backends, "ALTER ROLE lonely CONNECTION LIMIT 0");
    backends.cut_connections();
    all_are_unavailable(&rush(&server, &john).await);
    needs_no_database(&server).await;
    operate(&backends, "ALTER ROLE lonely CONNECTION LIMIT -1");
    println!("back {:?} after there are connections", writes_again(&john).await);
}

#[tokio::test]
async fn r_17_who_waits_for_locked_rows_hears_503_in_time_and_holds_up_nobody_afterwards() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let mut operator = Postgres::shared().session(backends.database());
    let lock = "LOCK TABLE users, sessions, login_failures IN ACCESS EXCLUSIVE MODE";
    operator.sql(&format!("BEGIN; {lock}"));
    all_are_unavailable(&rush(&server, &john).await);
    needs_no_database(&server).await;
    operator.sql("COMMIT");
    println!("back {:?} after the lock", writes_again(&john).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_18_a_slow_database_is_asked_no_more_often_and_nobody_waits_for_it_too_long() {
    let way = FaultProxy::to_port(Postgres::shared().port());
    let database = Postgres::shared().empty_database();
    let server = Backends::on(&way.url(&database)).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let load = Load::start(&server, 8).await;
    for delay in [Duration::from_millis(100), Duration::from_secs(1)] {
        let before = way.accepted_connections();
        way.set(Fault::slow(delay));
        tokio::time::sleep(Duration::from_secs(6)).await;
        let connected = way.accepted_connections() - before;
        println!("slow by {delay:?}: {connected} connections were made in 6 s");
        // A connection that is given up is made anew; each takes its two seconds.
        assert!(connected <= 60, "a storm: {connected} connections in 6 s");
        way.set(Fault::None);
        println!("back {:?} after it", writes_again(&john).await);
    }
    let total = load.stop().await;
    println!("{}", total.told());
    assert!(!total.unavailable.is_empty(), "the test proves nothing");
}

/// A conflict with somebody's session is told as an outage; nothing of ours
/// conflicts with each other.
#[tokio::test]
async fn r_19_conflicts_are_never_a_defect_and_do_not_happen_among_requests() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let answers = at_once(64, |number| {
        let john = john.clone();
        async move {
            let anonymous = john.anonymous();
            match number % 8 {
                // No more logins at once than a lockout allows.
                1 => anonymous.log_in_by_form("johndoe", PASSWORD).await,
                0 | 2 | 4 => john.patch_me(&json!({"name": format!("John {number}")})).await,
                3 | 5 => anonymous.request_reset("john@example.com").await,
                _ => anonymous.refresh(&john.refresh).await,
            }
        }
    })
    .await;
    for answer in answers {
        answer.is(200);
    }
    assert_eq!(backends.sql(deadlocks), "0");
    for state in ["40001", "40P01", "55P03", "57014"] {
        backends.sql(&format!(
            "CREATE OR REPLACE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'a conflict' USING ERRCODE = '{state}'; END $$;
             CREATE TRIGGER conflict BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION conflict()"
        ));
        let before = john.me().await.expect(200).str("/name").to_owned();
        let other = json!({"name": format!("Not {before}")});
        let answer = john.patch_me(&other).await;
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
        assert!(answer.number("retry-after") >= 1, "{answer:?}");
        backends.sql("DROP TRIGGER conflict ON users");
        assert_eq!(john.me().await.expect(200).str("/name"), before);
        john.patch_me(&other).await.is(200);
    }
}

/// What writes, each with a body that is fine; `name` is somebody new.
async fn writes(server: &Server, john: &LoggedIn, name: &str) -> [(&'static str, Answer); 6] {
    let anonymous = server.anonymous();
    [
        ("register", anonymous.register(&format!("{name}@example.com")).await),
        ("sign up", anonymous.sign_up(name, &format!("{name}@example.org")).await),
        ("log in", anonymous.log_in_by_form("johndoe", PASSWORD).await),
        ("refresh", anonymous.refresh(&john.refresh).await),
        ("request a reset", anonymous.request_reset("john@example.com").await),
        ("patch me", john.patch_me(&json!({"name": "Other"})).await),
    ]
}

#[tokio::test]
async fn r_20_a_database_that_may_only_be_read_is_read() {
    let backends = of_role("reader");
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let database = backends.name();
    let tables = "users, sessions, one_time_tokens, login_failures, outbox, audit_events";
    let ways = [
        (
            format!("ALTER DATABASE {database} SET default_transaction_read_only = on"),
            format!("ALTER DATABASE {database} RESET default_transaction_read_only"),
        ),
        (
            format!("REVOKE INSERT, UPDATE, DELETE ON {tables} FROM reader"),
            format!("GRANT INSERT, UPDATE, DELETE ON {tables} TO reader"),
        ),
    ];
    for (take, give_back) in &ways {
        operate(&backends, take);
        backends.cut_connections();
        let writes = writes(&server, &john, "annlee").await.map(|(_, answer)| answer);
        let log_outs = [john.log_out().await, john.log_out_without_body().await];
        for answer in writes.iter().chain(&log_outs) {
            answer.is_refused(503, "SERVICE_UNAVAILABLE");
        }
        john.me().await.is(200);
        john.users_me().await.is(200);
        server.anonymous().get("/health").await.is(200);
        operate(&backends, give_back);
        backends.cut_connections();
        writes_again(&john).await;
    }
    // Nothing of what was not acknowledged has happened.
    assert_eq!(operate(&backends, "SELECT count(*) FROM users"), "1");
    john.is_alive().await;
}

#[tokio::test]
async fn r_20_a_table_that_is_missing_for_a_while_is_an_outage() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    // What needs it is not answered; what does not, goes on.
    let tables = [
        ("outbox", &["register", "sign up", "request a reset"][..]),
        ("jobs", &[]),
        ("login_failures", &["log in"]),
        ("sessions", &["sign up", "log in", "refresh", "patch me"]),
        ("users", &["register", "sign up", "log in", "refresh", "patch me"]),
    ];
    for ((table, needed_by), number) in tables.into_iter().zip(1..) {
        backends.sql(&format!("ALTER TABLE {table} RENAME TO elsewhere"));
        // Nobody is called like a table.
        for (request, answer) in writes(&server, &john, &format!("ann{number}")).await {
            println!("without {table}: {request}: {}", answer.status);
            if needed_by.contains(&request) {
                answer.is_refused(503, "SERVICE_UNAVAILABLE");
            } else {
                answer.is(if ["register", "sign up"].contains(&request) { 201 } else { 200 });
            }
            assert!(!answer.text.contains("elsewhere") && !answer.text.contains(table));
        }
        backends.sql(&format!("ALTER TABLE elsewhere RENAME TO {table}"));
        let answer = server.anonymous().log_in_by_form("johndoe", PASSWORD).await.expect(200);
        server.anonymous().with_tokens_of(&answer).is_alive().await;
    }
}

/// On a plain connection garbage is told from answers by its form; on an
/// encrypted one not a single byte passes that was changed.
#[tokio::test]
async fn with_tls_no_answer_that_was_changed_on_its_way_is_believed() {
    let certificates = Certificates::new();
    let postgres = Postgres::start_with_tls(&certificates);
    let way = FaultProxy::to_port(postgres.port());
    let url = way.url(&postgres.empty_database());
    let server = Backends::on(&format!("{url}?sslmode=require")).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    for every in [97, 31, 13, 5, 2] {
        john.me().await.is(200);
        way.set(Fault::Corrupt { every: NonZeroU32::new(every).unwrap() });
        for _ in 0..3 {
            john.me().await.is_refused(503, "SERVICE_UNAVAILABLE");
            john.patch_me(&json!({"name": "Other"})).await.is(503);
            let login = server.anonymous().log_in_by_form("johndoe", PASSWORD).await;
            login.is_refused(503, "SERVICE_UNAVAILABLE");
        }
        way.set(Fault::None);
        writes_again(&john).await;
    }
    john.is_alive().await;
}

/// An answer that breaks off anywhere is no answer.
#[tokio::test]
async fn r_12_a_connection_that_breaks_after_any_number_of_bytes_is_told_as_503() {
    let way = FaultProxy::to_port(Postgres::shared().port());
    let server = Backends::on(&way.url(&Postgres::shared().empty_database())).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let (mut broken, mut last) = (0, String::new());
    for after in (1..6_000).step_by(97) {
        way.set(Fault::Cut { after });
        let name = format!("John {after}");
        let answer = john.patch_me(&json!({"name": name})).await;
        let read = john.me().await;
        way.set(Fault::None);
        assert!([200, 503].contains(&answer.status), "{after}: {answer:?}");
        assert!([200, 503].contains(&read.status), "{after}: {read:?}");
        let kept = john.me().await.expect(200).str("/name").to_owned();
        if answer.status == 200 {
            assert_eq!(kept, name, "an acknowledged change is lost");
        } else {
            broken += 1;
            assert!(kept == name || kept == last || last.is_empty(), "{kept}: neither nor");
        }
        last = kept;
    }
    println!("{broken} of 62 changes were cut off");
    assert!(broken > 10 && broken < 62, "the test proves nothing: {broken}");
}

/// A migration that waits for somebody's long transaction stands in the way of
/// whoever writes to the same table. It gives up soon each time, and lets them pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_21_a_migration_waits_for_a_long_transaction_without_blocking_others() {
    let backends = Backends::new();
    let server = backends.instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    server.signed_up("annlee", "ann@example.com").await;
    // As before the second migration, which refers to users.
    backends.sql(
        "DROP TABLE outbox, audit_events, mailbox CASCADE;
         DELETE FROM __diesel_schema_migrations WHERE version LIKE '%000002'",
    );
    // Of the rows, it holds only one that nobody else here writes to.
    let mut writer = Postgres::shared().session(backends.database());
    writer.sql("BEGIN; UPDATE users SET updated_at = now() WHERE username = 'annlee'");
    let settings = backends.clone();
    let migrating = std::thread::spawn(move || {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["migrate"], &settings.settings())
    });
    let (mut passed, mut waited, started) = (Duration::ZERO, Vec::new(), Instant::now());
    while started.elapsed() < Duration::from_secs(5) {
        let number = started.elapsed().as_micros();
        let asked = Instant::now();
        server.anonymous().log_in(&format!("nobody{number}@example.com"), PASSWORD).await.is(400);
        john.me().await.is(200);
        passed = passed.max(asked.elapsed());
        let asked = Instant::now();
        john.patch_me(&json!({"name": format!("John {number}")})).await.is(200);
        waited.push(asked.elapsed());
    }
    waited.sort_unstable();
    let slowest = waited[waited.len() - 1];
    println!(
        "beside a migration that waits, a login and a read took {passed:?} at most, {} changes of \
         the same table {slowest:?}",
        waited.len()
    );
    assert!(!migrating.is_finished(), "it gave up, or did not wait");
    assert!(passed < Duration::from_secs(2), "{passed:?}");
    // The migration was in the way, for the half second that it has.
    assert!(slowest > Duration::from_millis(150), "nobody waited: {slowest:?}");
    assert!(slowest < Duration::from_millis(1_500), "{slowest:?}");
    writer.sql("COMMIT");
    let outcome = migrating.join().unwrap();
    assert!(outcome.status.success(), "{}", outcome.said());
    server.anonymous().request_reset("john@example.com").await.is(200);
}
