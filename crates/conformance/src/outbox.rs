//! Laws of the outbox.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ports::{Claim, Enqueued, Lease, MailCap, OwedLetter};
use portcullis_domain::{Letter, LetterKind, Timestamp};

use crate::Stores;
use crate::build::{NO_CAP, START, TICK, letter, owed_letter, username};
use crate::race::race;

const LEASE: Lease = Lease { duration: Duration::from_mins(1), limit: 100 };

async fn claim(stores: &Stores, at: Timestamp) -> Vec<Claim> {
    stores.outbox.claim(at, LEASE).await.unwrap()
}

async fn claimed(stores: &Stores) -> Letter {
    let letter = letter("ann");
    owed_letter(&*stores.store, &letter).await;
    assert_eq!(claim(stores, START).await, [Claim { letter: letter.clone(), attempt: 1 }]);
    letter
}

/// Every kind, both sorts of recipient, with and without a source.
pub async fn every_field_of_a_letter_is_read_as_it_was_written(stores: &Stores) {
    let kinds = [
        LetterKind::Verification,
        LetterKind::PasswordReset,
        LetterKind::Welcome,
        LetterKind::PasswordChanged,
        LetterKind::AccountLocked,
        LetterKind::RefreshTokenReused,
        LetterKind::RegistrationAttempted,
    ];
    for (kind, number) in kinds.into_iter().zip(0..) {
        let by_name = Letter {
            kind,
            recipient: portcullis_domain::LoginIdentifier::Username(username("ann.lee")),
            source: None,
            created_at: START + TICK * number,
            ..letter("ann")
        };
        for letter in [Letter { kind, ..letter("ann") }, by_name] {
            owed_letter(&*stores.store, &letter).await;
            let claims = claim(stores, START + Duration::from_secs(1)).await;
            assert_eq!(claims, [Claim { letter, attempt: 1 }]);
        }
    }
}

/// Nobody else gets it before the lease ends; then a second attempt begins.
pub async fn a_claimed_letter_is_held_until_its_lease_ends(stores: &Stores) {
    let letter = claimed(stores).await;
    let end = START + LEASE.duration;
    assert_eq!(claim(stores, end - TICK).await, []);
    assert_eq!(claim(stores, end).await, [Claim { letter, attempt: 2 }]);
}

/// No letter is sent twice for want of a lock.
pub async fn of_parallel_workers_each_letter_is_held_by_one(stores: &Stores) {
    for _ in 0..40 {
        owed_letter(&*stores.store, &letter("ann")).await;
    }
    let claims = race(8, |_| {
        let outbox = Arc::clone(&stores.outbox);
        async move {
            let mut own = Vec::new();
            for _ in 0..8 {
                own.extend(outbox.claim(START, Lease { limit: 3, ..LEASE }).await.unwrap());
            }
            own
        }
    })
    .await;
    let claims: Vec<Claim> = claims.into_iter().flatten().collect();
    let distinct: HashSet<_> = claims.iter().map(|claim| claim.letter.id).collect();
    assert_eq!((claims.len(), distinct.len()), (40, 40));
}

/// What waits longest goes first.
pub async fn letters_are_claimed_oldest_first_and_a_few_at_a_time(stores: &Stores) {
    let letters: Vec<Letter> =
        (0..3).map(|n| Letter { created_at: START + TICK * (2 - n), ..letter("ann") }).collect();
    for letter in &letters {
        owed_letter(&*stores.store, letter).await;
    }
    let lease = Lease { limit: 2, ..LEASE };
    assert_eq!(stores.outbox.claim(START - TICK, lease).await.unwrap(), [], "none is due yet");
    let first = stores.outbox.claim(START + 2 * TICK, lease).await.unwrap();
    let mut ids: Vec<_> = first.iter().map(|claim| claim.letter.id).collect();
    ids.sort();
    let mut oldest = vec![letters[1].id, letters[2].id];
    oldest.sort();
    assert_eq!(ids, oldest);
    assert_eq!(stores.outbox.claim(START + 2 * TICK, lease).await.unwrap().len(), 1);
}

