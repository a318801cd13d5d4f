//! Apple's App Store, which is not called.

use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::ports::Clock;

use super::super::finding::Finding;
use super::TO_MEND;
use crate::services::check_app_store;
use crate::settings::ServiceSettings;

const WHAT: &str = "app store";

pub(super) fn check(services: &ServiceSettings) -> Finding {
    let Some(settings) = &services.app_store else {
        return Finding::off(WHAT, "APP_STORE_BUNDLE_ID is not set: no purchases");
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match check_app_store(settings, &clock) {
        Ok(()) => Finding::ok(WHAT, "set; Apple was not called"),
        Err(error) => Finding::wrong(WHAT, error, TO_MEND),
    }
}
