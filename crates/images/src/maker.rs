//! Several pictures at a time, off the threads that serve requests.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::ports::{Place, Portrait, PortraitError, Portraits};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::portrait;

/// Pictures that may be received, or wait, for each one that is looked at.
const WAITING_PER_PLACE: usize = 8;

/// Makes portraits, so many at a time.
#[derive(Clone)]
pub struct PortraitMaker {
    /// Who may be here at all.
    admitted: Arc<Semaphore>,
    /// Whose picture may be looked at.
    places: Arc<Semaphore>,
}

impl PortraitMaker {
    /// A maker that looks at `places` pictures at a time; each may take 320 MiB while it
    /// is decoded.
    #[must_use]
    pub fn new(places: usize) -> Self {
        let places = places.max(1);
        let admitted = places * (1 + WAITING_PER_PLACE);
        Self {
            admitted: Arc::new(Semaphore::new(admitted)),
            places: Arc::new(Semaphore::new(places)),
        }
    }
}

impl fmt::Debug for PortraitMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortraitMaker({} free)", self.places.available_permits())
    }
}

#[async_trait]
impl Portraits for PortraitMaker {
    fn admit(&self) -> Result<Place, PortraitError> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned();
        admitted.map(Place::new).map_err(|_| PortraitError::Overloaded)
    }

    async fn make(&self, admitted: Place, content: Vec<u8>) -> Result<Portrait, PortraitError> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|error| PortraitError::Failed(error.into()))?;
        #[expect(clippy::disallowed_methods, reason = "bounded by the places above")]
        let made = spawn_blocking(move || {
            // Held until the work is done, even if nobody waits for it any more.
            let _held = (admitted, place);
            portrait::make(&content)
        });
        made.await.map_err(|error| PortraitError::Failed(error.into()))?
    }
}
