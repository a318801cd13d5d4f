//! What happens without anybody asking: mail goes out, old rows go away.

use std::time::Duration;

use portcullis_app::{App, Delivered, Failure};
use portcullis_domain::error::with_causes;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
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
        let free = LETTERS - letters.len();
        let mut pause = MAIL_PAUSE;
        match app.claim_due_mail(u32::try_from(free).unwrap_or(0)).await {
            Ok(claims) => {
                if !claims.is_empty() && claims.len() == free {
                    pause = Duration::ZERO;
                }
                for claim in claims {
                    let (app, stopping) = (app.clone(), stopping.clone());
                    letters.spawn(async move {
                        let is_stopping = *stopping.borrow();
                        app.deliver(&claim, is_stopping).await
                    });
                }
            }
            Err(failure) => {
                error!(cause = with_causes(&failure), "the outbox could not be worked on");
                pause = FAILURE_PAUSE;
            }
        }
        if letters.len() == LETTERS {
            tokio::select! {
                delivered = letters.join_next() => tell(delivered),
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        } else {
            rest(pause, &mut stopping).await;
        }
        while let Some(delivered) = letters.try_join_next() {
            tell(Some(delivered));
        }
    }
    let last = async {
        while let Some(delivered) = letters.join_next().await {
            tell(Some(delivered));
        }
    };
    if tokio::time::timeout(LAST_LETTERS, last).await.is_err() {
        warn!("mails under way are left to another worker");
    }
}

/// Notes what became of a letter, where somebody may want to know.
fn tell(delivered: Option<Result<Result<Delivered, Failure>, JoinError>>) {
    match delivered {
        Some(Ok(Ok(delivered))) if delivered.buried > 0 => {
            warn!("a mail was given up; see `portcullis outbox list`");
        }
        Some(Ok(Ok(_))) | None => {}
        Some(Ok(Err(failure))) => {
            error!(cause = with_causes(&failure), "a mail could not be seen to");
        }
        Some(Err(error)) => error!(%error, "a mail's task had failed"),
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
