//! Laws of the audit log.

use portcullis_domain::{AuditEvent, AuditKind};

use crate::Stores;
use crate::build::{START, TICK, session_id, source, stored_user};

/// Every kind of entry is read as it was written, for its user alone.
pub async fn entries_are_kept_newest_first_for_their_user(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let other = stored_user(&*stores.store, "bob").await;
    let kinds = [
        AuditKind::Registered,
        AuditKind::RegistrationAttempted,
        AuditKind::EmailVerified,
        AuditKind::PasswordReset,
        AuditKind::Locked,
        AuditKind::RefreshTokenReused,
    ];
    let events: Vec<AuditEvent> = kinds
        .into_iter()
        .zip(0..)
        .map(|(kind, number)| AuditEvent {
            kind,
            at: START + TICK * number,
            user: Some(user.id),
            session: (number > 1).then(session_id),
            source: (number > 2).then(|| source(3)),
        })
        .collect();
    let mut unit = stores.store.begin().await.unwrap();
    for event in &events {
        unit.audit().record(event).await.unwrap();
    }
    unit.audit().record(&AuditEvent { user: None, ..events[0].clone() }).await.unwrap();
    unit.audit().record(&AuditEvent { user: Some(other.id), ..events[0].clone() }).await.unwrap();
    unit.commit().await.unwrap();

    let newest_first: Vec<AuditEvent> = events.into_iter().rev().collect();
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.audit().of_user(user.id, 10).await.unwrap(), newest_first);
    assert_eq!(unit.audit().of_user(user.id, 2).await.unwrap(), newest_first[..2]);
}

/// An entry is kept only if its cause happened.
pub async fn an_entry_of_a_dropped_unit_is_not_kept(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let event = AuditEvent {
        kind: AuditKind::Registered,
        at: START,
        user: Some(user.id),
        session: None,
        source: None,
    };
    let mut unit = stores.store.begin().await.unwrap();
    unit.audit().record(&event).await.unwrap();
    drop(unit);
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.audit().of_user(user.id, 10).await.unwrap(), []);
}

/// What is told of an account does not outlive it.
pub async fn a_removed_user_takes_entries_along(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let event = AuditEvent {
        kind: AuditKind::Registered,
        at: START,
        user: Some(user.id),
        session: None,
        source: None,
    };
    let mut unit = stores.store.begin().await.unwrap();
    unit.audit().record(&event).await.unwrap();
    unit.audit().record(&AuditEvent { user: None, ..event }).await.unwrap();
    assert_eq!(unit.users().remove_unverified(START + TICK, 10).await.unwrap(), 1);
    assert_eq!(unit.audit().of_user(user.id, 10).await.unwrap(), []);
    assert_eq!(unit.audit().remove_old(START + TICK, 10).await.unwrap(), 1, "nobody's is kept");
}

/// The log is kept for a while, not for ever.
pub async fn only_old_entries_are_removed(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let event = |at| AuditEvent {
        kind: AuditKind::Registered,
        at,
        user: Some(user.id),
        session: None,
        source: None,
    };
    let mut unit = stores.store.begin().await.unwrap();
    let audit = unit.audit();
    audit.record(&event(START)).await.unwrap();
    audit.record(&event(START + TICK)).await.unwrap();
    assert_eq!(audit.remove_old(START, 10).await.unwrap(), 0);
    assert_eq!(audit.remove_old(START + TICK, 0).await.unwrap(), 0);
    assert_eq!(audit.remove_old(START + TICK, 10).await.unwrap(), 1);
    assert_eq!(audit.of_user(user.id, 10).await.unwrap(), [event(START + TICK)]);
}
