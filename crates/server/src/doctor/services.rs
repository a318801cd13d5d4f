//! Services that a deployment may do without.

#[cfg(feature = "appstore")]
mod app_store;
#[cfg(feature = "firebase")]
mod firebase;
#[cfg(feature = "storage")]
mod object_store;

use super::finding::Finding;
use super::in_time;
use crate::settings::Parts;

#[cfg(any(feature = "storage", feature = "firebase", feature = "appstore"))]
const TO_MEND: &str = "correct that setting; the server does not start like this";
#[cfg(not(all(feature = "storage", feature = "firebase", feature = "appstore")))]
const ABSENT: &str = "not in this build";

pub(super) async fn check(parts: &Parts) -> Vec<Finding> {
    let Ok(services) = &parts.services else { return Vec::new() };
    let asked = async { vec![object_store::check(services).await] };
    let mut findings = in_time("object store", asked).await;
    findings.extend([firebase::check(services), app_store::check(services)]);
    findings
}

#[cfg(not(feature = "storage"))]
mod object_store {
    use std::future::{Ready, ready};

    use super::super::finding::Finding;
    use crate::settings::ServiceSettings;

    pub(super) fn check(_: &ServiceSettings) -> Ready<Finding> {
        ready(Finding::off("object store", super::ABSENT))
    }
}

#[cfg(not(feature = "firebase"))]
mod firebase {
    use super::super::finding::Finding;
    use crate::settings::ServiceSettings;

    pub(super) fn check(_: &ServiceSettings) -> Finding {
        Finding::off("firebase", super::ABSENT)
    }
}

#[cfg(not(feature = "appstore"))]
mod app_store {
    use super::super::finding::Finding;
    use crate::settings::ServiceSettings;

    pub(super) fn check(_: &ServiceSettings) -> Finding {
        Finding::off("app store", super::ABSENT)
    }
}
