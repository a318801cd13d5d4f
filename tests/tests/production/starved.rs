//! A server that is given a fifth of the processor.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portcullis_tests::{PASSWORD, Server, at_once, claims, eventually, problem, unix_now};
use serde_json::json;

use crate::backends::Backends;

/// Stops and continues a process in turn, until it is dropped.
struct Starved {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Starved {
    fn on(server: &Server) -> Self {
        let (ends, pid) = (Arc::new(AtomicBool::new(false)), server.pid().to_string());
        let ending = Arc::clone(&ends);
        let signal = move |name: &str| {
            assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
        };
        let thread = std::thread::spawn(move || {
            while !ending.load(Ordering::Relaxed) {
                signal("-STOP");
                std::thread::sleep(Duration::from_millis(40));
                signal("-CONT");
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { ends, thread: Some(thread) }
    }
}

impl Drop for Starved {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// How long each look at `/health` takes while logins want all there is, in order.
async fn health_under(server: &Server, is_over: Arc<AtomicBool>) -> Vec<Duration> {
    let (mut times, anonymous) = (Vec::new(), server.anonymous());
    while !is_over.load(Ordering::Relaxed) {
        let asked = Instant::now();
        anonymous.get("/health").await.is(200);
        times.push(asked.elapsed());
    }
    times.sort();
    times
}

/// More logins than may wait for a hash, of which there are some for each core.
fn logins() -> usize {
    200 * std::thread::available_parallelism().map_or(1, usize::from).max(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn r_39_a_starved_server_sheds_logins_stays_alive_and_keeps_its_locks_and_times() {
    let backends = Backends::new()
        .with("HASHING_PATIENCE", "4s")
        .with("ACCESS_TOKEN_TTL", "3s")
        .with("LOCKOUT_DURATION", "30s");
    let server = Arc::new(backends.instance().await);
    let ann = server.logged_in("ann@example.com").await;
    let starved = Starved::on(&server);

    // Different names, so that each is a hash; more than may wait for one.
    let is_over = Arc::new(AtomicBool::new(false));
    let looking = tokio::spawn({
        let (server, is_over) = (Arc::clone(&server), Arc::clone(&is_over));
        async move { health_under(&server, is_over).await }
    });
    let answers = at_once(logins(), |number| {
        let anonymous = server.anonymous();
        async move { anonymous.log_in(&format!("nobody{number}@example.com"), PASSWORD).await }
    })
    .await;
    is_over.store(true, Ordering::Relaxed);
    let times = looking.await.unwrap();
    let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
    let (checked, shed): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 400);
    println!(
        "{} logins answered, {} shed; health took {median:?}, {slowest:?} at most",
        checked.len(),
        shed.len()
    );
    for answer in &shed {
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
        assert!(answer.number("retry-after") >= 1, "{answer:?}");
    }
    assert!(!checked.is_empty() && !shed.is_empty());
    // An optimised server on a machine of its own takes about half a second.
    assert!(slowest < Duration::from_secs(4), "{slowest:?}");

    // Whoever was shed was not counted; ten guesses are checked, not one more.
    let anonymous = server.anonymous();
    let guesses = at_once(30, |_| {
        let anonymous = anonymous.clone();
        async move { anonymous.log_in("ann@example.com", "wrong password").await }
    })
    .await;
    let mut checked = guesses.iter().filter(|answer| answer.status == 400).count();
    // Some of those that were let in may have been shed: then there are guesses left.
    let locked = loop {
        let guess = anonymous.log_in("ann@example.com", "wrong password").await;
        match guess.status {
            400 => checked += 1,
            503 => guess.is_refused(503, "SERVICE_UNAVAILABLE"),
            _ => break guess,
        }
        assert!(checked <= 10, "{checked} guesses were checked");
    };
    locked.is_problem(problem::LOCKED);
    assert!((1..=30).contains(&locked.number("retry-after")), "{locked:?}");
    assert_eq!(checked, 10);
    anonymous.log_in("ann@example.com", PASSWORD).await.is_problem(problem::LOCKED);
    eventually("the end of the lock", Duration::from_mins(1), async || {
        let answer = server.anonymous().log_in("ann@example.com", PASSWORD).await;
        (answer.status == 200).then_some(())
    })
    .await;

    // An access token ends when it says, whatever the server's share of time.
    let fresh = ann.refreshed().await;
    let end = claims(&fresh.access)["exp"].as_u64().unwrap();
    eventually("the end of the access token", Duration::from_secs(20), async || {
        let answer = fresh.me().await;
        // The answer may be late; it must not be early.
        assert!(answer.status == 200 || unix_now() >= end, "{answer:?}");
        (answer.status == 401).then_some(())
    })
    .await;
    fresh.patch_me(&json!({"name": "Ann"})).await.is(401);
    drop(starved);
    server.logged_in_again("ann@example.com").await.me().await.is(200);
}
