//! Statements of Postgres's own: that they decide as the domain does, and what
//! happens when one takes too long.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use portcullis_conformance::build::{
    LOCKOUT, START, TICK, attempt, name, session, source, stored_session, stored_user,
};
use portcullis_domain::lockout::FAILURE_MEMORY;
use portcullis_domain::ports::{Attempt, Lease, LoginStore, OutboxQueue, SessionStore, Store};
use portcullis_domain::{Session, StoreError, Timestamp};
use portcullis_memory::MemoryStore;
use portcullis_sql::SqlStore;
use portcullis_testkit::Postgres;

mod database;

fn store() -> (SqlStore, String) {
    let url = database::fresh_url();
    (portcullis_postgres::open(&url.parse().unwrap(), 4).unwrap(), url)
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// The memory adapter asks `count_attempt` itself.
#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_in_sql_as_the_domain_counts_them() {
    let (postgres, _) = store();
    let memory = MemoryStore::new();
    let mut numbers = Numbers(7);
    let steps = [
        Duration::ZERO,
        TICK,
        Duration::from_mins(4),
        LOCKOUT.duration.checked_sub(TICK).unwrap(),
        LOCKOUT.duration,
        FAILURE_MEMORY,
    ];
    let mut now = START;
    for round in 0..600 {
        // Mostly close together, sometimes far apart, once in a while back.
        let far = usize::try_from(numbers.below(6)).unwrap();
        let step = if numbers.below(8) == 0 { steps[far] } else { TICK };
        now = if numbers.below(50) == 0 { now - Duration::from_secs(5) } else { now + step };
        let who = ["ann", "bob", "eve"][usize::try_from(numbers.below(3)).unwrap()];
        let from = u8::try_from(1 + numbers.below(4)).unwrap();
        let attempt = Attempt { at: now, source: source(from), ..attempt(who) };
        match numbers.below(12) {
            0 => {
                both(&postgres, &memory, async |store| store.forgive(attempt.clone()).await).await;
            }
            1 => {
                both(&postgres, &memory, async |store| store.withdraw(attempt.clone()).await).await;
            }
            _ => {
                let here = postgres.attempt(attempt.clone(), LOCKOUT).await.unwrap().standing;
                let there = memory.attempt(attempt, LOCKOUT).await.unwrap().standing;
                assert_eq!(here, there, "round {round}: {who} from {from} at {now}");
            }
        }
    }
}

async fn both(
    postgres: &SqlStore,
    memory: &MemoryStore,
    step: impl AsyncFn(&dyn LoginStore) -> Result<(), StoreError>,
) {
    step(postgres).await.unwrap();
    step(memory).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_time_is_kept_as_it_is() {
    let (postgres, _) = store();
    // Withdrawn before there was a counter over all sources: its last failure
    // is as long ago as can be.
    let first = attempt("ann");
    postgres.attempt(first.clone(), LOCKOUT).await.unwrap();
    postgres.withdraw(first.clone()).await.unwrap();
    let again = Attempt { at: Timestamp::from_seconds(0), ..first };
    assert!(postgres.attempt(again, LOCKOUT).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_waits_too_long_is_given_up_and_harms_nobody() {
    let (store, url) = store();
    let user = stored_user(&store, "ann").await;
    let locker = std::thread::spawn({
        let url = url.clone();
        move || {
            let lock = "BEGIN; SELECT number FROM users FOR UPDATE; SELECT pg_sleep(4); COMMIT";
            Postgres::shared().sql(&url, lock)
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let started = Instant::now();
    let mut unit = store.begin().await.unwrap();
    let waited = unit.users().rename(user.id, &name("Ann Kay"), START).await.unwrap_err();
    assert!(matches!(waited, StoreError::Unavailable(_)), "{waited:?}");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    drop(unit);
    locker.join().unwrap();
    let mut unit = store.begin().await.unwrap();
    unit.users().rename(user.id, &name("Ann Ray"), START).await.unwrap();
    unit.commit().await.unwrap();
}

/// The planner knows of no letter that is due, and then there are thousands.
#[tokio::test(flavor = "multi_thread")]
async fn a_sudden_backlog_is_claimed_as_fast_as_a_few() {
    let (store, url) = store();
    let sql = |sql: &str| Postgres::shared().sql(&url, sql);
    let add = "INSERT INTO outbox (id, kind, recipient, created_at, attempts, due_at, settled_at) \
               SELECT gen_random_uuid(), 'welcome', 'a' || n % 500 || '@example.com', now(), 0, \
               '2026-01-01', CASE WHEN n > 8000 THEN now() END FROM generate_series(1, 40000) AS n";
    let settled = add.replace("> 8000", "> 0");
    assert_eq!(sql(&format!("{settled}; ANALYZE outbox; {add}")), "");
    let lease = Lease { duration: Duration::from_mins(1), limit: 20 };
    let started = Instant::now();
    let claims = store.claim(START, lease).await.unwrap();
    assert_eq!(claims.len(), 20);
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}

/// In Berlin, the hour before the first of these moments comes twice, and the
/// one after the second never; the database is told to think in that zone.
#[tokio::test(flavor = "multi_thread")]
async fn r_42_moments_around_a_change_of_the_clocks_stay_what_they_are() {
    let (store, url) = store();
    let name = url.rsplit('/').next().unwrap();
    let zone = format!("ALTER DATABASE {name} SET timezone TO 'Europe/Berlin'");
    assert_eq!(Postgres::shared().sql(&url, &zone), "");
    let shown = Postgres::shared().sql(&url, "SELECT '2026-07-01T00:00:00Z'::timestamptz");
    assert_eq!(shown.trim(), "2026-07-01 02:00:00+02", "the zone is in force");
    let user = stored_user(&store, "ann").await;
    let autumn = Timestamp::parse("2026-10-25T01:00:00Z").unwrap();
    let spring = Timestamp::parse("2027-03-28T01:00:00Z").unwrap();
    let half = Duration::from_mins(30);
    for moment in [autumn - half, autumn - TICK, autumn, autumn + half, spring - TICK, spring] {
        let session = Session {
            opened_at: moment - half,
            rotated_at: moment - half,
            last_used_at: moment - half,
            expires_at: moment,
            ..session(user.id)
        };
        stored_session(&store, &session).await;
        assert_eq!(store.caller(session.id).await.unwrap().unwrap().session, session);
        let advance = async |at| {
            store.advance(session.id, 0, session.seed_digest, at).await.unwrap().is_some()
        };
        assert!(!advance(moment).await, "{moment} is over");
        assert!(advance(moment - TICK).await, "{moment} is not over yet");
    }
}
