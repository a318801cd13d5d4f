//! What the server has acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use portcullis_tests::LoggedIn;

/// Everybody's story, and how many writes were acknowledged in all.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    people: Mutex<Vec<Person>>,
    acknowledged: AtomicU64,
    in_doubt: AtomicU64,
    troubles: Mutex<Vec<(Instant, String)>>,
}

/// What must be true of one account.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) is_verified: bool,
    pub(crate) password: String,
    pub(crate) old_passwords: Vec<String>,
    /// Sessions that were acknowledged and not ended.
    pub(crate) alive: Vec<LoggedIn>,
    /// Sessions whose end was acknowledged.
    pub(crate) over: Vec<LoggedIn>,
    /// The kinds of letters that acknowledged writes owe.
    pub(crate) letters: Vec<&'static str>,
}

impl Journal {
    /// Notes that a write was acknowledged, perhaps not the first time it was
    /// asked for.
    pub(crate) fn acknowledge(&self, in_doubt: bool) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        self.in_doubt.fetch_add(in_doubt.into(), Ordering::Relaxed);
    }

    /// How many writes were acknowledged.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// How many of them had been asked for without an answer before.
    pub(crate) fn in_doubt(&self) -> u64 {
        self.in_doubt.load(Ordering::Relaxed)
    }

    /// Notes that a request failed, or was put off, and had to be repeated.
    pub(crate) fn complain(&self, told: &str) {
        let trouble = (Instant::now(), told.to_owned());
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).push(trouble);
    }

    /// Every such request.
    pub(crate) fn troubles(&self) -> Vec<(Instant, String)> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what must be true of somebody.
    pub(crate) fn write(&self, person: Person) {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).push(person);
    }

    /// Everybody so far.
    pub(crate) fn people(&self) -> Vec<Person> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
