//! Laws of logging in and of lockout.

use std::sync::Arc;

use portcullis_domain::ports::{Attempt, Opening};
use portcullis_domain::{
    EndReason, MAX_LIVE_SESSIONS, PasswordHash, Session, SessionEnd, Standing, User,
};

use crate::Stores;
use crate::build::{LOCKOUT, START, TICK, attempt, session, source, stored_session, stored_user};
use crate::race::race;

async fn standing(stores: &Stores, attempt: Attempt) -> Standing {
    stores.logins.attempt(attempt, LOCKOUT).await.unwrap().standing
}

fn is_open(standing: Standing) -> bool {
    matches!(standing, Standing::Open { .. })
}

/// The account comes with the answer, so that login needs no second look.
pub async fn an_attempt_names_the_account_if_there_is_one(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let known = stores.logins.attempt(attempt("ann"), LOCKOUT).await.unwrap();
    assert_eq!(known.user, Some(user));
    assert_eq!(known.standing, Standing::Open { last: false });
    let unknown = stores.logins.attempt(attempt("bob"), LOCKOUT).await.unwrap();
    assert_eq!(unknown.user, None);
}

/// The last permitted failure starts the lock; refused attempts do not prolong it.
pub async fn the_last_permitted_failure_locks_until_its_time_is_over(stores: &Stores) {
    stored_user(&*stores.store, "ann").await;
    for number in 1..=LOCKOUT.per_source {
        let last = number == LOCKOUT.per_source;
        assert_eq!(standing(stores, attempt("ann")).await, Standing::Open { last });
    }
    let until = START + LOCKOUT.duration;
    for at in [START, until - TICK] {
        let locked = standing(stores, Attempt { at, ..attempt("ann") }).await;
        assert_eq!(locked, Standing::Locked(until));
    }
    let after = standing(stores, Attempt { at: until, ..attempt("ann") }).await;
    assert_eq!(after, Standing::Open { last: false });
}

/// Who asks cannot tell by the lock whether there is an account.
pub async fn an_unknown_identifier_locks_just_the_same(stores: &Stores) {
    for _ in 0..LOCKOUT.per_source {
        assert!(is_open(standing(stores, attempt("nobody")).await));
    }
    assert_eq!(
        standing(stores, attempt("nobody")).await,
        Standing::Locked(START + LOCKOUT.duration)
    );
}

/// Guessing in parallel gains no try.
pub async fn of_64_parallel_attempts_the_permitted_ones_pass(stores: &Stores) {
    stored_user(&*stores.store, "ann").await;
    let results = race(64, |_| {
        let logins = Arc::clone(&stores.logins);
        async move { is_open(logins.attempt(attempt("ann"), LOCKOUT).await.unwrap().standing) }
    })
    .await;
    let passed = results.into_iter().filter(|passed| *passed).count();
    assert_eq!(passed, LOCKOUT.per_source as usize);
}

/// An owner elsewhere is not shut out by somebody else's guessing.
pub async fn one_source_does_not_lock_another(stores: &Stores) {
    for _ in 0..=LOCKOUT.per_source {
        standing(stores, attempt("ann")).await;
    }
    let elsewhere = Attempt { source: source(2), ..attempt("ann") };
    assert!(is_open(standing(stores, elsewhere).await));
    assert!(is_open(standing(stores, attempt("bob")).await));
}

/// Guessing from many places stops too.
pub async fn many_sources_lock_the_identifier_for_all(stores: &Stores) {
    let from = |last| Attempt { source: source(last), ..attempt("ann") };
    for number in 1..=5 {
        let last = u32::from(number) == LOCKOUT.per_identifier;
        assert_eq!(standing(stores, from(number)).await, Standing::Open { last });
    }
    assert!(!is_open(standing(stores, from(9)).await));
}

/// One step opens the session, notes the login and starts the counts afresh.
pub async fn opening_a_session_forgives_and_notes_the_login(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    for _ in 1..LOCKOUT.per_source {
        standing(stores, attempt("ann")).await;
    }
    let opening = Opening {
        session: session(user.id),
        password_changed_at: user.password_changed_at,
        attempt: Some(attempt("ann")),
    };
    let opened = stores.logins.open(opening.clone()).await.unwrap().expect("it opens").user;
    assert_eq!(opened.last_login_at, Some(opening.session.opened_at));
    let caller = stores.sessions.caller(opening.session.id).await.unwrap().unwrap();
    assert_eq!(caller.user, opened);
    assert_eq!(caller.session, opening.session);
    for number in 1..=LOCKOUT.per_source {
        let last = number == LOCKOUT.per_source;
        assert_eq!(standing(stores, attempt("ann")).await, Standing::Open { last });
    }
}

