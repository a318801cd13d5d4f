//! Connections that wait for their next mail.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::Instant;

/// How many wait at most.
const CAPACITY: usize = 4;
/// How long one waits; servers hang up after minutes.
const PATIENCE: Duration = Duration::from_secs(30);

struct Waiting {
    connection: AsyncSmtpConnection,
    since: Instant,
}

/// Connections whose last mail was answered for. One is owned by whoever took
/// it: a send that is cancelled drops it, and what the server still has to say
/// about that mail is said to nobody.
#[derive(Default)]
pub(crate) struct IdleConnections(Mutex<Vec<Waiting>>);

impl IdleConnections {
    /// The latest that is still alive.
    pub(crate) async fn take(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let waiting = self.pop()?;
            let mut connection = waiting.connection;
            if connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    fn pop(&self) -> Option<Waiting> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|waiting| waiting.since.elapsed() < PATIENCE);
        all.pop()
    }

    /// Keeps one for the next mail.
    pub(crate) fn put(&self, connection: AsyncSmtpConnection) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < CAPACITY {
            all.push(Waiting { connection, since: Instant::now() });
        }
    }
}
