//! People who go on using a server while something happens to it, and remember
//! what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server};
use serde_json::json;
use tokio::task::JoinHandle;

/// Nobody waits longer for an answer: five seconds, and what a busy machine adds.
const PATIENCE: Duration = Duration::from_secs(6);

/// People under way.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    people: Vec<JoinHandle<Journal>>,
}

/// What one of them was told.
struct Journal {
    session: LoggedIn,
    good: Vec<Duration>,
    unavailable: Vec<Duration>,
    /// The last number that was acknowledged as a name, and the last that was sent.
    acknowledged: u64,
    sent: u64,
}

/// What all of them were told.
pub(super) struct Total {
    pub(super) good: Vec<Duration>,
    pub(super) unavailable: Vec<Duration>,
}

impl Load {
    /// Lets so many people change and read their profiles, refresh, and log in
    /// now and then. Whatever is neither right nor a 503 fails the test.
    pub(super) async fn start(server: &Server, people: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut under_way = Vec::new();
        for number in 0..people {
            let name = format!("user{number}");
            let session = server.signed_up(&name, &format!("{name}@example.com")).await;
            under_way.push(tokio::spawn(go_on(session, name, Arc::clone(&stop))));
        }
        Self { stop, people: under_way }
    }

    /// Ends it, and insists that every change that was acknowledged is there.
    pub(super) async fn stop(self) -> Total {
        self.stop.store(true, Ordering::Relaxed);
        let mut total = Total { good: Vec::new(), unavailable: Vec::new() };
        for person in self.people {
            let journal = person.await.unwrap();
            let me = journal.session.me().await.expect(200);
            let kept: u64 = me.str("/name").trim_start_matches('n').parse().unwrap_or(0);
            let may_be = journal.acknowledged..=journal.sent;
            assert!(may_be.contains(&kept), "{kept} is kept, of {may_be:?}");
            total.good.extend(journal.good);
            total.unavailable.extend(journal.unavailable);
        }
        total.good.sort_unstable();
        total.unavailable.sort_unstable();
        total
    }
}

impl Total {
    /// How many of a hundred requests were answered as usual.
    pub(super) fn share(&self) -> f64 {
        let (good, all) = (self.good.len(), self.good.len() + self.unavailable.len());
        100.0 * f64::from(u32::try_from(good).unwrap()) / f64::from(u32::try_from(all).unwrap())
    }

    /// In one line.
    pub(super) fn told(&self) -> String {
        let longest = |times: &[Duration]| times.last().copied().unwrap_or_default();
        format!(
            "{} requests went well (99 % within {:?}, all within {:?}), {} were answered 503 \
             (all within {:?})",
            self.good.len(),
            percentile(&self.good, 99),
            longest(&self.good),
            self.unavailable.len(),
            longest(&self.unavailable),
        )
    }
}

/// The time within which so many of a hundred are, of times in order.
pub(super) fn percentile(times: &[Duration], percent: usize) -> Duration {
    times
        .get((times.len() * percent / 100).min(times.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

async fn go_on(session: LoggedIn, name: String, stop: Arc<AtomicBool>) -> Journal {
    let mut journal =
        Journal { session, good: Vec::new(), unavailable: Vec::new(), acknowledged: 0, sent: 0 };
    while !stop.load(Ordering::Relaxed) {
        journal.sent += 1;
        let body = json!({"name": format!("n{}", journal.sent)});
        let session = journal.session.clone();
        if journal.hears("patch me", session.patch_me(&body)).await {
            journal.acknowledged = journal.sent;
        }
        journal.hears("me", session.me()).await;
        let anonymous = session.anonymous();
        journal.hears("refresh", anonymous.refresh(&session.refresh)).await;
        // Seldom: after a hundred logins the session of the first would be over.
        if journal.sent.is_multiple_of(96) {
            journal.hears("login", anonymous.log_in_by_form(&name, PASSWORD)).await;
        }
        // Half as fast as one can, so that there is time for others.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    journal
}

impl Journal {
    /// Says whether it went well.
    async fn hears(&mut self, request: &str, answer: impl Future<Output = Answer>) -> bool {
        let started = Instant::now();
        let answer = answer.await;
        let took = started.elapsed();
        assert!(took < PATIENCE, "{request} took {took:?}");
        if answer.status == 200 {
            self.good.push(took);
            return true;
        }
        answer.is_refused(503, "SERVICE_UNAVAILABLE");
        assert!(answer.number("retry-after") >= 1, "{request}: {answer:?}");
        self.unavailable.push(took);
        false
    }
}