/// Somebody else vouched for its user: who guesses passwords gains nothing by it.
pub async fn a_session_that_no_password_opened_forgives_nothing(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    for _ in 1..LOCKOUT.per_source {
        standing(stores, attempt("ann")).await;
    }
    let opening = Opening { attempt: None, ..opening(&user) };
    let opened = stores.logins.open(opening.clone()).await.unwrap().expect("it opens").user;
    assert_eq!(opened.last_login_at, Some(opening.session.opened_at));
    assert_eq!(standing(stores, attempt("ann")).await, Standing::Open { last: true });
}

/// A user and as many live sessions as may be, oldest first.
async fn crowded(stores: &Stores, local: &str) -> (User, Vec<Session>) {
    let user = stored_user(&*stores.store, local).await;
    let mut sessions = Vec::new();
    let mut unit = stores.store.begin().await.unwrap();
    for number in (0..u32::try_from(MAX_LIVE_SESSIONS).unwrap()).rev() {
        let session = Session { opened_at: START - TICK * number, ..session(user.id) };
        unit.sessions().open(&session).await.unwrap();
        sessions.push(session);
    }
    unit.commit().await.unwrap();
    (user, sessions)
}

fn opening(user: &User) -> Opening {
    Opening {
        session: Session { opened_at: START + TICK, ..session(user.id) },
        password_changed_at: user.password_changed_at,
        attempt: Some(attempt("ann")),
    }
}

async fn is_live(stores: &Stores, session: &Session) -> bool {
    let caller = stores.callers.bearer(session.id, session.user_id).await.unwrap();
    caller.is_some_and(|caller| caller.session.is_live(START + TICK))
}

/// The oldest one that is live, of that user, and nobody is named by it any
/// more; what ended or expired before does not count.
pub async fn a_login_too_many_ends_the_oldest_session(stores: &Stores) {
    let (ann, sessions) = crowded(stores, "ann").await;
    let (_, others) = crowded(stores, "bob").await;
    let expired = Session { expires_at: START + TICK, ..session(ann.id) };
    let ended = session(ann.id);
    for older in [&expired, &ended] {
        let opened_at = START - TICK * 1_000;
        stored_session(&*stores.store, &Session { opened_at, ..older.clone() }).await;
    }
    let logout = SessionEnd { at: START, reason: EndReason::Logout };
    assert!(stores.sessions.end(ended.id, ann.id, logout).await.unwrap());
    // Asked for, so that a cache may know it.
    assert!(is_live(stores, &sessions[0]).await);
    assert!(is_live(stores, &sessions[0]).await);
    let opening = opening(&ann);
    let opened = stores.logins.open(opening.clone()).await.unwrap().expect("it opens");
    assert_eq!(opened.displaced, 1);
    assert!(!is_live(stores, &sessions[0]).await);
    let end = SessionEnd { at: START + TICK, reason: EndReason::Displaced };
    for (session, expected) in [(&sessions[0], Some(end)), (&expired, None), (&ended, Some(logout))]
    {
        let caller = stores.sessions.caller(session.id).await.unwrap().unwrap();
        assert_eq!(caller.session.end, expected);
    }
    for session in sessions[1..].iter().chain([&opening.session]).chain(&others) {
        assert!(is_live(stores, session).await);
    }
}

/// Logins that run at the same time know of each other's sessions.
pub async fn of_parallel_logins_no_more_sessions_live_than_are_allowed(stores: &Stores) {
    let (ann, mut sessions) = crowded(stores, "ann").await;
    let openings: Vec<Opening> = (0..16).map(|_| opening(&ann)).collect();
    sessions.extend(openings.iter().map(|opening| opening.session.clone()));
    let displaced = race(16, |number| {
        let (logins, opening) = (Arc::clone(&stores.logins), openings[number as usize].clone());
        async move { logins.open(opening).await.unwrap().expect("it opens").displaced }
    });
    assert_eq!(displaced.await, [1; 16]);
    let mut live = 0;
    for session in &sessions {
        live += usize::from(is_live(stores, session).await);
    }
    assert_eq!(live, MAX_LIVE_SESSIONS);
}

