//! The clock that instances share: the database's.

use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use portcullis_domain::ports::Clock;
use portcullis_domain::{StoreError, Timestamp};
use portcullis_sql::SqlStore;

/// A reading that took longer says too little about when it was taken.
const PATIENCE: Duration = Duration::from_secs(1);

/// The database's clock, read now and then and carried on by this machine's
/// steady one.
///
/// Instances agree on what has expired however far the clocks of their machines
/// are apart, and a machine's clock may be set while the server runs.
pub struct DatabaseClock {
    store: SqlStore,
    reading: RwLock<Reading>,
}

#[derive(Clone, Copy)]
struct Reading {
    told: Timestamp,
    at: Instant,
}

impl Reading {
    async fn of(store: &SqlStore) -> Result<Self, StoreError> {
        let (told, at) = store.time().await?;
        Ok(Self { told, at })
    }
}

impl DatabaseClock {
    /// The clock of that store's database.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not tell its time.
    pub async fn of(store: SqlStore) -> Result<Self, StoreError> {
        let reading = RwLock::new(Reading::of(&store).await?);
        Ok(Self { store, reading })
    }

    /// Asks the database for its time; to be repeated, since clocks drift.
    ///
    /// # Errors
    /// [`StoreError`] when it does not tell soon; then the last reading holds.
    pub async fn read(&self) -> Result<(), StoreError> {
        let reading = Reading::of(&self.store).await?;
        // Taken in the middle between question and answer.
        if reading.at.elapsed() * 2 > PATIENCE {
            return Err(StoreError::Unavailable("its clock was not read soon".into()));
        }
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
