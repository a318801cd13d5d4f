//! Signs of life.

use std::sync::atomic::Ordering;

use futures_util::future::{join, join_all};

use crate::{App, Failure};

impl App {
    /// Asks the database and what can be done without for a sign of life, side by
    /// side: several that are away take no longer than one.
    pub async fn check_health(&self) -> (Result<(), Failure>, Vec<(&'static str, bool)>) {
        join(self.check_database(), self.check_auxiliaries()).await
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`Failure`] when it gives none.
    async fn check_database(&self) -> Result<(), Failure> {
        Ok(self.ports.store.ping().await?)
    }

    /// Asks what can be done without for a sign of life; tells each one's name
    /// and whether it gave one. Mail counts as there while the last one sent
    /// was accepted, so that asking costs nobody a connection.
    async fn check_auxiliaries(&self) -> Vec<(&'static str, bool)> {
        let checks = self
            .ports
            .auxiliaries
            .iter()
            .map(|(name, auxiliary)| async { (*name, auxiliary.ping().await.is_ok()) });
        let mut checked = join_all(checks).await;
        checked.push(("mail", !self.mail_is_away.load(Ordering::Relaxed)));
        checked
    }
}
