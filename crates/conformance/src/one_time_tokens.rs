//! Laws of one-time tokens.

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ports::Store;
use portcullis_domain::{OneTimeToken, Purpose, Timestamp, TokenDigest, UserId};

use crate::Stores;
use crate::build::{START, TICK, stored_user};
use crate::race::race;

const TTL: Duration = Duration::from_mins(1);
const PURPOSE: Purpose = Purpose::PasswordReset;

fn token(user: UserId, digest: u8) -> OneTimeToken {
    OneTimeToken {
        digest: TokenDigest([digest; 32]),
        purpose: PURPOSE,
        user_id: user,
        created_at: START,
        expires_at: START + TTL,
        used_at: None,
    }
}

async fn stored(store: &dyn Store, token: &OneTimeToken) {
    let mut unit = store.begin().await.unwrap();
    unit.one_time_tokens().add(token.clone()).await.unwrap();
    unit.commit().await.unwrap();
}

async fn consume(store: &dyn Store, token: &OneTimeToken, at: Timestamp) -> Option<OneTimeToken> {
    let mut unit = store.begin().await.unwrap();
    let spent = unit.one_time_tokens().consume(token.digest, token.purpose, at).await.unwrap();
    unit.commit().await.unwrap();
    spent
}

async fn found(store: &dyn Store, token: &OneTimeToken) -> Option<OneTimeToken> {
    let mut unit = store.begin().await.unwrap();
    unit.one_time_tokens().find(token.digest, token.purpose).await.unwrap()
}

/// Whatever was written is what is read.
pub async fn every_field_of_a_token_is_read_as_it_was_written(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let verification = OneTimeToken { purpose: Purpose::EmailVerification, ..token(user.id, 2) };
    let spent = OneTimeToken { used_at: Some(START + TICK), ..token(user.id, 3) };
    for token in [token(user.id, 1), verification, spent] {
        stored(&*stores.store, &token).await;
        assert_eq!(found(&*stores.store, &token).await, Some(token));
    }
}

/// The first presentation spends it; the second finds nothing.
pub async fn a_token_is_spent_once(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let token = token(user.id, 1);
    stored(&*stores.store, &token).await;
    let spent = OneTimeToken { used_at: Some(START), ..token.clone() };
    assert_eq!(consume(&*stores.store, &token, START).await, Some(spent));
    assert_eq!(consume(&*stores.store, &token, START).await, None);
}

/// Good just before it expires, no longer at that moment.
pub async fn a_token_works_until_just_before_it_expires(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let (late, last) = (token(user.id, 1), token(user.id, 2));
    stored(&*stores.store, &late).await;
    stored(&*stores.store, &last).await;
    assert_eq!(consume(&*stores.store, &late, late.expires_at).await, None);
    assert!(consume(&*stores.store, &last, last.expires_at - TICK).await.is_some());
}

/// Presented for the other purpose it is unknown, and not spent.
pub async fn a_token_works_for_its_purpose_only(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let token = token(user.id, 1);
    stored(&*stores.store, &token).await;
    let other = OneTimeToken { purpose: Purpose::EmailVerification, ..token.clone() };
    assert_eq!(found(&*stores.store, &other).await, None);
    assert_eq!(consume(&*stores.store, &other, START).await, None);
    assert!(consume(&*stores.store, &token, START).await.is_some());
}

/// Decided by one conditional write.
pub async fn of_64_parallel_presentations_one_spends_the_token(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let token = token(user.id, 1);
    stored(&*stores.store, &token).await;
    let results = race(64, |_| {
        let (store, token) = (Arc::clone(&stores.store), token.clone());
        async move { consume(&*store, &token, START).await.is_some() }
    })
    .await;
    assert_eq!(results.into_iter().filter(|won| *won).count(), 1);
}

/// Adding it again, as a second attempt to send its letter does, neither
/// revives it nor prolongs it.
pub async fn a_token_that_is_there_is_not_replaced(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let first = token(user.id, 1);
    stored(&*stores.store, &first).await;
    consume(&*stores.store, &first, START).await.unwrap();
    let again = OneTimeToken { expires_at: START + 2 * TTL, ..first.clone() };
    stored(&*stores.store, &again).await;
    let kept = OneTimeToken { used_at: Some(START), ..first };
    assert_eq!(found(&*stores.store, &kept).await, Some(kept));
}

/// Other purposes and other users keep theirs.
pub async fn spending_all_spends_that_users_tokens_of_that_purpose(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    let own = [token(ann.id, 1), token(ann.id, 2)];
    let other = OneTimeToken { purpose: Purpose::EmailVerification, ..token(ann.id, 3) };
    let bobs = token(bob.id, 4);
    for token in own.iter().chain([&other, &bobs]) {
        stored(&*stores.store, token).await;
    }
    let mut unit = stores.store.begin().await.unwrap();
    unit.one_time_tokens().spend_all(ann.id, PURPOSE, START).await.unwrap();
    unit.commit().await.unwrap();
    for token in &own {
        assert_eq!(consume(&*stores.store, token, START).await, None);
    }
    for token in [&other, &bobs] {
        assert!(consume(&*stores.store, token, START).await.is_some());
    }
}

/// Tokens that might still be presented stay.
pub async fn only_expired_tokens_are_removed(stores: &Stores) {
    let user = stored_user(&*stores.store, "ann").await;
    let old = token(user.id, 1);
    let young = OneTimeToken { expires_at: START + 2 * TTL, ..token(user.id, 2) };
    stored(&*stores.store, &old).await;
    stored(&*stores.store, &young).await;
    let mut unit = stores.store.begin().await.unwrap();
    let tokens = unit.one_time_tokens();
    assert_eq!(tokens.remove_expired(old.expires_at, 10).await.unwrap(), 0);
    assert_eq!(tokens.remove_expired(old.expires_at + TICK, 0).await.unwrap(), 0);
    assert_eq!(tokens.remove_expired(old.expires_at + TICK, 10).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(found(&*stores.store, &old).await, None);
    assert!(found(&*stores.store, &young).await.is_some());
}
