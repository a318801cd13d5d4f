//! Laws of a store that goes away and comes back.
//!
//! "I cannot say" must never sound like "it is not there": an unknown session
//! logs people out, an unknown address may be registered again.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Lease, MailboxMessage, Opening};
use portcullis_domain::{
    EndReason, Entitlement, Session, SessionEnd, StoreError, TokenDigest, User, UserNumber,
};

use crate::Stores;
use crate::build::{
    LOCKOUT, START, TICK, attempt, email, imported_user, job, letter, new_user, notice,
    owed_letter, session, stored_session, stored_user,
};
use crate::outage::Outage;
use crate::race::race;

/// How long anybody may be kept waiting for the news that nothing can be done.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon a store that is back must be used again.
const SOON: Duration = Duration::from_secs(2);

/// Puts a user and a session into the store, over several connections, so that
/// the outage finds some that are open.
async fn in_use(outage: &Outage) -> (User, Session) {
    let user = stored_user(&*outage.stores.store, "ann").await;
    let session = session(user.id);
    stored_session(&*outage.stores.store, &session).await;
    look_eight_times(outage, user.id).await;
    (user, session)
}

async fn look_eight_times(outage: &Outage, user: portcullis_domain::UserId) {
    let looks = race(8, |_| {
        let sessions = Arc::clone(&outage.stores.sessions);
        async move { sessions.user_exists(user).await.unwrap() }
    });
    assert_eq!(looks.await, [true; 8]);
}

/// Brings the store back and waits until its first sign of life.
async fn comes_back(outage: &Outage) {
    outage.switch.on().await;
    let answers = async {
        while outage.stores.store.ping().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, answers).await.expect("the store is back and not used");
}

