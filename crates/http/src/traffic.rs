//! Requests as they come and go, and the end of connections.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a server that stops has to know about its requests, and tells its
/// clients: connections that stay open must not end in the middle of a request.
#[derive(Debug, Default)]
pub struct Traffic {
    begun: AtomicU64,
    ended: AtomicU64,
    is_leaving: AtomicBool,
}

impl Traffic {
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

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Acquire)
    }

    /// Counts a request for as long as the value lives: a client may hang up.
    pub(crate) fn request(&self) -> Request<'_> {
        self.begun.fetch_add(1, Ordering::AcqRel);
        Request(self)
    }
}

/// A request under way.
pub(crate) struct Request<'t>(&'t Traffic);

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_quiet_when_every_request_that_began_has_ended() {
        let traffic = Traffic::default();
        assert!(traffic.is_quiet());
        let (first, second) = (traffic.request(), traffic.request());
        drop(first);
        assert!(!traffic.is_quiet());
        drop(second);
        assert!(traffic.is_quiet());
        assert_eq!(traffic.begun(), 2);
    }
}
