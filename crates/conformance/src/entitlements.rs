//! Laws of purchases and whose they are.

use std::sync::Arc;

use portcullis_domain::ports::Claimed;
use portcullis_domain::purchase::{AppStoreEnvironment, OriginalTransactionId, ProductId};
use portcullis_domain::{Entitlement, PurchaseState, UserId};

use crate::Stores;
use crate::build::{START, TICK, stored_user};
use crate::race::race;

/// A purchase as Apple told it so many ticks after [`START`].
pub(crate) fn state(purchase: &str, told: u32) -> PurchaseState {
    PurchaseState {
        environment: AppStoreEnvironment::Production,
        purchase: OriginalTransactionId::parse(purchase).unwrap(),
        product: ProductId::parse("pro.monthly").unwrap(),
        purchased_at: START,
        expires_at: Some(START + TICK * 99),
        revoked_at: None,
        signed_at: START + TICK * told,
    }
}

async fn claim(stores: &Stores, user: UserId, state: &PurchaseState) -> Claimed {
    let entitlement = Entitlement { user, state: state.clone() };
    stores.entitlements.claim(entitlement).await.unwrap()
}

async fn of_user(stores: &Stores, user: UserId) -> Vec<PurchaseState> {
    let theirs = stores.entitlements.of_user(user).await.unwrap();
    assert!(theirs.iter().all(|entitlement| entitlement.user == user));
    theirs.into_iter().map(|entitlement| entitlement.state).collect()
}

/// Whatever was written is what is read, the newest first. A purchase of the
/// sandbox is another one.
pub async fn every_field_of_a_purchase_is_read_as_it_was_written(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let later = PurchaseState { purchased_at: START + TICK, ..state("2", 1) };
    let sandbox = PurchaseState {
        environment: AppStoreEnvironment::Sandbox,
        purchased_at: START + TICK * 2,
        expires_at: None,
        revoked_at: Some(START + TICK * 3),
        ..state("1", 1)
    };
    for state in [&state("1", 1), &later, &sandbox] {
        assert_eq!(claim(stores, ann.id, state).await, Claimed::Theirs(state.clone()));
    }
    assert_eq!(of_user(stores, ann.id).await, [sandbox, later, state("1", 1)]);
}

/// Nobody uses what somebody else bought.
pub async fn a_purchase_is_the_first_claimants(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let bob = stored_user(&*stores.store, "bob").await;
    assert_eq!(claim(stores, ann.id, &state("1", 1)).await, Claimed::Theirs(state("1", 1)));
    assert_eq!(claim(stores, bob.id, &state("1", 2)).await, Claimed::Anothers);
    assert_eq!(of_user(stores, ann.id).await, [state("1", 1)]);
    assert_eq!(of_user(stores, bob.id).await, []);
}

/// Of one renewal, what Apple said later stands, in whatever order it arrives;
/// what it no longer says is gone. Only its end is never brought forward.
pub async fn what_was_said_last_of_a_renewal_stands(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    claim(stores, ann.id, &state("1", 5)).await;
    assert_eq!(claim(stores, ann.id, &state("1", 4)).await, Claimed::Theirs(state("1", 5)));
    let revoked = PurchaseState {
        product: ProductId::parse("pro.yearly").unwrap(),
        revoked_at: Some(START + TICK * 6),
        ..state("1", 6)
    };
    assert_eq!(claim(stores, ann.id, &revoked).await, Claimed::Theirs(revoked.clone()));
    let told = |state: PurchaseState| Some(Entitlement { user: ann.id, state });
    let old = stores.entitlements.update(state("1", 5)).await.unwrap();
    assert_eq!(old, told(revoked));
    let restored = stores.entitlements.update(state("1", 7)).await.unwrap();
    assert_eq!(restored, told(state("1", 7)));
    let put_off = PurchaseState { expires_at: Some(START + TICK * 120), ..state("1", 8) };
    assert_eq!(claim(stores, ann.id, &put_off).await, Claimed::Theirs(put_off.clone()));
    let forgetful = stores.entitlements.update(state("1", 9)).await.unwrap();
    let kept = PurchaseState { expires_at: put_off.expires_at, ..state("1", 9) };
    assert_eq!(forgetful, told(kept.clone()));
    assert_eq!(of_user(stores, ann.id).await, [kept]);
}