/// A right password that opens nothing is not a guess either.
pub async fn forgiving_starts_the_count_afresh(stores: &Stores) {
    for _ in 0..4 {
        for _ in 1..LOCKOUT.per_source {
            assert!(is_open(standing(stores, attempt("ann")).await));
        }
        stores.logins.forgive(attempt("ann")).await.unwrap();
    }
}

/// An attempt whose password was never checked is no guess, nor does it lock.
pub async fn a_withdrawn_attempt_does_not_count(stores: &Stores) {
    stores.logins.withdraw(attempt("ann")).await.unwrap();
    for _ in 0..2 * LOCKOUT.per_identifier {
        assert!(is_open(standing(stores, attempt("ann")).await));
        stores.logins.withdraw(attempt("ann")).await.unwrap();
    }
    for number in 1..=LOCKOUT.per_source {
        let last = number == LOCKOUT.per_source;
        assert_eq!(standing(stores, attempt("ann")).await, Standing::Open { last });
    }
    stores.logins.withdraw(attempt("ann")).await.unwrap();
    assert_eq!(standing(stores, attempt("ann")).await, Standing::Open { last: true });
}

/// Taken back after it was forgiven, an attempt takes nobody else's along.
pub async fn a_withdrawal_takes_nothing_from_others(stores: &Stores) {
    let from = |number| Attempt { source: source(number), ..attempt("ann") };
    standing(stores, from(1)).await;
    stores.logins.forgive(from(1)).await.unwrap();
    for number in 2..=5 {
        assert_eq!(standing(stores, from(number)).await, Standing::Open { last: false });
        stores.logins.withdraw(from(1)).await.unwrap();
    }
    assert_eq!(standing(stores, from(6)).await, Standing::Open { last: true });
}

/// A password that was checked against a hash of before a reset opens nothing.
pub async fn a_changed_password_opens_no_session(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let mut unit = stores.store.begin().await.unwrap();
    let hash = PasswordHash::new("new".into());
    unit.users().change_password(user.id, &hash, START + TICK).await.unwrap();
    unit.commit().await.unwrap();
    let opening = Opening {
        session: session(user.id),
        password_changed_at: user.password_changed_at,
        attempt: Some(attempt("ann")),
    };
    assert_eq!(stores.logins.open(opening.clone()).await.unwrap(), None);
    assert_eq!(stores.sessions.caller(opening.session.id).await.unwrap(), None);
    let now = Opening { password_changed_at: START + TICK, ..opening };
    assert!(stores.logins.open(now).await.unwrap().is_some());
}

/// A password reset lifts every lock of its identifier and no other.
pub async fn clearing_an_identifier_forgives_every_source(stores: &Stores) {
    for last in [1, 2] {
        for _ in 0..=LOCKOUT.per_source {
            standing(stores, Attempt { source: source(last), ..attempt("ann") }).await;
        }
    }
    for _ in 0..LOCKOUT.per_source {
        standing(stores, attempt("bob")).await;
    }
    let mut unit = stores.store.begin().await.unwrap();
    unit.lockouts().clear(attempt("ann").digest).await.unwrap();
    unit.commit().await.unwrap();
    for last in [1, 2] {
        let from = Attempt { source: source(last), ..attempt("ann") };
        assert_eq!(standing(stores, from).await, Standing::Open { last: false });
    }
    assert!(!is_open(standing(stores, attempt("bob")).await));
}

/// Counters that still matter stay.
pub async fn only_stale_counters_are_removed(stores: &Stores) {
    for _ in 0..LOCKOUT.per_source {
        standing(stores, attempt("ann")).await;
    }
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.lockouts().remove_stale(START, 10).await.unwrap(), 0);
    unit.commit().await.unwrap();
    assert!(!is_open(standing(stores, attempt("ann")).await));
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.lockouts().remove_stale(START + TICK, 0).await.unwrap(), 0);
    assert_eq!(unit.lockouts().remove_stale(START + TICK, 10).await.unwrap(), 2);
    unit.commit().await.unwrap();
    assert!(is_open(standing(stores, attempt("ann")).await));
}
