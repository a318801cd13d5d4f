//! Postgres that ends in every way, moves, and is used by somebody else.

use portcullis_testkit::{Ending, Postgres};

#[test]
fn a_server_comes_back_from_every_ending_with_what_was_committed() {
    let mut postgres = Postgres::start(&["fsync=on"]);
    let url = postgres.empty_database();
    postgres.sql(&url, "CREATE TABLE endings (number int)");
    let all = [Ending::Fast, Ending::Immediate, Ending::Killed];
    for (number, ending) in all.into_iter().enumerate() {
        postgres.sql(&url, &format!("INSERT INTO endings VALUES ({number})"));
        postgres.restart(ending);
        let kept = postgres.sql(&url, "SELECT count(*) FROM endings");
        assert_eq!(kept.trim(), (number + 1).to_string(), "{ending:?}");
    }
}

#[test]
fn a_standby_has_what_was_committed_refuses_writes_and_takes_over() {
    let mut primary = Postgres::start(&[]);
    let url = primary.empty_database();
    let standby = primary.synchronous_standby();
    primary.sql(&url, "CREATE TABLE notes (text text)");
    primary.sql(&url, "INSERT INTO notes VALUES ('kept')");
    primary.stop();
    let there = standby.url(url.rsplit('/').next().unwrap());
    let read_only = "SELECT pg_is_in_recovery(), text FROM notes";
    // It is durable there; it becomes visible a moment later.
    while standby.sql(&there, read_only).trim() != "t|kept" {
        std::thread::yield_now();
    }
    standby.promote();
    standby.sql(&there, "INSERT INTO notes VALUES ('new')");
    assert_eq!(standby.sql(&there, "SELECT count(*) FROM notes").trim(), "2");
}

#[test]
fn a_session_keeps_what_it_began_until_it_is_gone() {
    let postgres = Postgres::shared();
    let url = postgres.empty_database();
    postgres.sql(&url, "CREATE TABLE notes (text text)");
    let mut session = postgres.session(&url);
    assert_eq!(session.sql("BEGIN; LOCK TABLE notes; SELECT 1 UNION SELECT 2 ORDER BY 1"), "1\n2");
    let locked = "SELECT count(*) FROM pg_locks JOIN pg_class ON relation = pg_class.oid
        WHERE relname = 'notes' AND mode = 'AccessExclusiveLock'";
    assert_eq!(postgres.sql(&url, locked).trim(), "1");
    drop(session);
    while postgres.sql(&url, locked).trim() != "0" {
        std::thread::yield_now();
    }
}
