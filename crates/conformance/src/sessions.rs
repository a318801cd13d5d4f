//! Laws of sessions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portcullis_domain::ports::Caller;
use portcullis_domain::{
    Client, Contract, EndReason, SeedDigest, Session, SessionEnd, SourceAddress, Timestamp,
};

use crate::Stores;
use crate::build::{START, TICK, session, session_id, source, stored_session, stored_user};
use crate::race::race;

const LOGOUT: SessionEnd = SessionEnd { at: START, reason: EndReason::Logout };

async fn opened(stores: &Stores) -> Session {
    let user = stored_user(&*stores.store, "ann").await;
    let session = session(user.id);
    stored_session(&*stores.store, &session).await;
    session
}

async fn read(stores: &Stores, session: &Session) -> Session {
    stores.sessions.caller(session.id).await.unwrap().expect("the session is there").session
}

async fn advance(
    stores: &Stores,
    session: &Session,
    counter: u32,
    at: Timestamp,
) -> Option<Session> {
    stores.sessions.advance(session.id, counter, session.seed_digest, at).await.unwrap()
}

/// Whatever was written is what is read, beside its user.
pub async fn every_field_of_a_session_is_read_as_it_was_written(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let plain = session(user.id);
    let address = SourceAddress::new("2001:db8:1:2:3:4:5:6".parse().unwrap());
    let full = Session {
        id: session_id(),
        contract: Contract::Form,
        rotates: false,
        seed_digest: SeedDigest([9; 32]),
        counter: 3_000_000_000,
        rotated_at: START + TICK,
        last_used_at: START + 2 * TICK,
        client: Client { source: address, user_agent: None },
        ..plain.clone()
    };
    for session in [plain, full] {
        stored_session(&*stores.store, &session).await;
        let caller = stores.sessions.caller(session.id).await.unwrap();
        assert_eq!(caller, Some(Caller { session, user: user.clone() }));
    }
}

/// What is not there is nothing, and nothing can be done with it.
pub async fn an_unknown_session_is_nobodys(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let unknown = session(user.id);
    assert_eq!(stores.sessions.caller(unknown.id).await.unwrap(), None);
    assert_eq!(advance(stores, &unknown, 0, START).await, None);
    assert!(!stores.sessions.end(unknown.id, user.id, LOGOUT).await.unwrap());
}

/// Each refresh moves the counter by one; an old counter moves nothing.
pub async fn a_rotating_session_moves_on_one_by_one(stores: &Stores) {
    let session = opened(stores).await;
    for counter in 0..3 {
        let at = START + TICK * (counter + 1);
        let moved = advance(stores, &session, counter, at).await.expect("it moves on");
        let expected =
            Session { counter: counter + 1, rotated_at: at, last_used_at: at, ..session.clone() };
        assert_eq!(moved, expected);
        assert_eq!(read(stores, &session).await, expected);
        assert_eq!(advance(stores, &session, counter, at).await, None, "an old counter");
        assert_eq!(advance(stores, &session, counter + 2, at).await, None, "a future counter");
    }
}

/// A fixed session may be refreshed any number of times with one counter.
pub async fn a_fixed_session_stays_where_it_is(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let session = Session { rotates: false, ..session(user.id) };
    stored_session(&*stores.store, &session).await;
    for _ in 0..3 {
        let same = advance(stores, &session, 0, START + TICK).await.expect("it is good");
        assert_eq!((same.counter, same.last_used_at), (0, START + TICK));
    }
}

/// Good just before it expires, no longer at that moment.
pub async fn a_session_moves_until_just_before_it_expires(stores: &Stores) {
    let session = opened(stores).await;
    assert_eq!(advance(stores, &session, 0, session.expires_at).await, None);
    let moved = advance(stores, &session, 0, session.expires_at - TICK).await;
    assert_eq!(moved.map(|moved| moved.expires_at), Some(session.expires_at));
}

/// The seed has to fit, whatever the counter says.
pub async fn a_foreign_seed_moves_nothing(stores: &Stores) {
    let session = opened(stores).await;
    let foreign = SeedDigest([8; 32]);
    let moved = stores.sessions.advance(session.id, 0, foreign, START).await.unwrap();
    assert_eq!(moved, None);
    assert_eq!(read(stores, &session).await, session);
}

/// Decided by one conditional write.
pub async fn of_64_parallel_rotations_one_wins(stores: &Stores) {
    let session = opened(stores).await;
    let results = race(64, |_| {
        let (sessions, session) = (Arc::clone(&stores.sessions), session.clone());
        async move {
            let moved = sessions.advance(session.id, 0, session.seed_digest, START).await;
            moved.unwrap().is_some()
        }
    })
    .await;
    assert_eq!(results.into_iter().filter(|won| *won).count(), 1);
    assert_eq!(read(stores, &session).await.counter, 1);
}

