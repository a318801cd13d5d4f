//! What happens without anybody asking: mail goes out, jobs are done, old rows go
//! away.

mod jobs;

use std::sync::Arc;
use std::time::Duration;

use portcullis_app::{App, Delivery, Failure};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Claim;
use portcullis_metrics::{MailOutcome, Metrics};
use portcullis_postgres::DatabaseClock;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{debug, error, warn};

use crate::key_watch::KeyWatch;

/// A queue that is worked off.
trait Queue: Clone + Send + Sync + 'static {
    /// What a worker holds of it.
    type Claim: Send + 'static;

    /// What it is called in a log.
    const NAME: &'static str;
    /// How many are on their way at the same time.
    const WIDTH: usize;
    /// How often it is looked at; whatever becomes due is begun within this.
    const PAUSE: Duration;

    /// Claims what is due.
    fn claim(&self, limit: u32) -> impl Future<Output = Result<Vec<Self::Claim>, Failure>> + Send;

    /// Does what was claimed, or gives it back if there is no time for that any
    /// more.
    fn see_to(
        self,
        claim: Self::Claim,
        stopping: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send;
}

/// How long what is on its way may take when a worker stops; then it is left to
/// another, which takes it over when the lease ends.
const LAST: Duration = Duration::from_secs(20);
/// How long is rested between two full batches of a purge.
const BATCH_PAUSE: Duration = Duration::from_millis(250);
/// How long a worker rests after the store failed it.
const FAILURE_PAUSE: Duration = Duration::from_secs(2);
/// How often old rows are removed, where nothing is forgotten sooner.
const PURGE_PAUSE: Duration = Duration::from_mins(15);
/// How often the database's clock is read: clocks drift, and are set.
const CLOCK_PAUSE: Duration = Duration::from_secs(10);
/// How often the folder of signing keys is looked at: much more often than the
/// shortest overlap of two keys is long.
const KEYS_PAUSE: Duration = Duration::from_secs(2);

/// Background work, until it is told to stop.
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts all that there is to do: demo users only if so many are wanted.
    pub(crate) fn start(
        app: &App,
        clock: Option<Arc<DatabaseClock>>,
        keys: Option<KeyWatch>,
        demo_users: Option<u32>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let purging = app.clone();
        let outbox = Outbox { app: app.clone(), metrics: Arc::clone(metrics) };
        let queue = jobs::Jobs { app: app.clone(), metrics: Arc::clone(metrics) };
        let mail =
            supervise("mail", stopping.clone(), move |stopping| work_off(outbox.clone(), stopping));
        let purge =
            supervise("purge", stopping.clone(), move |stopping| purge(purging.clone(), stopping));
        let jobs =
            supervise("jobs", stopping.clone(), move |stopping| work_off(queue.clone(), stopping));
        let mut tasks = vec![tokio::spawn(mail), tokio::spawn(jobs), tokio::spawn(purge)];
        if let Some(count) = demo_users {
            let app = app.clone();
            let seeding = supervise("demo users", stopping.clone(), move |stopping| {
                jobs::order_demo_users(app.clone(), count, stopping)
            });
            tasks.push(tokio::spawn(seeding));
        }
        if let Some(keys) = keys.map(Arc::new) {
            let looking = supervise("keys", stopping.clone(), move |stopping| {
                look_for_keys(Arc::clone(&keys), stopping)
            });
            tasks.push(tokio::spawn(looking));
        }
        if let Some(clock) = clock {
            let time = supervise("clock", stopping, move |stopping| {
                keep_time(Arc::clone(&clock), stopping)
            });
            tasks.push(tokio::spawn(time));
        }
        Self { stop, tasks }
    }

    /// Lets each know that it is to stop.
    pub(crate) fn stopper(&self) -> impl Fn() + Send + 'static {
        let stop = self.stop.clone();
        move || {
            stop.send_replace(true);
        }
    }

    /// Lets each finish what it is at, and give back what it has not begun.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                error!(%error, "a background task had failed");
            }
        }
    }
}

