//! Lockout: how many guesses are too many (contract §6).

use std::time::Duration;

use crate::Timestamp;

/// How many consecutive failures lock, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// Failures for one identifier from one source (`LOCKOUT_THRESHOLD`).
    pub per_source: u32,
    /// Failures for one identifier from all sources (`LOCKOUT_ACCOUNT_THRESHOLD`).
    pub per_identifier: u32,
    /// How long a lock holds (`LOCKOUT_DURATION`).
    pub duration: Duration,
}

/// How long a count is remembered after its last failure; then the owner, or
/// nobody at all, starts afresh.
pub const FAILURE_MEMORY: Duration = Duration::from_hours(720);

/// Consecutive failures so far, of an identifier from one source or from all.
///
/// An attempt is counted as a failure *before* its password is checked and
/// forgiven when it turns out right. So guesses in parallel get no extra try,
/// and a crash between the two forgives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many in a row.
    pub count: u32,
    /// When the last one was counted.
    pub last_at: Timestamp,
    /// Until when further attempts are refused.
    pub locked_until: Option<Timestamp>,
}

/// What an attempt meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may go on. `last` says that failing it starts a lock.
    Open {
        /// Whether this was the last attempt before a lock.
        last: bool,
    },
    /// It is refused unseen until then.
    Locked(Timestamp),
}

impl Failures {
    /// No failures yet.
    pub const NONE: Self =
        Self { count: 0, last_at: Timestamp::from_micros(i64::MIN), locked_until: None };

    /// Counts an attempt at `now` and says what it meets. A refused attempt
    /// changes nothing, so a lock ends when it was said to end.
    #[must_use]
    pub fn count(self, now: Timestamp, threshold: u32, duration: Duration) -> (Self, Standing) {
        let before = match self.locked_until {
            Some(until) if now < until => return (self, Standing::Locked(until)),
            Some(_) => Self::NONE,
            None if now.since(self.last_at) >= FAILURE_MEMORY => Self::NONE,
            None => self,
        };
        let count = before.count.saturating_add(1);
        let last = count >= threshold;
        let after = Self { count, last_at: now, locked_until: last.then(|| now + duration) };
        (after, Standing::Open { last })
    }
}

impl Failures {
    /// Takes the last attempt back, and the lock that it may have started: its
    /// password was never checked.
    #[must_use]
    pub fn withdraw(self) -> Self {
        Self { count: self.count.saturating_sub(1), locked_until: None, ..self }
    }
}

impl Standing {
    /// What an attempt meets that has to pass both counters.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Locked(a), Self::Locked(b)) => Self::Locked(a.max(b)),
            (Self::Locked(until), _) | (_, Self::Locked(until)) => Self::Locked(until),
            (Self::Open { last: a }, Self::Open { last: b }) => Self::Open { last: a || b },
        }
    }
}

/// Counts an attempt against both counters; a refused attempt is counted by neither.
#[must_use]
pub fn count_attempt(
    from_source: Failures,
    from_all: Failures,
    now: Timestamp,
    policy: &LockoutPolicy,
) -> (Failures, Failures, Standing) {
    let (source_after, source) = from_source.count(now, policy.per_source, policy.duration);
    let (all_after, all) = from_all.count(now, policy.per_identifier, policy.duration);
    match source.and(all) {
        locked @ Standing::Locked(_) => (from_source, from_all, locked),
        open @ Standing::Open { .. } => (source_after, all_after, open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const POLICY: LockoutPolicy =
        LockoutPolicy { per_source: 3, per_identifier: 5, duration: Duration::from_hours(1) };

    #[test]
    fn the_last_permitted_failure_starts_the_lock() {
        let (mut source, mut all) = (Failures::NONE, Failures::NONE);
        for attempt in 1..=3 {
            let (s, a, standing) = count_attempt(source, all, NOW, &POLICY);
            assert_eq!(standing, Standing::Open { last: attempt == 3 });
            (source, all) = (s, a);
        }
        let until = NOW + POLICY.duration;
        let (s, a, standing) = count_attempt(source, all, NOW, &POLICY);
        assert_eq!(standing, Standing::Locked(until));
        assert_eq!((s, a), (source, all), "a refused attempt is not counted");
        let just_before = until - Duration::from_micros(1);
        assert!(matches!(count_attempt(source, all, just_before, &POLICY).2, Standing::Locked(_)));
        assert_eq!(count_attempt(source, all, until, &POLICY).2, Standing::Open { last: false });
    }

    #[test]
    fn many_sources_lock_the_identifier_for_everybody() {
        let mut all = Failures::NONE;
        for _ in 0..5 {
            all = count_attempt(Failures::NONE, all, NOW, &POLICY).1;
        }
        assert!(matches!(count_attempt(Failures::NONE, all, NOW, &POLICY).2, Standing::Locked(_)));
    }

    #[test]
    fn a_withdrawn_attempt_takes_its_lock_along() {
        let two = Failures { count: 2, last_at: NOW, locked_until: None };
        let (locked, _) = two.count(NOW, 3, POLICY.duration);
        assert!(locked.locked_until.is_some());
        let open = locked.withdraw();
        assert_eq!((open.count, open.locked_until), (2, None));
        assert_eq!(Failures::NONE.withdraw().count, 0);
    }

    #[test]
    fn old_failures_are_forgotten() {
        let old = Failures { count: 2, last_at: NOW, locked_until: None };
        let later = NOW + FAILURE_MEMORY;
        assert_eq!(old.count(later, 3, POLICY.duration).0.count, 1);
        assert_eq!(old.count(later - Duration::from_micros(1), 3, POLICY.duration).0.count, 3);
    }
}