/// Whoever is owed many letters does not keep others waiting.
pub async fn recipients_take_turns(stores: &Stores) {
    for number in 0..5 {
        let letter = Letter { created_at: START + TICK * number, ..letter("ann") };
        owed_letter(&*stores.store, &letter).await;
    }
    let last = Letter { created_at: START + TICK * 9, ..letter("bob") };
    owed_letter(&*stores.store, &last).await;
    let lease = Lease { limit: 2, ..LEASE };
    let claims = stores.outbox.claim(START + TICK * 9, lease).await.unwrap();
    assert!(claims.iter().any(|claim| claim.letter.id == last.id), "{claims:?}");
    assert_eq!(claims.len(), 2);
}

/// What is still to be sent, what was given up, and why.
pub async fn an_operator_sees_what_is_owed(stores: &Stores) {
    let waiting = Letter { created_at: START - TICK, ..letter("bob") };
    let buried = claimed(stores).await;
    owed_letter(&*stores.store, &waiting).await;
    let due = START + Duration::from_secs(5);
    stores.outbox.postpone(waiting.id, 0, due, "it is away".into()).await.unwrap();
    stores.outbox.bury(buried.id, 1, START, "it was refused".into()).await.unwrap();
    let settled = letter("eve");
    owed_letter(&*stores.store, &settled).await;
    stores.outbox.settle(settled.id, START).await.unwrap();

    let pending = stores.outbox.list(false, 10).await.unwrap();
    let expected = OwedLetter {
        letter: waiting,
        attempts: 0,
        due_at: due,
        buried_at: None,
        reason: Some("it is away".into()),
    };
    assert_eq!(pending, [expected]);
    let given_up = stores.outbox.list(true, 10).await.unwrap();
    let expected = OwedLetter {
        letter: buried,
        attempts: 1,
        due_at: START + LEASE.duration,
        buried_at: Some(START),
        reason: Some("it was refused".into()),
    };
    assert_eq!(given_up, [expected]);
    assert_eq!(stores.outbox.list(true, 0).await.unwrap(), []);
}

/// A letter that was given up gets another chance, once; no other does.
pub async fn a_revived_letter_is_due_again(stores: &Stores) {
    let letter = claimed(stores).await;
    assert!(!stores.outbox.revive(letter.id, START).await.unwrap(), "it was not given up");
    stores.outbox.bury(letter.id, 1, START, "it was refused".into()).await.unwrap();
    let again = START + Duration::from_mins(2);
    assert!(stores.outbox.revive(letter.id, again).await.unwrap());
    assert!(!stores.outbox.revive(letter.id, again).await.unwrap());
    assert_eq!(claim(stores, again - TICK).await, []);
    assert_eq!(claim(stores, again).await, [Claim { letter, attempt: 2 }]);
}

/// It is never due again.
pub async fn a_settled_letter_is_done(stores: &Stores) {
    let letter = claimed(stores).await;
    stores.outbox.settle(letter.id, START).await.unwrap();
    assert_eq!(claim(stores, START + Duration::from_secs(10_000_000)).await, []);
}

/// Not before, and then as its next attempt.
pub async fn a_postponed_letter_is_due_at_its_time(stores: &Stores) {
    let letter = claimed(stores).await;
    let due = START + Duration::from_secs(5);
    stores.outbox.postpone(letter.id, 1, due, "try again later".into()).await.unwrap();
    assert_eq!(claim(stores, due - TICK).await, []);
    assert_eq!(claim(stores, due).await, [Claim { letter, attempt: 2 }]);
}

