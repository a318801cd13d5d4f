//! What must be true of everything that was written down.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::record::{Entry, Outcome, Request};

/// Of each address and each one-time token there is one winner.
pub(super) fn single_winners(journal: &[Entry]) {
    let mut done: BTreeMap<(Request, &str), (usize, usize)> = BTreeMap::new();
    for entry in journal {
        if ![Request::Register, Request::Verify, Request::Reset].contains(&entry.request) {
            continue;
        }
        let counts = done.entry((entry.request, &entry.subject)).or_default();
        match entry.outcome {
            Outcome::Done(_) => counts.0 += 1,
            Outcome::Unknown => counts.1 += 1,
            Outcome::Refused => {}
        }
    }
    for ((request, subject), (winners, unknown)) in done {
        assert!(winners <= 1, "{request:?} of {subject} was done {winners} times");
        assert!(winners + unknown >= 1, "{request:?} of {subject} was refused to everybody");
    }
}

/// Each refresh token leads to one other, and no two lead to the same.
pub(super) fn one_chain(journal: &[Entry]) {
    let mut successors: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in journal {
        if let (Request::Refresh, Outcome::Done(next)) = (entry.request, &entry.outcome) {
            successors.entry(&entry.subject).or_default().insert(next);
        }
    }
    let mut all = BTreeSet::new();
    for (token, next) in successors {
        assert_eq!(next.len(), 1, "{token} has more than one successor");
        assert!(all.insert(next), "a successor of {token} is another's");
    }
}

/// The moments from which a session may be over, and from which it is.
fn end_of(journal: &[Entry], scope: &str) -> (Option<Instant>, Option<Instant>) {
    let ends = journal.iter().filter(|entry| match entry.request {
        Request::LogOut => entry.scope == scope,
        Request::Reset => scope.starts_with(&format!("{} ", entry.scope)),
        _ => false,
    });
    let (mut may, mut is): (Option<Instant>, Option<Instant>) = (None, None);
    for end in ends {
        if end.outcome != Outcome::Refused {
            may = Some(may.map_or(end.sent, |at| at.min(end.sent)));
        }
        if let Outcome::Done(_) = end.outcome {
            is = Some(is.map_or(end.answered, |at| at.min(end.answered)));
        }
    }
    (may, is)
}

/// Nobody is let in after an end was acknowledged, nobody shut out before one
/// was asked for; returns how many requests that was seen by.
pub(super) fn ends_are_heeded(journal: &[Entry]) -> (usize, usize) {
    let used = |entry: &&Entry| [Request::Me, Request::Refresh].contains(&entry.request);
    let scopes: BTreeSet<&str> =
        journal.iter().filter(used).map(|entry| entry.scope.as_str()).collect();
    let (mut before, mut after) = (0, 0);
    for scope in scopes {
        let (may, is) = end_of(journal, scope);
        for entry in journal.iter().filter(used).filter(|entry| entry.scope == scope) {
            let is_done = matches!(entry.outcome, Outcome::Done(_));
            if is.is_some_and(|at| entry.sent > at) {
                assert!(!is_done, "after its end: {entry:?}");
                after += 1;
            }
            if may.is_none_or(|at| entry.answered < at) {
                assert_ne!(entry.outcome, Outcome::Refused, "before its end: {entry:?}");
                before += 1;
            }
        }
    }
    (before, after)
}
