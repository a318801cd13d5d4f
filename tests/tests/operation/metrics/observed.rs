//! A server, and what it counts between two looks.

use std::time::Duration;

use portcullis_tests::{Anonymous, Answer, MetricsPort, Scrape, Server, eventually};

/// What people do.
const OUTCOMES: &[&str] = &[
    "portcullis_logins_total",
    "portcullis_lockouts_total",
    "portcullis_refreshes_total",
    "portcullis_registrations_total",
    "portcullis_email_verifications_total",
    "portcullis_password_resets_total",
    "portcullis_logouts_total",
];

/// A server under observation.
pub(super) struct Observed {
    pub(super) server: Server,
    pub(super) port: MetricsPort,
    pub(super) last: Scrape,
}

impl Observed {
    pub(super) async fn start(settings: &[(&str, &str)]) -> Self {
        let (server, port) = Server::start_measured(settings).await;
        let last = port.scrape().await;
        Self { server, port, last }
    }

    pub(super) fn anonymous(&self) -> Anonymous {
        self.server.anonymous()
    }

    /// Insists that since the last time these outcomes were counted once each, and
    /// no other.
    #[track_caller]
    pub(super) fn counted(&mut self, now: Scrape, expected: &[&str]) {
        let grown = now.growth_since(&self.last, OUTCOMES);
        let expected: Vec<_> = expected.iter().map(|series| (*series, 1.0)).collect();
        assert_eq!(grown, expected);
        self.last = now;
    }

    /// Looks at an answer's status, and at what was counted.
    pub(super) async fn is(&mut self, answer: Answer, status: u16, expected: &str) {
        assert_eq!(answer.status, status, "{expected}: {}", answer.text);
        let now = self.port.scrape().await;
        self.counted(now, &[expected]);
    }

    /// Waits until a series has a value.
    pub(super) async fn becomes(&self, series: &str, is_right: impl Fn(f64) -> bool) {
        eventually(series, Duration::from_secs(20), async || {
            is_right(self.port.scrape().await.value(series)).then_some(())
        })
        .await;
    }
}