/// Does a work that ends when it is told to. If it panics it begins anew, after
/// a rest: a defect that one row brings up must not end all mail.
async fn supervise<F>(
    name: &'static str,
    mut stopping: watch::Receiver<bool>,
    work: impl Fn(watch::Receiver<bool>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    while let Err(panic) = tokio::spawn(work(stopping.clone())).await {
        error!(worker = name, is_panic = panic.is_panic(), "a worker failed; it begins anew");
        rest(FAILURE_PAUSE, &mut stopping).await;
        if *stopping.borrow() {
            return;
        }
    }
}

/// The outbox.
#[derive(Clone)]
struct Outbox {
    app: App,
    metrics: Arc<Metrics>,
}

fn mail_outcome(seen_to: &Result<Delivery, Failure>) -> MailOutcome {
    match seen_to {
        Ok(Delivery::Sent) => MailOutcome::Sent,
        Ok(Delivery::Dropped) => MailOutcome::Dropped,
        Ok(Delivery::Postponed) => MailOutcome::Postponed,
        Ok(Delivery::Buried) => MailOutcome::Buried,
        Ok(Delivery::Released) => MailOutcome::Released,
        Err(_) => MailOutcome::Failed,
    }
}

impl Queue for Outbox {
    type Claim = Claim;

    const NAME: &'static str = "the outbox";
    const WIDTH: usize = 32;
    const PAUSE: Duration = Duration::from_millis(250);

    async fn claim(&self, limit: u32) -> Result<Vec<Claim>, Failure> {
        self.app.claim_due_mail(limit).await
    }

    async fn see_to(self, claim: Claim, stopping: watch::Receiver<bool>) {
        let (app, is_stopping) = (self.app, *stopping.borrow());
        let seen_to =
            if is_stopping { app.release(&claim).await } else { app.deliver(&claim).await };
        self.metrics.mails.count((mail_outcome(&seen_to),));
        match seen_to {
            Ok(Delivery::Buried) => warn!("a mail was given up; see `portcullis outbox list`"),
            Ok(delivery) => debug!(?delivery, "a letter was seen to"),
            Err(failure) => error!(cause = with_causes(&failure), "a letter could not be seen to"),
        }
    }
}

/// Keeps so many on their way: one that takes long holds up no other.
async fn work_off<Q: Queue>(queue: Q, mut stopping: watch::Receiver<bool>) {
    let mut under_way = JoinSet::new();
    while !*stopping.borrow() {
        let free = u32::try_from(Q::WIDTH - under_way.len()).unwrap_or(0);
        let pause = match queue.claim(free).await {
            Ok(claims) => {
                for claim in claims {
                    under_way.spawn(queue.clone().see_to(claim, stopping.clone()));
                }
                Q::PAUSE
            }
            Err(failure) => {
                error!(cause = with_causes(&failure), "{} could not be worked on", Q::NAME);
                FAILURE_PAUSE
            }
        };
        if under_way.len() == Q::WIDTH {
            // There may be more: the next is claimed as soon as one is done.
            tokio::select! {
                _ = under_way.join_next() => {}
                () = told_to_stop(&mut stopping) => {}
            }
        } else {
            rest(pause, &mut stopping).await;
        }
        while under_way.try_join_next().is_some() {}
    }
    // Not `join_all`: it hands on the panic of any of them.
    let last = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST, last).await.is_err() {
        warn!("what is under way in {} is left to another worker", Q::NAME);
    }
}

async fn purge(app: App, mut stopping: watch::Receiver<bool>) {
    let long_pause = PURGE_PAUSE.min(app.rules().unverified_ttl);
    while !*stopping.borrow() {
        let pause = match app.purge().await {
            Ok(purged) if purged.is_full_batch() => BATCH_PAUSE,
            Ok(purged) => {
                debug!(?purged, "old rows were removed");
                long_pause
            }
            Err(failure) => {
                error!(cause = with_causes(&failure), "old rows could not be removed");
                long_pause
            }
        };
        rest(pause, &mut stopping).await;
    }
}

async fn keep_time(clock: Arc<DatabaseClock>, mut stopping: watch::Receiver<bool>) {
    loop {
        rest(CLOCK_PAUSE, &mut stopping).await;
        if *stopping.borrow() {
            return;
        }
        if let Err(error) = clock.read().await {
            debug!(cause = with_causes(&error), "the database's clock could not be read");
        }
    }
}

async fn look_for_keys(keys: Arc<KeyWatch>, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        rest(KEYS_PAUSE, &mut stopping).await;
        keys.look();
    }
}

/// Waits, but not longer than until the stop.
async fn rest(pause: Duration, stopping: &mut watch::Receiver<bool>) {
    drop(tokio::time::timeout(pause, told_to_stop(stopping)).await);
}

/// Waits for the stop. A closed channel means that whoever would stop us is gone:
/// stop as well.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn r_05_op_05_a_worker_that_panics_begins_anew_and_still_stops_when_told() {
        let (stop, stopping) = watch::channel(false);
        let begun = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&begun);
        let supervised = tokio::spawn(supervise("test", stopping, move |mut stopping| {
            let time = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(time >= 3, "a defect");
                drop(stopping.wait_for(|stop| *stop).await);
            }
        }));
        while begun.load(Ordering::Relaxed) < 4 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!supervised.is_finished());
        stop.send_replace(true);
        supervised.await.unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 4);
    }

    #[tokio::test]
    async fn r_05_a_worker_that_panics_for_ever_stops_when_told() {
        let (stop, stopping) = watch::channel(false);
        let supervised =
            tokio::spawn(supervise("test", stopping, |_| async { panic!("a defect") }));
        tokio::time::sleep(Duration::from_millis(50)).await;
        let asked = Instant::now();
        stop.send_replace(true);
        supervised.await.unwrap();
        assert!(asked.elapsed() < FAILURE_PAUSE, "{:?}", asked.elapsed());
    }
}
