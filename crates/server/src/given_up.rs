//! What was given up is tried again: letters, and jobs.

use std::error::Error;

use portcullis_domain::StoreError;
use uuid::Uuid;

/// Makes due again what was given up under these ids; says so line by line, and at
/// the end who takes care of it.
pub(crate) async fn revive(
    ids: &[Uuid],
    revive: impl AsyncFn(Uuid) -> Result<bool, StoreError>,
    from_now_on: &str,
) -> Result<(), Box<dyn Error>> {
    let mut unknown = 0;
    for id in ids {
        if revive(*id).await? {
            println!("due again: {id}");
        } else {
            unknown += 1;
            eprintln!("not given up, or unknown: {id}");
        }
    }
    println!("{} due again; {from_now_on}", ids.len() - unknown);
    if unknown > 0 {
        Err(format!("{unknown} of {} were not due", ids.len()).into())
    } else {
        Ok(())
    }
}
