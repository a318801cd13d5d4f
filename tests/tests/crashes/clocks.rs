//! Clocks that are wrong, and clocks that are set.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use portcullis_testkit::Postgres;
use portcullis_tests::{Anonymous, PASSWORD, Server, eventually, problem};
use serde_json::json;

/// A machine's clock, as a server started with it sees it.
struct Clock(tempfile::NamedTempFile);

fn library() -> PathBuf {
    let libraries = fs::read_dir("/usr/lib").unwrap().flatten();
    let mut found = libraries.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let found = found.find(|file| file.is_file());
    found.expect("these tests need libfaketime: `apt-get install libfaketime`")
}

impl Clock {
    fn right() -> Self {
        let clock = Self(tempfile::NamedTempFile::new().unwrap());
        clock.set(0);
        clock
    }

    /// Sets it so many seconds before or after the right time.
    fn set(&self, seconds: i64) {
        fs::write(self.0.path(), format!("{seconds:+}\n")).unwrap();
    }

    /// A steady clock, which only counts, is set by nobody.
    fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("LD_PRELOAD", library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.0.path().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    async fn start(&self, settings: &[(&str, &str)]) -> Server {
        let own = self.settings();
        let own = own.each_ref().map(|(name, value)| (*name, value.as_str()));
        Server::start_with(&[&own[..], settings].concat()).await
    }
}

fn on_postgres(database: &str) -> Vec<(&str, &str)> {
    vec![
        ("DATABASE_URL", database),
        ("SECRET_KEY", "canary-secret-that-all-instances-share"),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("BCRYPT_ROUNDS", "10"),
        ("ACCESS_TOKEN_TTL", "10m"),
        ("REFRESH_TOKEN_TTL", "20m"),
        ("VERIFICATION_TOKEN_TTL", "10m"),
        ("RESET_TOKEN_TTL", "10m"),
        ("LOCKOUT_THRESHOLD", "2"),
        ("LOCKOUT_DURATION", "10m"),
    ]
}

/// Everything that one instance gives out is good at the other.
async fn agree(here: &Server, there: &Server, name: &str) {
    let email = format!("{name}@example.com");
    let token = here.registered(&email).await;
    there.anonymous().verify(&token).await.is(200);
    let session = here.logged_in_again(&email).await;
    let elsewhere = session.at(there);
    elsewhere.is_alive().await;
    let refreshed = elsewhere.refreshed().await.at(here);
    refreshed.is_alive().await;
    let token = here.reset_token(&email).await;
    there.anonymous().confirm_reset(&token, "Another password 1").await.is(200);
    refreshed.is_over().await;
    let guess = async |at: &Server| at.anonymous().log_in(&email, "wrong password").await;
    guess(here).await.is_problem(problem::BAD_LOGIN);
    guess(there).await.is_problem(problem::BAD_LOGIN);
    for instance in [here, there] {
        let locked = guess(instance).await;
        locked.is_problem(problem::LOCKED);
        let seconds = locked.number("retry-after");
        assert!((500..=600).contains(&seconds), "locked for {seconds} s of 600");
    }
}

#[tokio::test]
async fn r_40_instances_whose_clocks_are_45_minutes_apart_agree_on_what_has_expired() {
    let database = Postgres::shared().empty_database();
    let settings = on_postgres(&database);
    let right = Server::start_with(&settings).await;
    for (name, seconds) in [("ahead", 2_700), ("behind", -2_700)] {
        let clock = Clock::right();
        clock.set(seconds);
        let wrong = clock.start(&settings).await;
        let told = wrong.anonymous().get("/nowhere").await;
        let date = told.header("date").unwrap().to_owned();
        let right_date = right.anonymous().get("/nowhere").await;
        assert_ne!(date[..22], right_date.header("date").unwrap()[..22], "its clock is right");
        agree(&wrong, &right, &format!("{name}1")).await;
        agree(&right, &wrong, &format!("{name}2")).await;
    }
}

const HOUR: i64 = 3_600;
const JUMPS: [i64; 5] = [HOUR, 0, 24 * HOUR, 0, -HOUR];

/// Nothing at all changes: the database's clock counts, and it was not set.
#[tokio::test]
async fn r_41_a_clock_that_is_set_while_the_server_runs_changes_nothing_on_postgres() {
    let database = Postgres::shared().empty_database();
    let clock = Clock::right();
    let server = clock.start(&on_postgres(&database)).await;
    let session = server.logged_in("ann@example.com").await;
    let reset = server.reset_token("ann@example.com").await;
    for (jump, seconds) in JUMPS.into_iter().enumerate() {
        clock.set(seconds);
        session.is_alive().await;
        server.signed_up(&format!("john{jump}"), &format!("john{jump}@example.com")).await;
    }
    server.anonymous().confirm_reset(&reset, "Another password 1").await.is(200);
    assert!(!server.log().contains("panicked at"), "{}", server.log());
}

/// How many of so many strict requests pass.
async fn pass(anonymous: &Anonymous, tried: usize) -> usize {
    let mut passed = 0;
    for _ in 0..tried {
        let answer = anonymous.post("/api/v1/auth/password-reset/confirm", &json!({})).await;
        assert!([422, 429].contains(&answer.status), "{answer:?}");
        passed += usize::from(answer.status == 422);
    }
    passed
}

/// The machine's clock is the only one there is: what lived shorter than the jump
/// has expired, and nothing else; limits are counted afresh at most.
#[tokio::test]
async fn r_41_a_clock_that_is_set_while_the_server_runs_locks_nobody_out_on_sqlite() {
    let clock = Clock::right();
    let settings = [("REFRESH_GRACE", "1s"), ("LOCKOUT_THRESHOLD", "1000")];
    let server = clock.start(&settings).await;
    let mut session = server.logged_in("ann@example.com").await;
    for (jump, seconds) in JUMPS.into_iter().enumerate() {
        clock.set(seconds);
        let me = session.me().await;
        assert!([200, 401].contains(&me.status), "{me:?}");
        session = session.refreshed().await;
        session.me().await.is(200);
        server.logged_in_again("ann@example.com").await.is_alive().await;
        server.registered(&format!("bob{jump}@example.com")).await;
    }
    assert!(!server.log().contains("panicked at"), "{}", server.log());
}

#[tokio::test]
async fn r_41_rate_limits_neither_lock_nor_open_when_the_clock_is_set() {
    let clock = Clock::right();
    let server = clock
        .start(&[
            ("RATE_LIMIT_ENABLED", "true"),
            ("RATE_LIMIT_STRICT", "3"),
            ("RATE_LIMIT_WINDOW", "2s"),
        ])
        .await;
    let anonymous = server.anonymous();
    for seconds in JUMPS {
        assert!(pass(&anonymous, 10).await >= 3);
        clock.set(seconds);
        // A busy machine may take longer than one window for this.
        let passed = pass(&anonymous, 10).await;
        assert!(passed < 10, "no limit after a jump to {seconds}");
        eventually("the next window", Duration::from_secs(6), async || {
            (pass(&anonymous, 1).await == 1).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let login = anonymous.log_in("nobody@example.com", PASSWORD).await;
    assert!([400, 429].contains(&login.status), "{login:?}");
}
