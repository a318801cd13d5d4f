//! Subscriptions as they stood a few minutes ago.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcullis_domain::Timestamp;
use portcullis_domain::ports::Clock;
use portcullis_domain::purchase::{OriginalTransactionId, Subscription};

/// How long an answer is remembered (contract B: 600 s).
const LIFETIME: Duration = Duration::from_mins(10);
/// How many answers at most; of about 20 KiB each. One that tells of several
/// subscriptions counts as that many.
const CAPACITY: usize = 10_000;

/// Answers by the purchase that was asked about, in this process.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    entries: HashMap<OriginalTransactionId, Entry>,
    /// Oldest first; of each purchase the last one counts.
    order: VecDeque<(u64, OriginalTransactionId)>,
    /// Counts questions, answers and what is forgotten.
    count: u64,
    /// How much of the capacity the entries take.
    weight: usize,
    /// Something was forgotten then of which there is no entry any more: answers
    /// to questions that were asked before it are kept out.
    forgotten: u64,
}

struct Entry {
    count: u64,
    at: Timestamp,
    /// `None` keeps out answers to questions that were asked before it was
    /// forgotten.
    answer: Option<Vec<Subscription>>,
}

impl Entry {
    fn weight(&self) -> usize {
        self.answer.as_ref().map_or(1, |subscriptions| subscriptions.len().max(1))
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.at) >= LIFETIME
    }
}

/// When a question was asked, among all else that happens here.
#[derive(Clone, Copy)]
pub(crate) struct Asked(u64);

/// Forgets a purchase when it goes.
#[must_use = "it is forgotten as soon as this is dropped"]
pub(crate) struct Forgetting<'a> {
    remembered: &'a Remembered,
    clock: &'a dyn Clock,
    purchase: OriginalTransactionId,
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        self.remembered.forget(&self.purchase, self.clock.now());
    }
}

impl Remembered {
    /// An answer that is not too old.
    pub(crate) fn get(
        &self,
        purchase: &OriginalTransactionId,
        now: Timestamp,
    ) -> Option<Vec<Subscription>> {
        let mut memory = self.lock();
        memory.drop_what_is_over(now);
        let entry = memory.entries.get(purchase)?;
        // A clock that stepped back makes nothing younger.
        let is_fresh = entry.at <= now && !entry.is_over(now);
        entry.answer.clone().filter(|_| is_fresh)
    }

    /// A question is about to be asked.
    pub(crate) fn ask(&self) -> Asked {
        Asked(self.lock().next())
    }

    /// Remembers its answer, unless something newer is known, or was forgotten
    /// meanwhile, of the purchase or of any subscription that the answer tells of.
    pub(crate) fn put(
        &self,
        purchase: OriginalTransactionId,
        asked: Asked,
        now: Timestamp,
        answer: Vec<Subscription>,
    ) {
        let mut memory = self.lock();
        let is_newer = |id| memory.entries.get(id).is_some_and(|entry| entry.count > asked.0);
        let is_outdated = asked.0 < memory.forgotten
            || is_newer(&purchase)
            || answer.iter().any(|subscription| is_newer(&subscription.original_id));
        if !is_outdated {
            memory.set(purchase, Entry { count: asked.0, at: now, answer: Some(answer) });
        }
    }

    /// Forgets what is known about a purchase, also from questions about others
    /// of the same customer.
    pub(crate) fn forget(&self, purchase: &OriginalTransactionId, now: Timestamp) {
        let mut memory = self.lock();
        let tells = |entry: &Entry| {
            let subscriptions = entry.answer.iter().flatten();
            subscriptions.map(|one| &one.original_id).any(|id| id == purchase)
        };
        let others = memory.entries.iter().filter(|(_, entry)| tells(entry));
        let mut forgotten: Vec<_> = others.map(|(asked_about, _)| asked_about.clone()).collect();
        forgotten.push(purchase.clone());
        for purchase in forgotten {
            let count = memory.next();
            memory.set(purchase, Entry { count, at: now, answer: None });
        }
    }

    /// Forgets a purchase when what is returned is dropped: also when whoever is
    /// about to change it hangs up before it is known whether it was changed.
    pub(crate) fn forgetting<'a>(
        &'a self,
        purchase: OriginalTransactionId,
        clock: &'a dyn Clock,
    ) -> Forgetting<'a> {
        Forgetting { remembered: self, clock, purchase }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn set(&mut self, purchase: OriginalTransactionId, entry: Entry) {
        self.drop_what_is_over(entry.at);
        self.order.push_back((entry.count, purchase.clone()));
        self.weight += entry.weight();
        if let Some(before) = self.entries.insert(purchase, entry) {
            self.weight -= before.weight();
        }
        let Self { entries, order, .. } = self;
        if order.len() > 2 * CAPACITY {
            // It also holds what was replaced since.
            order.retain(|(count, purchase)| {
                entries.get(purchase).is_some_and(|entry| entry.count == *count)
            });
        }
        while self.weight > CAPACITY && self.drop_oldest_if(|_| true) {}
    }

    fn drop_what_is_over(&mut self, now: Timestamp) {
        while self.drop_oldest_if(|entry| entry.is_over(now)) {}
    }

    /// Drops the oldest entry if it is like that, and tells whether there was
    /// anything to drop.
    fn drop_oldest_if(&mut self, unwanted: impl Fn(&Entry) -> bool) -> bool {
        let Some((count, oldest)) = self.order.front() else { return false };
        let entry = self.entries.get(oldest).filter(|entry| entry.count == *count);
        if entry.is_some_and(|entry| !unwanted(entry)) {
            return false;
        }
        let is_there = entry.is_some();
        let Some((count, oldest)) = self.order.pop_front() else { return false };
        if is_there && let Some(entry) = self.entries.remove(&oldest) {
            self.weight -= entry.weight();
            if entry.answer.is_none() {
                self.forgotten = self.forgotten.max(count);
            }
        }
        true
    }
}
