//! Laws of logging in and of lockout.

use std::sync::Arc;

use portcullis_domain::ports::{Attempt, Opening};
use portcullis_domain::{PasswordHash, Standing};

use crate::Stores;
use crate::build::{LOCKOUT, START, TICK, attempt, session, source, stored_user};
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
        attempt: attempt("ann"),
    };
    let opened = stores.logins.open(opening.clone()).await.unwrap().expect("it opens");
    assert_eq!(opened.last_login_at, Some(opening.session.opened_at));
    let caller = stores.sessions.caller(opening.session.id).await.unwrap().unwrap();
    assert_eq!(caller.user, opened);
    assert_eq!(caller.session, opening.session);
    for number in 1..=LOCKOUT.per_source {
        let last = number == LOCKOUT.per_source;
        assert_eq!(standing(stores, attempt("ann")).await, Standing::Open { last });
    }
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
        attempt: attempt("ann"),
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
