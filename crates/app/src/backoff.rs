//! How long to wait before something is tried again.

use std::time::Duration;

use uuid::Uuid;

/// Waits that double up to a cap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    /// After the first attempt.
    pub(crate) first: Duration,
    /// The longest, before it is spread.
    pub(crate) longest: Duration,
}

impl Backoff {
    /// The wait after an attempt, from 1: spread by up to a quarter, so that what
    /// failed together does not come back together.
    pub(crate) fn after(self, attempt: u32, id: Uuid) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        let wait = self.first.saturating_mul(1 << doublings).min(self.longest);
        let spread = u64::try_from(wait.as_micros() / 4).unwrap_or(u64::MAX).max(1);
        let (high, low) = id.as_u64_pair();
        wait + Duration::from_micros((high ^ low.rotate_left(attempt)) % spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_29_waits_double_up_to_their_cap() {
        let (first, longest) = (Duration::from_secs(5), Duration::from_secs(45));
        let wait = |attempt| Backoff { first, longest }.after(attempt, Uuid::from_u128(7));
        assert!((first..first * 2).contains(&wait(1)));
        assert!((first * 2..first * 3).contains(&wait(2)));
        assert!((longest..longest * 2).contains(&wait(50)));
    }

    #[test]
    fn what_failed_together_does_not_come_back_together() {
        let backoff = Backoff { first: Duration::from_secs(5), longest: Duration::from_secs(45) };
        let waits: std::collections::HashSet<Duration> =
            (0..100).map(|id| backoff.after(1, Uuid::from_u128(id << 3))).collect();
        assert_eq!(waits.len(), 100);
    }
}
