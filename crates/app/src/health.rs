//! Signs of life.

use crate::{App, Failure};

impl App {
    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// [`Failure`] when it gives none.
    pub async fn check_database(&self) -> Result<(), Failure> {
        Ok(self.ports.store.ping().await?)
    }
}
