//! Laws of finding out who bears an access token.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ports::Caller;
use portcullis_domain::{EndReason, PasswordHash, Session, SessionEnd, User};

use crate::Stores;
use crate::build::{START, TICK, name, session, stored_session, stored_user, user_id};

const END: SessionEnd = SessionEnd { at: START, reason: EndReason::Logout };

async fn named(stores: &Stores, session: &Session) -> Option<Arc<Caller>> {
    stores.callers.bearer(session.id, session.user_id).await.unwrap()
}

/// A user with a session that has been asked for, so that a cache may know it.
async fn known(stores: &Stores, local: &str) -> (User, Session) {
    let user = stored_user(&*stores.store, local).await;
    let session = session(user.id);
    stored_session(&*stores.store, &session).await;
    let caller = Some(Arc::new(Caller { session: session.clone(), user: user.clone() }));
    // Asked twice: once for the store, once for the cache.
    assert_eq!(named(stores, &session).await, caller);
    assert_eq!(named(stores, &session).await, caller);
    (user, session)
}

fn is_live(caller: Option<Arc<Caller>>) -> bool {
    caller.is_some_and(|caller| caller.session.is_live(START + TICK))
}

/// With every field, however often it is asked, and whoever it is said to be.
pub async fn a_live_session_names_its_user(stores: &Stores) {
    let (ann, first) = known(stores, "ann").await;
    let (bob, _) = known(stores, "bob").await;
    let said = stores.callers.bearer(first.id, bob.id).await.unwrap().unwrap();
    assert_eq!((&said.session, &said.user), (&first, &ann));
    let unknown = session(user_id());
    assert_eq!(named(stores, &unknown).await, None);
}

/// Logging out is heeded by the next request, wherever it arrives.
pub async fn after_an_acknowledged_end_nobody_is_named(stores: &Stores) {
    let (user, session) = known(stores, "ann").await;
    assert!(stores.sessions.end(session.id, user.id, END).await.unwrap());
    assert!(!is_live(named(stores, &session).await));
    assert!(!is_live(named(stores, &session).await));
}

/// So is an end in a unit of work, of one session and of all.
pub async fn after_a_committed_end_nobody_is_named(stores: &Stores) {
    let (ann, first) = known(stores, "ann").await;
    let (bob, second) = known(stores, "bob").await;
    let mut unit = stores.store.begin().await.unwrap();
    assert!(unit.sessions().end(first.id, ann.id, END).await.unwrap());
    assert_eq!(unit.sessions().end_all(bob.id, END).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert!(!is_live(named(stores, &first).await));
    assert!(!is_live(named(stores, &second).await));
}

/// What did not happen ends nothing.
pub async fn an_end_that_was_dropped_ends_nothing(stores: &Stores) {
    let (user, session) = known(stores, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.sessions().end_all(user.id, END).await.unwrap();
    drop(unit);
    assert!(is_live(named(stores, &session).await));
}

/// A new name is seen by the next request, and so is every other change.
pub async fn a_changed_user_is_seen_at_once(stores: &Stores) {
    let (user, session) = known(stores, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    unit.users().rename(user.id, &name("Ann Kay"), START + TICK).await.unwrap();
    unit.commit().await.unwrap();
    let renamed = named(stores, &session).await.unwrap();
    assert_eq!(renamed.user.name, name("Ann Kay"));

    let mut unit = stores.store.begin().await.unwrap();
    unit.users().mark_email_verified(user.id, START + TICK).await.unwrap();
    let hash = PasswordHash::new("another".into());
    unit.users().change_password(user.id, &hash, START + TICK).await.unwrap();
    unit.commit().await.unwrap();
    let changed = named(stores, &session).await.unwrap();
    let changed = &changed.user;
    assert_eq!(changed.email_verified_at, Some(START + TICK));
    assert_eq!(changed.password_changed_at, START + TICK);
}

/// Readers that ask while a session ends cannot bring it back.
pub async fn readers_under_way_revive_nothing(stores: &Stores) {
    for round in 0..10 {
        let (user, session) = known(stores, &format!("ann{round}")).await;
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let (callers, id, user) = (Arc::clone(&stores.callers), session.id, user.id);
                tokio::spawn(async move {
                    for _ in 0..20 {
                        callers.bearer(id, user).await.unwrap();
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(round)).await;
        assert!(stores.sessions.end(session.id, user.id, END).await.unwrap());
        assert!(!is_live(named(stores, &session).await), "at once");
        for reader in readers {
            reader.await.unwrap();
        }
        assert!(!is_live(named(stores, &session).await), "after readers that were late");
    }
}
