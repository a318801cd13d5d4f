//! Laws of units of work, and of being cancelled.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ports::Store;

use crate::Stores;
use crate::build::{
    LOCKOUT, START, TICK, attempt, letter, name, new_user, session, stored_session, stored_user,
};
use crate::race::{cancel_after, race};

/// How soon locks must be free after whoever held them is gone.
const SOON: Duration = Duration::from_secs(2);

async fn count_of(stores: &Stores, locals: &[&str]) -> usize {
    let mut unit = stores.store.begin().await.unwrap();
    let mut count = 0;
    for local in locals {
        let identifier = crate::build::email(local).into();
        count += usize::from(unit.users().by_identifier(&identifier).await.unwrap().is_some());
    }
    count
}

/// A healthy store says so.
pub async fn a_store_that_is_there_answers(stores: &Stores) {
    stores.store.ping().await.unwrap();
}

/// Without a commit nothing has happened.
pub async fn a_dropped_unit_leaves_nothing_behind(stores: &Stores) {
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().add(new_user("ann")).await.unwrap();
    drop(unit);
    assert_eq!(count_of(stores, &["ann"]).await, 0);
}

/// Other readers see all of a unit or nothing of it.
pub async fn a_write_is_invisible_until_it_is_committed(stores: &Stores) {
    let mut unit = stores.store.begin().await.unwrap();
    let user = unit.users().add(new_user("ann")).await.unwrap();
    // A reader may also wait for the commit, but it may not see the draft.
    let early =
        tokio::time::timeout(Duration::from_millis(100), stores.sessions.user_exists(user.id));
    if let Ok(seen) = early.await {
        assert!(!seen.unwrap(), "an uncommitted user was seen");
    }
    unit.commit().await.unwrap();
    assert!(stores.sessions.user_exists(user.id).await.unwrap());
}

/// Whoever waits for a dropped unit's locks gets them without its help.
pub async fn a_dropped_unit_frees_its_locks_at_once(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().rename(user.id, &name("Ann Kay"), START + TICK).await.unwrap();
    // The waiter starts before the drop: only then does a rollback that is
    // merely put off show.
    let store = Arc::clone(&stores.store);
    let waiter = tokio::spawn(async move {
        let mut unit = store.begin().await.unwrap();
        unit.users().rename(user.id, &name("Ann Ray"), START + TICK).await.unwrap();
        unit.commit().await.unwrap();
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(unit);
    tokio::time::timeout(SOON, waiter).await.expect("the locks are still held").unwrap();
}

/// Dropping a unit's future at each await leaves either nothing or everything.
pub async fn a_unit_cancelled_at_any_moment_leaves_the_store_whole(stores: &Stores) {
    async fn register(store: Arc<dyn Store>, first: String, second: String) {
        let mut unit = store.begin().await.unwrap();
        unit.users().add(new_user(&first)).await.unwrap();
        unit.users().add(new_user(&second)).await.unwrap();
        unit.commit().await.unwrap();
    }
    let mut polls = 0;
    loop {
        let (first, second) = (format!("a{polls}"), format!("b{polls}"));
        let work = register(Arc::clone(&stores.store), first.clone(), second.clone());
        let finished = cancel_after(polls, work).await;
        let names = [first.as_str(), second.as_str()];
        let check = tokio::time::timeout(SOON, count_of(stores, &names));
        let count = check.await.expect("the store is stuck");
        assert!(count == 0 || count == 2, "half a unit is there after {polls} polls");
        if finished {
            assert_eq!(count, 2);
            return;
        }
        polls += 1;
        assert!(polls < 1_000, "the unit never finishes");
    }
}

/// Dropping a single step's future at each await leaves before or after, and
/// the store usable.
pub async fn steps_cancelled_at_any_moment_leave_the_store_whole(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let session = session(user.id);
    stored_session(&*stores.store, &session).await;
    for polls in 0..40 {
        let before = stores.sessions.caller(session.id).await.unwrap().unwrap().session.counter;
        let step = stores.sessions.advance(session.id, before, session.seed_digest, START);
        cancel_after(polls % 5, step).await;
        cancel_after(polls % 5, stores.logins.attempt(attempt("ann"), LOCKOUT)).await;
        let after = tokio::time::timeout(SOON, async {
            // Settles behind a step that was cancelled but is still under way.
            let unit = stores.store.begin().await.unwrap();
            drop(unit);
            stores.sessions.caller(session.id).await.unwrap().unwrap().session.counter
        });
        let after = after.await.expect("the store is stuck");
        assert!(after == before || after == before + 1, "{before} became {after}");
    }
}

/// What a unit reads it locks: of parallel read-then-write units none is lost.
pub async fn parallel_units_lose_no_update(stores: &Stores) {
    let owed = race(16, |number| {
        let store = Arc::clone(&stores.store);
        async move {
            let cap =
                portcullis_domain::ports::MailCap { limit: 5, window: Duration::from_hours(1) };
            let mut letter = letter("ann");
            letter.created_at = START + TICK * number;
            let mut unit = store.begin().await.unwrap();
            let owed = unit.outbox().enqueue(&letter, cap).await.unwrap();
            unit.commit().await.unwrap();
            owed
        }
    })
    .await;
    let owed = owed.into_iter().filter(|owed| *owed == portcullis_domain::ports::Enqueued::Owed);
    assert_eq!(owed.count(), 5, "the cap was overrun");
}
