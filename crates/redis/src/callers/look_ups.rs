//! Look-ups under way: whoever misses a caller whom the store is being asked for takes
//! part in that look-up, so that a session in much use costs the store one statement
//! when its lease ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcullis_domain::SessionId;
use portcullis_domain::ports::Caller;
use tokio::sync::watch;

use super::{LEASE, Ticket, millis};

/// The look-ups that the store has not answered yet.
#[derive(Default)]
pub(super) struct LookUps(Mutex<HashMap<SessionId, UnderWay>>);

/// Whose ticket is as good as that of whoever asks the store may be given the same
/// answer: it would have found it in Redis, had it been kept by then.
struct UnderWay {
    process: Arc<str>,
    version: Vec<u8>,
    moment: u64,
    told: watch::Receiver<Option<Told>>,
}

/// What whoever asked the store tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Caller(Arc<Caller>),
    /// The store is unavailable. To ask it again would take as long again.
    Unavailable,
}

/// How a ticket takes part in a look-up.
pub(super) enum Part<'a> {
    /// It asks the store, and tells the others.
    Leads(Lead<'a>),
    /// It is told.
    Follows(Follower),
    /// It asks the store for itself: another look-up is under way, under a version or a
    /// lease that is not its own.
    IsAlone,
}

/// Ends the look-up when it is dropped, whether the others were told or not.
pub(super) struct Lead<'a> {
    look_ups: &'a LookUps,
    session: SessionId,
    told: watch::Sender<Option<Told>>,
}

/// Waits for what is told.
pub(super) struct Follower(watch::Receiver<Option<Told>>);

impl LookUps {
    pub(super) fn take_part(&self, session: SessionId, ticket: &Ticket) -> Part<'_> {
        let Some(moment) = moment_of(ticket) else { return Part::IsAlone };
        let mut all = self.all();
        if let Some(under_way) = all.get(&session) {
            let is_good = under_way.is_good_for(ticket, moment);
            let follower = || Follower(under_way.told.clone());
            return if is_good { Part::Follows(follower()) } else { Part::IsAlone };
        }
        let (sender, told) = watch::channel(None);
        let (process, version) = (Arc::clone(&ticket.process), ticket.version.clone());
        all.insert(session, UnderWay { process, version, moment, told });
        Part::Leads(Lead { look_ups: self, session, told: sender })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<SessionId, UnderWay>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the clock of Redis, in milliseconds.
fn moment_of(ticket: &Ticket) -> Option<u64> {
    str::from_utf8(&ticket.moment).ok()?.parse().ok()
}

impl UnderWay {
    fn is_good_for(&self, ticket: &Ticket, moment: u64) -> bool {
        let age = moment.checked_sub(self.moment);
        age.is_some_and(|age| age < millis(LEASE))
            && self.version == ticket.version
            && self.process == ticket.process
    }
}

impl Lead<'_> {
    /// Tells those who follow, and those who come until this is dropped.
    pub(super) fn tell(&self, told: Told) {
        self.told.send_replace(Some(told));
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.look_ups.all().remove(&self.session);
    }
}

impl Follower {
    /// What is told; `None` if nothing is: the store named nobody whom others may be
    /// given, or whoever asked it gave up.
    pub(super) async fn told(mut self) -> Option<Told> {
        self.0.wait_for(Option::is_some).await.ok()?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_conformance::build::{session, stored_user};
    use portcullis_memory::MemoryStore;

    fn ticket(process: &str, version: &str, moment: &str) -> Ticket {
        Ticket { process: process.into(), version: version.into(), moment: moment.into() }
    }

    async fn caller() -> Arc<Caller> {
        let user = stored_user(&MemoryStore::new(), "ann").await;
        Arc::new(Caller { session: session(user.id), user })
    }

    fn lead(part: Part<'_>) -> Lead<'_> {
        let Part::Leads(lead) = part else { panic!("it should lead") };
        lead
    }

    fn follower(part: Part<'_>) -> Follower {
        let Part::Follows(follower) = part else { panic!("it should follow") };
        follower
    }

    #[tokio::test]
    async fn who_comes_meanwhile_is_told_what_the_first_was() {
        let (look_ups, caller) = (LookUps::default(), caller().await);
        let id = caller.session.id;
        let first = lead(look_ups.take_part(id, &ticket("one", "a", "1000")));
        let others = ["1000", "1001", "2999"]
            .map(|moment| follower(look_ups.take_part(id, &ticket("one", "a", moment))));
        let told = Told::Caller(caller);
        first.tell(told.clone());
        let late = follower(look_ups.take_part(id, &ticket("one", "a", "1002")));
        drop(first);
        for other in others.into_iter().chain([late]) {
            assert_eq!(other.told().await.as_ref(), Some(&told));
        }
        lead(look_ups.take_part(id, &ticket("one", "a", "1002")));
    }

    #[tokio::test]
    async fn nobody_is_told_what_was_read_under_another_version_process_or_lease() {
        let (look_ups, id) = (LookUps::default(), caller().await.session.id);
        let _first = lead(look_ups.take_part(id, &ticket("one", "a", "1000")));
        for other in [
            ticket("one", "b", "1000"),
            ticket("two", "a", "1000"),
            ticket("one", "a", "3000"),
            ticket("one", "a", "999"),
            ticket("one", "a", "soon"),
        ] {
            assert!(matches!(look_ups.take_part(id, &other), Part::IsAlone));
        }
        let another = caller().await.session.id;
        lead(look_ups.take_part(another, &ticket("one", "a", "1000")));
    }

    #[tokio::test]
    async fn when_the_first_gives_up_the_others_are_not_kept_waiting() {
        let (look_ups, id) = (LookUps::default(), caller().await.session.id);
        let first = lead(look_ups.take_part(id, &ticket("one", "a", "1000")));
        let other = follower(look_ups.take_part(id, &ticket("one", "a", "1001")));
        drop(first);
        assert_eq!(other.told().await, None);
        lead(look_ups.take_part(id, &ticket("one", "a", "1002")));
    }
}
