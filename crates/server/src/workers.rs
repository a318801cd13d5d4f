//! What happens without anybody asking: mail goes out, old rows go away.

use std::time::Duration;

use portcullis_app::{App, Delivery};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Claim;
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
/// How often old rows are removed.
const PURGE_PAUSE: Duration = Duration::from_mins(15);

/// Background work, until it is told to stop.
pub(crate) struct Workers {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    pub(crate) fn start(app: &App) -> Self {
        let (stop, stopping) = watch::channel(false);
        let mail = tokio::spawn(deliver_mail(app.clone(), stopping.clone()));
        let purge = tokio::spawn(purge(app.clone(), stopping));
        Self { stop, tasks: vec![mail, purge] }
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
    if tokio::time::timeout(LAST_LETTERS, letters.join_all()).await.is_err() {
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
    while !*stopping.borrow() {
        let pause = match app.purge().await {
            Ok(purged) if purged.is_full_batch() => MAIL_PAUSE,
            Ok(purged) => {
                debug!(?purged, "old rows were removed");
                PURGE_PAUSE
            }
            Err(failure) => {
                error!(cause = with_causes(&failure), "old rows could not be removed");
                PURGE_PAUSE
            }
        };
        rest(pause, &mut stopping).await;
    }
}

/// Waits, but not longer than until the stop.
async fn rest(pause: Duration, stopping: &mut watch::Receiver<bool>) {
    // A closed channel means that whoever would stop us is gone: stop as well.
    drop(tokio::time::timeout(pause, stopping.wait_for(|stop| *stop)).await);
}
