//! The clock of this machine.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since the epoch, as Apple writes times.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a service has a clock of its own")]
pub fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(now.as_millis()).expect("it is before the year 292,000,000")
}
