//! When a call is made once more.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use reqwest::StatusCode;

/// A call is made so often at most.
pub const ATTEMPTS: u32 = 3;
/// The wait before the second attempt, on average; each further wait is twice as
/// long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Whether a call may be made twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// A second one changes nothing: reads, and writes that say the same twice.
    Safe,
    /// It is repeated only where the first one was certainly not carried out:
    /// no connection, 429, 503.
    IfNotDone,
    /// Never, for example because its body is a stream.
    Never,
}

impl Repeat {
    /// Whether an answer of that status asks for another attempt.
    #[must_use]
    pub fn after_status(self, status: StatusCode) -> bool {
        match self {
            Self::Safe => matches!(status.as_u16(), 408 | 429 | 500 | 502..=504),
            Self::IfNotDone => matches!(status.as_u16(), 429 | 503),
            Self::Never => false,
        }
    }

    /// Whether a failure does.
    pub(crate) fn after_failure(self, error: &reqwest::Error) -> bool {
        match self {
            Self::Safe => !error.is_builder(),
            Self::IfNotDone => error.is_connect(),
            Self::Never => false,
        }
    }
}

/// How long to wait before attempt number `attempt` (the second is 2): between
/// half of the time and one and a half, so that clients do not come in step.
#[must_use]
pub fn pause(attempt: u32) -> Duration {
    let whole = FIRST_WAIT * 2_u32.saturating_pow(attempt.saturating_sub(2));
    // Unpredictable enough for this; nothing secret hangs on it.
    let share = RandomState::new().hash_one(attempt) % 1_000;
    whole / 2 + whole * u32::try_from(share).unwrap_or(0) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        let second: Vec<_> = (0..50).map(|_| pause(2)).collect();
        assert!(second.iter().all(|pause| (100..=300).contains(&pause.as_millis())));
        assert!(second.iter().any(|pause| *pause != second[0]));
        assert!((200..=600).contains(&pause(3).as_millis()));
    }

    #[test]
    fn what_may_have_been_done_is_done_again_only_if_that_is_safe() {
        for status in [500, 502, 504, 408] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(Repeat::Safe.after_status(status) && !Repeat::IfNotDone.after_status(status));
        }
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
            assert!(Repeat::Safe.after_status(status) && Repeat::IfNotDone.after_status(status));
            assert!(!Repeat::Never.after_status(status));
        }
        for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::NOT_IMPLEMENTED] {
            assert!(!Repeat::Safe.after_status(status), "{status}");
        }
    }
}