/// It is never due again, and purging leaves it to the operator.
pub async fn a_buried_letter_stays_buried(stores: &Stores) {
    let letter = claimed(stores).await;
    stores.outbox.bury(letter.id, 1, START, "no such mailbox".into()).await.unwrap();
    let late = START + Duration::from_secs(10_000_000);
    assert_eq!(claim(stores, late).await, []);
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.outbox().remove_settled(late, 10).await.unwrap(), 0);
}

/// A worker that stops hands back what it did not try.
pub async fn a_released_letter_is_due_at_once_and_was_not_tried(stores: &Stores) {
    let letter = claimed(stores).await;
    stores.outbox.release(letter.id, 1).await.unwrap();
    assert_eq!(claim(stores, START).await, [Claim { letter, attempt: 1 }]);
}

/// A worker that was too slow cannot take the letter away from whoever has it now.
pub async fn only_the_attempt_that_holds_a_letter_moves_it(stores: &Stores) {
    let letter = claimed(stores).await;
    let again = START + LEASE.duration;
    let second = Claim { letter: letter.clone(), attempt: 2 };
    assert_eq!(claim(stores, again).await, std::slice::from_ref(&second));
    stores.outbox.postpone(letter.id, 1, START, "it is away".into()).await.unwrap();
    stores.outbox.release(letter.id, 1).await.unwrap();
    stores.outbox.bury(letter.id, 1, START, "it was refused".into()).await.unwrap();
    assert_eq!(claim(stores, again).await, [], "it was taken from its holder");
    assert_eq!(stores.outbox.list(true, 10).await.unwrap(), []);
    stores.outbox.release(letter.id, 2).await.unwrap();
    assert_eq!(claim(stores, again).await, [second]);
}

/// The cap counts what was owed, sent or not, per recipient and kind.
pub async fn a_recipient_gets_so_many_of_a_kind_in_a_window(stores: &Stores) {
    let cap = MailCap { limit: 2, window: Duration::from_mins(1) };
    let mut unit = stores.store.begin().await.unwrap();
    let outbox = unit.outbox();
    for _ in 0..2 {
        assert_eq!(outbox.enqueue(&letter("ann"), cap).await.unwrap(), Enqueued::Owed);
    }
    let just_before = Letter { created_at: START + cap.window - TICK, ..letter("ann") };
    assert_eq!(outbox.enqueue(&just_before, cap).await.unwrap(), Enqueued::Capped);
    let other_kind = Letter { kind: LetterKind::Welcome, ..letter("ann") };
    assert_eq!(outbox.enqueue(&other_kind, cap).await.unwrap(), Enqueued::Owed);
    assert_eq!(outbox.enqueue(&letter("bob"), cap).await.unwrap(), Enqueued::Owed);
    let after = Letter { created_at: START + cap.window, ..letter("ann") };
    assert_eq!(outbox.enqueue(&after, cap).await.unwrap(), Enqueued::Owed);
    unit.commit().await.unwrap();
    assert_eq!(claim(stores, START + 2 * cap.window).await.len(), 5);
}

/// A letter is owed only if its cause happened.
pub async fn a_letter_of_a_dropped_unit_is_not_owed(stores: &Stores) {
    let mut unit = stores.store.begin().await.unwrap();
    unit.outbox().enqueue(&letter("ann"), NO_CAP).await.unwrap();
    drop(unit);
    assert_eq!(claim(stores, START).await, []);
}

/// Letters that are still owed stay.
pub async fn only_settled_letters_are_removed(stores: &Stores) {
    let done = claimed(stores).await;
    stores.outbox.settle(done.id, START).await.unwrap();
    let owed = letter("bob");
    owed_letter(&*stores.store, &owed).await;
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.outbox().remove_settled(START, 10).await.unwrap(), 0);
    assert_eq!(unit.outbox().remove_settled(START + TICK, 0).await.unwrap(), 0);
    assert_eq!(unit.outbox().remove_settled(START + TICK, 10).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(claim(stores, START).await, [Claim { letter: owed, attempt: 1 }]);
}
