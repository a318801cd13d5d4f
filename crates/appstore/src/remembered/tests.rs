//! What is remembered, and for how long.

use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::purchase::{
    AppStoreEnvironment, BundleId, Ownership, ProductId, ProductType, Renewal, SignedPayload,
    SubscriptionState, Transaction, TransactionId,
};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn id(text: &str) -> OriginalTransactionId {
    OriginalTransactionId::parse(text).unwrap()
}

/// A subscription of that name.
fn subscription(name: &str) -> Subscription {
    let product = ProductId::parse("pro.monthly").unwrap();
    let signed = SignedPayload::parse("a.b.c").unwrap();
    Subscription {
        group: "20900000".into(),
        original_id: id(name),
        state: SubscriptionState::Active,
        transaction: Transaction {
            id: TransactionId::parse(name).unwrap(),
            original_id: id(name),
            product: product.clone(),
            product_type: ProductType::AutoRenewableSubscription,
            bundle: BundleId::parse("com.example.app").unwrap(),
            environment: AppStoreEnvironment::Sandbox,
            purchased_at: NOW,
            originally_purchased_at: None,
            expires_at: None,
            revocation: None,
            is_upgraded: false,
            app_account_token: None,
            quantity: 1,
            ownership: Ownership::Purchased,
            price: None,
            storefront: None,
            subscription_group: None,
            signed_at: NOW,
            signed: signed.clone(),
        },
        renewal: Renewal {
            original_id: id(name),
            product,
            renews_to: None,
            renews: true,
            renews_at: None,
            price: None,
            expiration_reason: None,
            is_in_billing_retry: false,
            grace_period_ends_at: None,
            environment: AppStoreEnvironment::Sandbox,
            signed_at: NOW,
            signed,
        },
    }
}

fn knows(remembered: &Remembered, purchase: &str, now: Timestamp) -> bool {
    remembered.get(&id(purchase), now).is_some()
}

#[test]
fn an_answer_is_remembered_for_ten_minutes() {
    let remembered = Remembered::default();
    remembered.put(id("1"), remembered.ask(), NOW, vec![]);
    assert!(knows(&remembered, "1", NOW + Duration::from_secs(599)));
    assert!(!knows(&remembered, "1", NOW + Duration::from_mins(10)));
    assert!(!knows(&remembered, "1", NOW - Duration::from_secs(1)));
    assert!(!knows(&remembered, "2", NOW));
}

#[test]
fn an_answer_that_comes_after_it_was_forgotten_is_not_remembered() {
    let remembered = Remembered::default();
    let asked = remembered.ask();
    remembered.forget(&id("1"), NOW);
    remembered.put(id("1"), asked, NOW, vec![]);
    assert!(!knows(&remembered, "1", NOW));
    remembered.put(id("1"), remembered.ask(), NOW, vec![]);
    assert!(knows(&remembered, "1", NOW));
}

#[test]
fn an_older_answer_does_not_replace_a_newer_one() {
    let remembered = Remembered::default();
    let (older, newer) = (remembered.ask(), remembered.ask());
    remembered.put(id("1"), newer, NOW + LIFETIME, vec![]);
    remembered.put(id("1"), older, NOW, vec![]);
    assert!(knows(&remembered, "1", NOW + LIFETIME));
}

#[test]
fn the_oldest_make_room() {
    let remembered = Remembered::default();
    for number in 0..=CAPACITY {
        remembered.put(id(&number.to_string()), remembered.ask(), NOW, vec![]);
    }
    assert!(!knows(&remembered, "0", NOW));
    assert!(knows(&remembered, "1", NOW));
    assert!(knows(&remembered, &CAPACITY.to_string(), NOW));
}

#[test]
fn asking_about_one_again_and_again_pushes_nobody_out_and_takes_no_more_room() {
    let remembered = Remembered::default();
    remembered.put(id("other"), remembered.ask(), NOW, vec![]);
    for _ in 0..3 * CAPACITY {
        remembered.put(id("1"), remembered.ask(), NOW, vec![]);
    }
    assert!(knows(&remembered, "other", NOW) && knows(&remembered, "1", NOW));
    assert!(remembered.lock().order.len() <= 2 * CAPACITY);
}

#[test]
fn an_answer_that_tells_of_something_forgotten_meanwhile_is_not_remembered() {
    let remembered = Remembered::default();
    let asked = remembered.ask();
    remembered.forget(&id("2"), NOW);
    let both = vec![subscription("1"), subscription("2")];
    remembered.put(id("1"), asked, NOW, both.clone());
    assert!(!knows(&remembered, "1", NOW));
    remembered.put(id("1"), remembered.ask(), NOW, both.clone());
    assert!(knows(&remembered, "1", NOW));
    // Something newer is known of the other.
    let (older, newer) = (remembered.ask(), remembered.ask());
    remembered.put(id("2"), newer, NOW, both.clone());
    remembered.put(id("3"), older, NOW, both);
    assert!(!knows(&remembered, "3", NOW));
}

#[test]
fn what_was_forgotten_is_kept_out_also_after_it_made_room() {
    for makes_room in [true, false] {
        let remembered = Remembered::default();
        let asked = remembered.ask();
        remembered.forget(&id("1"), NOW);
        let later = if makes_room {
            for number in 0..=CAPACITY {
                let other = id(&format!("other-{number}"));
                remembered.put(other, remembered.ask(), NOW, vec![]);
            }
            NOW
        } else {
            NOW + LIFETIME
        };
        remembered.put(id("2"), remembered.ask(), later, vec![]);
        assert!(!remembered.lock().entries.contains_key(&id("1")));
        remembered.put(id("1"), asked, later, vec![]);
        assert!(!knows(&remembered, "1", later));
        remembered.put(id("1"), remembered.ask(), later, vec![]);
        assert!(knows(&remembered, "1", later));
    }
}

#[test]
fn what_is_over_takes_no_room() {
    let remembered = Remembered::default();
    for number in 0..10 {
        remembered.put(id(&number.to_string()), remembered.ask(), NOW, vec![subscription("1")]);
    }
    remembered.forget(&id("11"), NOW);
    let later = NOW + LIFETIME;
    assert!(!knows(&remembered, "nobody", later));
    let memory = remembered.lock();
    assert_eq!((memory.entries.len(), memory.order.len(), memory.weight), (0, 0, 0));
}

#[test]
fn an_answer_takes_room_for_each_subscription_that_it_tells_of() {
    let remembered = Remembered::default();
    let half = vec![subscription("1"); CAPACITY / 2];
    for name in ["1", "2", "3"] {
        remembered.put(id(name), remembered.ask(), NOW, half.clone());
    }
    let known = ["1", "2", "3"].map(|name| knows(&remembered, name, NOW));
    assert_eq!(known, [false, true, true]);
    remembered.put(id("4"), remembered.ask(), NOW, vec![subscription("4"); CAPACITY + 1]);
    assert_eq!(remembered.lock().weight, 0);
}

#[test]
fn whoever_hangs_up_while_changing_it_leaves_nothing_stale() {
    let (remembered, clock) = (Remembered::default(), ManualClock::at(NOW));
    remembered.put(id("1"), remembered.ask(), NOW, vec![subscription("1")]);
    let forgetting = remembered.forgetting(id("1"), &clock);
    assert!(knows(&remembered, "1", NOW));
    drop(forgetting);
    assert!(!knows(&remembered, "1", NOW));
}
