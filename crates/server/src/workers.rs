//! What happens without anybody asking: mail goes out, old rows go away.

use std::time::Duration;

use portcullis_app::App;
use portcullis_domain::error::with_causes;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{debug, error, warn};

/// Letters claimed at once.
const BATCH: u32 = 20;
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

async fn deliver_mail(app: App, mut stopping: watch::Receiver<bool>) {
    while !*stopping.borrow() {
        let is_stopping = || *stopping.borrow();
        let pause = match app.deliver_due_mail(BATCH, is_stopping).await {
            Ok(round) if round.total() >= BATCH => Duration::ZERO,
            Ok(round) => {
                if round.total() > 0 {
                    debug!(?round, "the outbox was looked at");
                }
                if round.buried > 0 {
                    warn!(buried = round.buried, "mails could not be delivered");
                }
                MAIL_PAUSE
            }
            Err(failure) => {
                error!(cause = with_causes(&failure), "the outbox could not be worked on");
                FAILURE_PAUSE
            }
        };
        rest(pause, &mut stopping).await;
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
