//! Where pictures are kept.

use std::path::Path;
use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::object::ObjectName;
use portcullis_domain::ports::{Clock, ObjectError};

use super::super::finding::Finding;
use super::super::folder::may_write;
use super::super::on_a_thread;
use super::TO_MEND;
use crate::services::bucket;
use crate::settings::{BucketSettings, ObjectStoreSettings, ServiceSettings};

const WHAT: &str = "object store";
/// Nothing has this name.
const NOTHING: &str = "portcullis-doctor-looked";

pub(super) async fn check(services: &ServiceSettings) -> Finding {
    match &services.objects {
        None => Finding::off(WHAT, "OBJECT_STORE_URL is not set: no pictures"),
        Some(ObjectStoreSettings::Folder(folder)) => {
            let folder = folder.clone();
            let looked = on_a_thread(WHAT, move || vec![look_at(&folder)]).await;
            looked.into_iter().next().unwrap_or_else(|| Finding::off(WHAT, ""))
        }
        Some(ObjectStoreSettings::Bucket(settings)) => ask(settings).await,
    }
}

fn look_at(folder: &Path) -> Finding {
    let told = format!("a folder, {}", folder.display());
    match may_write(folder) {
        Ok(()) => Finding::ok(WHAT, told),
        Err(there) => {
            let told = format!("{told}: {} cannot be written to", there.display());
            Finding::wrong(WHAT, told, "see who owns it, or name another in OBJECT_STORE_URL")
        }
    }
}

/// Asks for something that is not there: that costs next to nothing, and tells
/// whether the bucket lets us in.
async fn ask(settings: &BucketSettings) -> Finding {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let bucket = match bucket(settings, &clock) {
        Ok(bucket) => bucket,
        Err(error) => return Finding::wrong(WHAT, with_causes(&*error), TO_MEND),
    };
    let Ok(nothing) = ObjectName::parse(NOTHING) else {
        return Finding::ok(WHAT, "a bucket is set; it was not asked");
    };
    match bucket.stat(&nothing).await {
        Ok(_) | Err(ObjectError::NotFound { .. }) => Finding::ok(WHAT, "the bucket answers"),
        Err(error @ ObjectError::Unavailable(_)) => Finding::wrong(
            WHAT,
            with_causes(&error),
            "see OBJECT_STORE_URL and the network; until it is back, no picture can be changed",
        ),
        Err(error) => Finding::warning(
            WHAT,
            with_causes(&error),
            "see the bucket's name and region, and that the key may read, write and list there",
        ),
    }
}
