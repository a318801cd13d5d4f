//! The clock that instances share: the database's.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use portcullis_domain::ports::Clock;
use portcullis_domain::{StoreError, Timestamp};

use crate::pool::Pool;

/// A reading that took longer says too little about when it was taken.
const PATIENCE: Duration = Duration::from_secs(1);

/// The database's clock, read now and then and carried on by this machine's
/// steady one.
///
/// Instances agree on what has expired however far the clocks of their machines
/// are apart, and a machine's clock may be set while the server runs.
pub struct DatabaseClock {
    pool: Arc<Pool>,
    reading: RwLock<Reading>,
}

#[derive(Clone, Copy)]
struct Reading {
    told: Timestamp,
    at: Instant,
}

impl DatabaseClock {
    /// It tells this machine's time until it has been [read](Self::read).
    pub(crate) fn new(pool: Arc<Pool>, machine: &dyn Clock) -> Self {
        let reading = Reading { told: machine.now(), at: Instant::now() };
        Self { pool, reading: RwLock::new(reading) }
    }

    /// Asks the database for its time; to be repeated, since clocks drift.
    ///
    /// # Errors
    /// [`StoreError`] when it does not tell soon; then the last reading holds.
    pub async fn read(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let told = tokio::time::timeout(PATIENCE, self.pool.time()).await;
        let told =
            told.map_err(|_| StoreError::Unavailable("its clock was not read soon".into()))??;
        // It was read somewhere on the way there and back.
        let reading = Reading { told, at: asked + asked.elapsed() / 2 };
        *self.reading.write().unwrap_or_else(PoisonError::into_inner) = reading;
        Ok(())
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        let reading = *self.reading.read().unwrap_or_else(PoisonError::into_inner);
        reading.told + reading.at.elapsed()
    }
}
