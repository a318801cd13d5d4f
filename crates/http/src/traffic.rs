//! Requests as they come and go, and how a server that stops takes its leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a server that stops has to know about its requests, and tells its
/// clients: connections that stay open must not end in the middle of a request.
#[derive(Debug, Default)]
pub struct Traffic {
    begun: AtomicU64,
    ended: AtomicU64,
    is_withdrawn: AtomicBool,
    is_leaving: AtomicBool,
}

impl Traffic {
    /// From now on `/health/ready` answers 503: load balancers should go elsewhere.
    pub fn withdraw(&self) {
        self.is_withdrawn.store(true, Ordering::Release);
    }

    pub(crate) fn is_withdrawn(&self) -> bool {
        self.is_withdrawn.load(Ordering::Acquire)
    }

    /// From now on each answer announces the end of its connection.
    pub fn leave(&self) {
        self.is_leaving.store(true, Ordering::Release);
    }

    /// How many requests have begun so far.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Whether no request is under way.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        // In this order, or one that begins in between would be missed.
        let ended = self.ended.load(Ordering::Acquire);
        ended == self.begun()
    }

    /// How many requests are under way.
    #[must_use]
    pub fn under_way(&self) -> u64 {
        let ended = self.ended.load(Ordering::Acquire);
        self.begun().saturating_sub(ended)
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Acquire)
    }

    /// Counts a request for as long as the value lives: also one whose client has
    /// hung up is finished before the server ends.
    pub(crate) fn request(self: &Arc<Self>) -> Request {
        self.begun.fetch_add(1, Ordering::AcqRel);
        Request(Arc::clone(self))
    }
}

/// A request under way.
pub(crate) struct Request(Arc<Traffic>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_quiet_when_every_request_that_began_has_ended() {
        let traffic = Arc::new(Traffic::default());
        assert!(traffic.is_quiet());
        let (first, second) = (traffic.request(), traffic.request());
        drop(first);
        assert!(!traffic.is_quiet());
        assert_eq!(traffic.under_way(), 1);
        drop(second);
        assert!(traffic.is_quiet());
        assert_eq!(traffic.begun(), 2);
    }
}