/// Nobody loses what they paid for because something was said of an earlier
/// month after it.
pub async fn a_renewal_outlives_what_is_said_of_the_one_before(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    let renewal = PurchaseState {
        purchased_at: START + TICK * 99,
        expires_at: Some(START + TICK * 199),
        ..state("1", 5)
    };
    // Whichever was noted first, and whatever was signed last.
    claim(stores, ann.id, &state("1", 9)).await;
    assert_eq!(claim(stores, ann.id, &renewal).await, Claimed::Theirs(renewal.clone()));
    let refunded = PurchaseState { revoked_at: Some(START), ..state("1", 10) };
    let told = Entitlement { user: ann.id, state: renewal.clone() };
    assert_eq!(stores.entitlements.update(refunded.clone()).await.unwrap(), Some(told));
    assert_eq!(claim(stores, ann.id, &refunded).await, Claimed::Theirs(renewal.clone()));
    assert_eq!(of_user(stores, ann.id).await, [renewal]);
}

/// News that arrive together are taken in one after the other.
pub async fn of_parallel_news_the_last_stands(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    claim(stores, ann.id, &state("1", 0)).await;
    let store = &stores.entitlements;
    race(32, |number| {
        let (store, news) = (Arc::clone(store), state("1", number));
        async move { store.update(news).await.unwrap() }
    })
    .await;
    assert_eq!(of_user(stores, ann.id).await, [state("1", 31)]);
}

/// A notification gives nothing to anybody.
pub async fn what_nobody_claimed_is_nobodys(stores: &Stores) {
    assert_eq!(stores.entitlements.update(state("1", 1)).await.unwrap(), None);
    let ann = stored_user(&*stores.store, "ann").await;
    assert_eq!(of_user(stores, ann.id).await, []);
    claim(stores, ann.id, &state("1", 1)).await;
    assert_eq!(stores.entitlements.update(state("2", 2)).await.unwrap(), None);
}

/// However many claim it, one gets it.
pub async fn of_parallel_claims_of_one_purchase_one_user_gets_it(stores: &Stores) {
    let mut users = Vec::new();
    for number in 0..8 {
        users.push(stored_user(&*stores.store, &format!("user{number}")).await.id);
    }
    let store = &stores.entitlements;
    let claimed = race(32, |number| {
        let user = users[number as usize % users.len()];
        let (store, state) = (Arc::clone(store), state("1", number));
        async move { (user, store.claim(Entitlement { user, state }).await.unwrap()) }
    })
    .await;
    let winners = claimed.iter().filter(|(_, claimed)| matches!(claimed, Claimed::Theirs(_)));
    let winners: Vec<_> = winners.map(|(user, _)| *user).collect();
    assert_eq!(winners.len(), 4, "each of the winner's four claims and nobody else's");
    assert!(winners.iter().all(|winner| *winner == winners[0]));
    assert_eq!(of_user(stores, winners[0]).await.len(), 1);
}

/// Whoever is gone owns nothing, and keeps nobody out.
pub async fn a_removed_user_takes_purchases_along(stores: &Stores) {
    let ann = stored_user(&*stores.store, "ann").await;
    claim(stores, ann.id, &state("1", 1)).await;
    let mut unit = stores.store.begin().await.unwrap();
    assert_eq!(unit.users().remove_unverified(START + TICK, 10).await.unwrap(), 1);
    unit.commit().await.unwrap();
    assert_eq!(of_user(stores, ann.id).await, []);
    let bob = stored_user(&*stores.store, "bob").await;
    assert_eq!(claim(stores, bob.id, &state("1", 1)).await, Claimed::Theirs(state("1", 1)));
}