/// Somebody else cannot end it; its user can, and is told if it was over.
pub async fn a_session_is_ended_once_and_by_its_user_only(stores: &Stores) {
    let session = opened(stores).await;
    let bob = stored_user(&*stores.store, "bob").await;
    assert!(!stores.sessions.end(session.id, bob.id, LOGOUT).await.unwrap());
    assert_eq!(read(stores, &session).await.end, None);
    assert!(stores.sessions.end(session.id, session.user_id, LOGOUT).await.unwrap());
    let later = SessionEnd { at: START + TICK, reason: EndReason::Reuse };
    assert!(!stores.sessions.end(session.id, session.user_id, later).await.unwrap());
    assert_eq!(read(stores, &session).await.end, Some(LOGOUT), "the first end counts");
    let mut unit = stores.store.begin().await.unwrap();
    assert!(!unit.sessions().end(session.id, session.user_id, later).await.unwrap());
}

/// Neither in a unit nor in a step ended does it come back.
pub async fn an_ended_session_never_moves_again(stores: &Stores) {
    let session = opened(stores).await;
    let mut unit = stores.store.begin().await.unwrap();
    let reuse = SessionEnd { at: START, reason: EndReason::Reuse };
    assert!(!unit.sessions().end(session.id, crate::build::user_id(), reuse).await.unwrap());
    assert!(unit.sessions().end(session.id, session.user_id, reuse).await.unwrap());
    unit.commit().await.unwrap();
    assert_eq!(advance(stores, &session, 0, START).await, None);
    assert_eq!(read(stores, &session).await.end, Some(reuse));
}

/// While many refresh, one ends it: from the acknowledgement on, none succeeds.
pub async fn after_an_acknowledged_end_nothing_moves(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let session = Session { rotates: false, ..session(user.id) };
    stored_session(&*stores.store, &session).await;
    let ended = Arc::new(AtomicBool::new(false));
    let outcomes = race(16, |number| {
        let (sessions, session) = (Arc::clone(&stores.sessions), session.clone());
        let ended = Arc::clone(&ended);
        async move {
            if number == 7 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                assert!(sessions.end(session.id, session.user_id, LOGOUT).await.unwrap());
                ended.store(true, Ordering::SeqCst);
                return 0;
            }
            let (mut after, mut revived) = (0, 0);
            while after < 20 {
                let was_ended = ended.load(Ordering::SeqCst);
                let moved = sessions.advance(session.id, 0, session.seed_digest, START).await;
                let has_moved = moved.unwrap().is_some();
                after += u32::from(was_ended);
                revived += u32::from(was_ended && has_moved);
                tokio::task::yield_now().await;
            }
            revived
        }
    })
    .await;
    assert_eq!(outcomes.into_iter().sum::<u32>(), 0);
}

/// Other users' sessions and earlier ends stay as they are.
pub async fn ending_all_ends_that_users_live_sessions_only(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    let (first, second, over, bobs) =
        (session(ann.id), session(ann.id), session(ann.id), session(bob.id));
    for session in [&first, &second, &over, &bobs] {
        stored_session(&*stores.store, session).await;
    }
    stores.sessions.end(over.id, ann.id, LOGOUT).await.unwrap();
    let reset = SessionEnd { at: START + TICK, reason: EndReason::PasswordReset };
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.sessions().end_all(ann.id, reset).await.unwrap(), 2);
    unit.commit().await.unwrap();
    assert_eq!(read(stores, &first).await.end, Some(reset));
    assert_eq!(read(stores, &second).await.end, Some(reset));
    assert_eq!(read(stores, &over).await.end, Some(LOGOUT));
    assert_eq!(read(stores, &bobs).await.end, None);
}

/// Sessions that might still be used stay.
pub async fn only_expired_sessions_are_removed(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let old = session(user.id);
    let young = Session {
        expires_at: old.expires_at + TICK,
        client: Client { source: source(2), user_agent: None },
        ..session(user.id)
    };
    stored_session(&*stores.store, &old).await;
    stored_session(&*stores.store, &young).await;
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.sessions().remove_expired(old.expires_at, 10).await.unwrap(), 0);
    assert_eq!(unit.sessions().remove_expired(young.expires_at, 0).await.unwrap(), 0);
    assert_eq!(unit.sessions().remove_expired(young.expires_at, 10).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(stores.sessions.caller(old.id).await.unwrap(), None);
    assert!(stores.sessions.caller(young.id).await.unwrap().is_some());
}
