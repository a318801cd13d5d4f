//! Callers whose seal was broken before.

use std::sync::Arc;

use portcullis_domain::SessionId;
use portcullis_domain::ports::Caller;
use quick_cache::sync::Cache;

use super::seal::Bound;

/// Callers that are remembered, of some 800 bytes each; whoever comes again most
/// stays longest.
const CAPACITY: usize = 4_096;

/// What was found in seals, by what they are bound to: what is kept under the same
/// process, version and moment was read while that version stood, and need not be
/// opened again. Whether it still counts is Redis's to say, each time.
pub(super) struct OpenedCallers(Cache<SessionId, Arc<Opened>>);

struct Opened {
    process: Arc<str>,
    version: Vec<u8>,
    moment: Vec<u8>,
    caller: Arc<Caller>,
}

impl OpenedCallers {
    pub(super) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    pub(super) fn find(&self, bound: &Bound<'_>) -> Option<Arc<Caller>> {
        let opened = self.0.get(&bound.session)?;
        let is_same = opened.moment == bound.moment
            && opened.version == bound.version
            && *opened.process == *bound.process;
        is_same.then(|| Arc::clone(&opened.caller))
    }

    pub(super) fn remember(&self, bound: &Bound<'_>, caller: &Arc<Caller>) {
        let opened = Opened {
            process: Arc::from(bound.process),
            version: bound.version.to_vec(),
            moment: bound.moment.to_vec(),
            caller: Arc::clone(caller),
        };
        self.0.insert(bound.session, Arc::new(opened));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_conformance::build::{session, stored_user};
    use portcullis_memory::MemoryStore;

    #[tokio::test]
    async fn only_what_is_bound_to_the_same_is_found_again() {
        let user = stored_user(&MemoryStore::new(), "ann").await;
        let caller = Arc::new(Caller { session: session(user.id), user });
        let bound = |process, version, moment| {
            let session = caller.session.id;
            Bound { process, session, version, moment }
        };
        let opened = OpenedCallers::new();
        let kept = bound("one", b"a", b"1");
        assert_eq!(opened.find(&kept), None);
        opened.remember(&kept, &caller);
        assert_eq!(opened.find(&kept).as_ref(), Some(&caller));
        let other = Bound { session: session(caller.user.id).id, ..bound("one", b"a", b"1") };
        for other in
            [other, bound("two", b"a", b"1"), bound("one", b"b", b"1"), bound("one", b"a", b"2")]
        {
            assert_eq!(opened.find(&other), None);
        }
        opened.remember(&bound("one", b"a", b"2"), &caller);
        assert_eq!(opened.find(&kept), None, "what is kept later takes its place");
    }
}
