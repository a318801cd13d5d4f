//! Opening the store that accounts move in to and out of.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use portcullis_domain::ports::{AccountsArchive, Clock};

use crate::settings::Settings;
use crate::storage::Storage;

/// The store that the settings name, migrated, and the clock by which things in it
/// expire.
pub(super) async fn open() -> Result<(Arc<dyn AccountsArchive>, Arc<dyn Clock>), Box<dyn Error>> {
    let storage = Storage::open(&Settings::load()?).await?;
    Ok((storage.archive, storage.clock))
}

/// An empty store in that folder, for a rehearsal: whatever database the
/// settings name, it need not fit into memory.
pub(super) fn scratch(folder: &Path) -> Result<Arc<dyn AccountsArchive>, Box<dyn Error>> {
    let file = folder.join("rehearsal.db");
    portcullis_sqlite::migrate(&file)?;
    Ok(Arc::new(portcullis_sqlite::open(&file, 1)?))
}