/// Says that the store is away, in time, and gives the words for it.
async fn unavailable<T: Debug>(
    step: &str,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> StoreError {
    let in_time = tokio::time::timeout(PATIENCE, answer).await;
    match in_time.unwrap_or_else(|_| panic!("{step}: still silent after {PATIENCE:?}")) {
        Err(error @ StoreError::Unavailable(_)) => error,
        Err(error) => panic!("{step}: unavailable, not {}", with_causes(&error)),
        Ok(answer) => panic!("{step}: unavailable, not {answer:?}"),
    }
}

async fn is_there(outage: &Outage, local: &str) -> bool {
    let mut unit = outage.stores.store.begin().await.unwrap();
    unit.users().by_identifier(&email(local).into()).await.unwrap().is_some()
}

/// A sign of life is not made up.
pub async fn a_store_that_is_away_says_so(outage: &Outage) {
    in_use(outage).await;
    outage.switch.off().await;
    unavailable("ping", outage.stores.store.ping()).await;
}

/// Nothing is begun that cannot be finished: neither the beginning nor, where
/// that is put off, the first step succeeds.
pub async fn no_unit_gets_anywhere_while_the_store_is_away(outage: &Outage) {
    in_use(outage).await;
    outage.switch.off().await;
    let work = async {
        let mut unit = outage.stores.store.begin().await?;
        unit.users().by_identifier(&email("ann").into()).await
    };
    unavailable("begin", work).await;
}

/// Neither is a session unknown, nor was it used already, nor is it ended.
pub async fn no_session_is_judged_while_the_store_is_away(outage: &Outage) {
    let (user, session) = in_use(outage).await;
    outage.switch.off().await;
    let sessions = &outage.stores.sessions;
    let end = SessionEnd { at: START, reason: EndReason::Logout };
    tokio::join!(
        unavailable("caller", sessions.caller(session.id)),
        unavailable("advance", sessions.advance(session.id, 0, session.seed_digest, START)),
        unavailable("end", sessions.end(session.id, user.id, end)),
        unavailable("user_exists", sessions.user_exists(user.id)),
    );
}

/// An access token is not refused for want of a store.
pub async fn no_caller_is_turned_away_while_the_store_is_away(outage: &Outage) {
    let (user, session) = in_use(outage).await;
    outage.switch.off().await;
    unavailable("bearer", outage.stores.callers.bearer(session.id, user.id)).await;
}

/// No password is checked against nobody, and no failure goes uncounted.
pub async fn no_login_is_decided_while_the_store_is_away(outage: &Outage) {
    let (user, session) = in_use(outage).await;
    outage.switch.off().await;
    let logins = &outage.stores.logins;
    let opening = Opening {
        session: crate::build::session(session.user_id),
        password_changed_at: user.password_changed_at,
        attempt: Some(attempt("ann")),
    };
    tokio::join!(
        unavailable("attempt", logins.attempt(attempt("ann"), LOCKOUT)),
        unavailable("open", logins.open(opening)),
        unavailable("forgive", logins.forgive(attempt("ann"))),
        unavailable("withdraw", logins.withdraw(attempt("ann"))),
    );
}

/// Neither is the outbox empty, nor is a letter settled that will be sent again.
pub async fn no_letter_is_moved_while_the_store_is_away(outage: &Outage) {
    in_use(outage).await;
    let owed = letter("ann");
    owed_letter(&*outage.stores.store, &owed).await;
    outage.switch.off().await;
    let outbox = &outage.stores.outbox;
    let lease = Lease { duration: Duration::from_mins(1), limit: 10 };
    tokio::join!(
        unavailable("claim", outbox.claim(START, lease)),
        unavailable("settle", outbox.settle(owed.id, START)),
        unavailable("postpone", outbox.postpone(owed.id, 1, START, "busy".into())),
        unavailable("bury", outbox.bury(owed.id, 1, START, "refused".into())),
        unavailable("release", outbox.release(owed.id, 1)),
        unavailable("list", outbox.list(false, 10)),
        unavailable("revive", outbox.revive(owed.id, START)),
    );
}

/// Neither is there nothing to do, nor is anything done that will be done again.
pub async fn no_job_is_moved_while_the_store_is_away(outage: &Outage) {
    in_use(outage).await;
    let jobs = &outage.stores.jobs;
    let queued = job(notice());
    assert!(jobs.enqueue(queued.clone()).await.unwrap());
    outage.switch.off().await;
    let lease = Lease { duration: Duration::from_mins(1), limit: 10 };
    tokio::join!(
        unavailable("enqueue", jobs.enqueue(job(notice()))),
        unavailable("claim", jobs.claim(START, lease)),
        unavailable("keep", jobs.keep(queued.id, 1, notice(), START)),
        unavailable("settle", jobs.settle(queued.id, START)),
        unavailable("postpone", jobs.postpone(queued.id, 1, START, "busy".into())),
        unavailable("bury", jobs.bury(queued.id, 1, START, "refused".into())),
        unavailable("release", jobs.release(queued.id, 1)),
        unavailable("list", jobs.list(false, 10)),
        unavailable("revive", jobs.revive(queued.id, START)),
        unavailable("remove_settled", jobs.remove_settled(START, 10)),
    );
}

/// An export does not end early, and an import does not pass for done.
pub async fn no_account_is_moved_while_the_store_is_away(outage: &Outage) {
    in_use(outage).await;
    outage.switch.off().await;
    let archive = &outage.stores.archive;
    tokio::join!(
        unavailable("import", archive.import(vec![imported_user("bob")])),
        unavailable("compare", archive.compare(vec![imported_user("bob")])),
        unavailable("export", archive.export(UserNumber::new(0), 10)),
    );
}

/// Neither is the mailbox empty, nor was anything put into it.
pub async fn no_message_is_kept_while_the_store_is_away(outage: &Outage) {
    in_use(outage).await;
    outage.switch.off().await;
    let mailbox = &outage.stores.mailbox;
    let message = MailboxMessage {
        id: letter("ann").id,
        from: "Portcullis <noreply@localhost>".into(),
        to: "ann@example.com".into(),
        subject: "subject".into(),
        text: "text".into(),
        html: "html".into(),
        sent_at: START,
    };
    tokio::join!(
        unavailable("put", mailbox.put(message)),
        unavailable("list", mailbox.list(None, 10)),
        unavailable("clear", mailbox.clear()),
    );
}

/// "No devices", "no picture" and "nothing bought" would be believed.
pub async fn nothing_of_an_account_is_told_while_the_store_is_away(outage: &Outage) {
    let (user, _) = in_use(outage).await;
    outage.switch.off().await;
    let Stores { devices, avatars, entitlements, .. } = &outage.stores;
    let device = crate::devices::device(user.id, 1);
    let avatar = crate::avatars::avatar(user.id, 1);
    let bought = Entitlement { user: user.id, state: crate::entitlements::state("1", 1) };
    tokio::join!(
        unavailable("devices", devices.of_user(user.id)),
        unavailable("register", devices.register(device)),
        unavailable("forget", devices.forget(user.id, TokenDigest([7; 32]))),
        unavailable("forget all", devices.forget_all(vec![TokenDigest([7; 32])])),
        unavailable("replace", avatars.replace(avatar)),
        unavailable("picture", avatars.of_user(user.id)),
        unavailable("remove", avatars.remove(user.id)),
        unavailable("claim", entitlements.claim(bought.clone())),
        unavailable("update", entitlements.update(bought.state)),
        unavailable("purchases", entitlements.of_user(user.id)),
    );
}

/// Those who wait in line for a connection do not add up their waits.
pub async fn of_64_who_ask_at_once_each_is_told_in_time(outage: &Outage) {
    let (_, session) = in_use(outage).await;
    outage.switch.off().await;
    race(64, |_| {
        let sessions = Arc::clone(&outage.stores.sessions);
        async move { unavailable("caller", sessions.caller(session.id)).await }
    })
    .await;
}

/// A unit that had not been committed is gone, and so are its locks.
pub async fn a_unit_that_was_cut_off_leaves_nothing_behind(outage: &Outage) {
    in_use(outage).await;
    let mut unit = outage.stores.store.begin().await.unwrap();
    unit.users().add(new_user("bob")).await.unwrap();
    outage.switch.off().await;
    unavailable("add", unit.users().add(new_user("carol"))).await;
    drop(unit);
    comes_back(outage).await;
    for local in ["bob", "carol"] {
        let again = tokio::time::timeout(SOON, stored_user(&*outage.stores.store, local));
        again.await.expect("the locks of a unit that is gone are held");
    }
}

/// Whether a commit arrived before the silence nobody knows; but it is not
/// called a success, and it never arrived by half.
pub async fn a_commit_that_was_cut_off_is_all_or_nothing(outage: &Outage) {
    in_use(outage).await;
    let mut unit = outage.stores.store.begin().await.unwrap();
    unit.users().add(new_user("bob")).await.unwrap();
    unit.users().add(new_user("carol")).await.unwrap();
    outage.switch.off().await;
    unavailable("commit", unit.commit()).await;
    comes_back(outage).await;
    // One look at both: a commit that was on its way may arrive between two.
    let there = outage.stores.archive.export(UserNumber::new(0), 10).await.unwrap();
    let is_there = |local| there.iter().any(|user| user.email == email(local));
    assert_eq!(is_there("bob"), is_there("carol"));
}

/// Committed units, single steps: what was said to be done is done.
pub async fn what_was_acknowledged_outlives_the_outage(outage: &Outage) {
    let (_, session) = in_use(outage).await;
    let sessions = &outage.stores.sessions;
    let moved = sessions.advance(session.id, 0, session.seed_digest, START + TICK).await.unwrap();
    assert!(moved.is_some());
    stored_user(&*outage.stores.store, "bob").await;
    outage.switch.off().await;
    comes_back(outage).await;
    assert_eq!(sessions.caller(session.id).await.unwrap().unwrap().session.counter, 1);
    assert!(is_there(outage, "bob").await);
}

/// Callers who lose patience and hang up leave the way free for others.
pub async fn callers_who_hang_up_cost_no_connection(outage: &Outage) {
    let (user, session) = in_use(outage).await;
    outage.switch.off().await;
    race(64, |_| {
        let sessions = Arc::clone(&outage.stores.sessions);
        async move {
            let patience = Duration::from_millis(100);
            drop(tokio::time::timeout(patience, sessions.caller(session.id)).await);
        }
    })
    .await;
    comes_back(outage).await;
    tokio::time::timeout(SOON, look_eight_times(outage, user.id)).await.expect("all is in use");
}

/// As if nothing had been: all that ask succeed, not only the first.
pub async fn a_store_that_is_back_serves_everybody(outage: &Outage) {
    let (user, session) = in_use(outage).await;
    outage.switch.off().await;
    unavailable("caller", outage.stores.sessions.caller(session.id)).await;
    comes_back(outage).await;
    let served = race(64, |number| {
        let (sessions, store) =
            (Arc::clone(&outage.stores.sessions), Arc::clone(&outage.stores.store));
        async move {
            let mut unit = store.begin().await.unwrap();
            unit.users().add(new_user(&format!("user{number}"))).await.unwrap();
            unit.commit().await.unwrap();
            sessions.user_exists(user.id).await.unwrap()
        }
    });
    let served = tokio::time::timeout(PATIENCE, served).await.expect("the store is slow");
    assert_eq!(served, [true; 64]);
}

/// Errors of an outage are logged: neither the way to the store nor what was
/// on its way there may stand in them.
pub async fn an_outage_tells_no_secret(outage: &Outage) {
    let (user, session) = in_use(outage).await;
    let mut unit = outage.stores.store.begin().await.unwrap();
    outage.switch.off().await;
    let found = unavailable("add", unit.users().add(new_user("secretive"))).await;
    let (ping, caller, attempted) = tokio::join!(
        unavailable("ping", outage.stores.store.ping()),
        unavailable("bearer", outage.stores.callers.bearer(session.id, user.id)),
        unavailable("attempt", outage.stores.logins.attempt(attempt("secretive"), LOCKOUT)),
    );
    for error in [found, ping, caller, attempted] {
        for told in [with_causes(&error), format!("{error:?}"), format!("{error:#?}")] {
            for secret in [outage.secret.as_str(), "secretive", "$fake$hash"] {
                assert!(!told.contains(secret), "{secret:?} is told by {told:?}");
            }
        }
    }
}
