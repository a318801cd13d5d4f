//! What happens without anybody asking: mail goes out, old rows go away.

use std::sync::Arc;
use std::time::Duration;

use portcullis_app::{App, Delivery};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Claim;
use portcullis_postgres::DatabaseClock;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tracing::{debug, error, warn};

/// Letters on their way at the same time.
const LETTERS: usize = 32;
/// How long letters on their way may take when it stops; then they are left to
/// another worker, which takes them over when their lease ends.
const LAST_LETTERS: Duration = Duration::from_secs(20);
/// How often the outbox is looked at; a mail leaves within this.
const MAIL_PAUSE: Duration = Duration::from_millis(250);
/// How long a worker rests after the store failed it.
const FAILURE_PAUSE: Duration = Duration::from_secs(2);
/// How often old rows are removed, where nothing is forgotten sooner.
const PURGE_PAUSE: Duration = Duration::from_mins(15);
/// How often the database's clock is read: clocks drift, and are set.
const CLOCK_PAUSE: Duration = Duration::from_secs(10);

/// Background work, until it is told to stop.
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn start(app: &App, clock: Option<Arc<DatabaseClock>>) -> Self {
        let (stop, stopping) = watch::channel(false);
        let (mailing, purging) = (app.clone(), app.clone());
        let mail = supervise("mail", stopping.clone(), move |stopping| {
            deliver_mail(mailing.clone(), stopping)
        });
        let purge =
            supervise("purge", stopping.clone(), move |stopping| purge(purging.clone(), stopping));
        let mut tasks = vec![tokio::spawn(mail), tokio::spawn(purge)];
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

/// Keeps so many letters on their way: one that takes long holds up no other.
async fn deliver_mail(app: App, mut stopping: watch::Receiver<bool>) {
    let mut letters = JoinSet::new();
    while !*stopping.borrow() {
        let free = u32::try_from(LETTERS - letters.len()).unwrap_or(0);
        let pause = match app.claim_due_mail(free).await {
            Ok(claims) => {
                for claim in claims {
                    letters.spawn(see_to(app.clone(), claim, stopping.clone()));
                }
                MAIL_PAUSE
            }
            Err(failure) => {
                error!(cause = with_causes(&failure), "the outbox could not be worked on");
                FAILURE_PAUSE
            }
        };
        if letters.len() == LETTERS {
            // There may be more: the next is claimed as soon as one is done.
            tokio::select! {
                _ = letters.join_next() => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        } else {
            rest(pause, &mut stopping).await;
        }
        while letters.try_join_next().is_some() {}
    }
    // Not `join_all`: it hands on the panic of any letter.
    let last = async { while letters.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_LETTERS, last).await.is_err() {
        warn!("mails under way are left to another worker");
    }
}

/// Delivers a letter, or gives it back if there is no time for that any more.
async fn see_to(app: App, claim: Claim, stopping: watch::Receiver<bool>) {
    let is_stopping = *stopping.borrow();
    let seen_to = if is_stopping { app.release(&claim).await } else { app.deliver(&claim).await };
    match seen_to {
        Ok(Delivery::Buried) => warn!("a mail was given up; see `portcullis outbox list`"),
        Ok(delivery) => debug!(?delivery, "a letter was seen to"),
        Err(failure) => error!(cause = with_causes(&failure), "a letter could not be seen to"),
    }
}

async fn purge(app: App, mut stopping: watch::Receiver<bool>) {
    let long_pause = PURGE_PAUSE.min(app.rules().unverified_ttl);
    while !*stopping.borrow() {
        let pause = match app.purge().await {
            Ok(purged) if purged.is_full_batch() => MAIL_PAUSE,
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
    while !*stopping.borrow() {
        rest(CLOCK_PAUSE, &mut stopping).await;
        if let Err(error) = clock.read().await {
            debug!(cause = with_causes(&error), "the database's clock could not be read");
        }
    }
}

/// Waits, but not longer than until the stop.
async fn rest(pause: Duration, stopping: &mut watch::Receiver<bool>) {
    // A closed channel means that whoever would stop us is gone: stop as well.
    drop(tokio::time::timeout(pause, stopping.wait_for(|stop| *stop)).await);
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
