//! Firebase, which is not called.

use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::Clock;

use super::super::finding::Finding;
use super::TO_MEND;
use crate::services::check_firebase;
use crate::settings::ServiceSettings;

const WHAT: &str = "firebase";

pub(super) fn check(services: &ServiceSettings) -> Finding {
    let Some(settings) = &services.firebase else {
        return Finding::off(WHAT, "neither FIREBASE_LOGIN nor FIREBASE_MESSAGING is set");
    };
    let offers = [(settings.login, "logins"), (settings.messaging, "notices on devices")];
    let used: Vec<_> =
        offers.into_iter().filter_map(|(is_used, name)| is_used.then_some(name)).collect();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match check_firebase(settings, &clock) {
        Ok(()) => {
            let used = used.join(", ");
            Finding::ok(WHAT, format!("set for {used}; Google was not called"))
        }
        Err(error) => Finding::wrong(WHAT, with_causes(&*error), TO_MEND),
    }
}
