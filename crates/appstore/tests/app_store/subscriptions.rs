//! How subscriptions stand, and stood a few minutes ago.

use std::time::Duration;

use portcullis_domain::ports::{Flaw, Freshness, Missing, PurchaseError, Purchases};
use portcullis_domain::purchase::SubscriptionState;
use portcullis_simulators::Fault;
use portcullis_simulators::app_store::Purchase;
use serde_json::{Value, json};

use crate::shop::{Shop, flaw, purchase};

/// A customer with two subscriptions and something else.
fn shop() -> Shop {
    let shop = Shop::open();
    shop.sell(Purchase::subscription("1", "pro.monthly"));
    shop.sell(Purchase::subscription("2", "news.monthly"));
    shop.sell(Purchase::consumable("3", "coins"));
    shop.sell(Purchase { customer: 2, ..Purchase::subscription("8", "pro.monthly") });
    shop
}

async fn state(shop: &Shop, of: &str, freshness: Freshness) -> SubscriptionState {
    let subscriptions = shop.adapter.subscriptions(purchase(of), freshness).await.unwrap();
    subscriptions.iter().find(|one| one.original_id == purchase(of)).unwrap().state
}

fn expire(shop: &Shop, id: &str) {
    shop.simulator.with(|store| store.sold_as(id).status = 2);
}

#[tokio::test]
async fn every_subscription_of_the_customer_is_told() {
    let shop = shop();
    for (status, state) in [
        (1, SubscriptionState::Active),
        (2, SubscriptionState::Expired),
        (3, SubscriptionState::BillingRetry),
        (4, SubscriptionState::GracePeriod),
        (5, SubscriptionState::Revoked),
        (6, SubscriptionState::Other(6)),
    ] {
        shop.simulator.with(|store| store.sold_as("2").status = status);
        let told = shop.adapter.subscriptions(purchase("1"), Freshness::Fresh).await.unwrap();
        let ids: Vec<_> = told.iter().map(|one| one.original_id.as_str()).collect();
        assert_eq!(ids, ["1", "2"]);
        assert_eq!((told[0].state, told[1].state), (SubscriptionState::Active, state));
        assert_eq!(told[1].group, "20900000");
        assert_eq!(told[1].transaction.product.as_str(), "news.monthly");
        let renewal = &told[1].renewal;
        assert!(renewal.renews && renewal.renews_at == told[1].transaction.expires_at);
        assert_eq!(renewal.renews_to.as_ref(), Some(&told[1].transaction.product));
    }
}

#[tokio::test]
async fn whoever_subscribed_to_nothing_has_no_subscriptions() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("3", "coins"));
    let none = shop.adapter.subscriptions(purchase("3"), Freshness::Cached).await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn an_answer_is_remembered_for_ten_minutes() {
    let shop = shop();
    assert_eq!(state(&shop, "1", Freshness::Cached).await, SubscriptionState::Active);
    expire(&shop, "1");
    shop.wait(Duration::from_secs(599));
    assert_eq!(state(&shop, "1", Freshness::Cached).await, SubscriptionState::Active);
    assert_eq!(shop.asked(), 1);
    shop.wait(Duration::from_secs(1));
    assert_eq!(state(&shop, "1", Freshness::Cached).await, SubscriptionState::Expired);
    assert_eq!(shop.asked(), 1);
}

#[tokio::test]
async fn each_purchase_is_remembered_by_itself() {
    let shop = shop();
    expire(&shop, "8");
    assert_eq!(state(&shop, "1", Freshness::Cached).await, SubscriptionState::Active);
    assert_eq!(state(&shop, "8", Freshness::Cached).await, SubscriptionState::Expired);
    assert_eq!(shop.asked(), 2);
}

#[tokio::test]
async fn a_fresh_answer_is_asked_for_and_remembered() {
    let shop = shop();
    assert_eq!(state(&shop, "1", Freshness::Cached).await, SubscriptionState::Active);
    expire(&shop, "1");
    assert_eq!(state(&shop, "1", Freshness::Fresh).await, SubscriptionState::Expired);
    assert_eq!(state(&shop, "1", Freshness::Cached).await, SubscriptionState::Expired);
    assert_eq!(shop.asked(), 2);
}

#[tokio::test]
async fn what_is_forgotten_is_asked_for_again() {
    let shop = shop();
    for told_of in ["1", "2"] {
        // The customer of purchase 2 was asked about under purchase 1, too.
        assert_eq!(state(&shop, told_of, Freshness::Cached).await, SubscriptionState::Active);
    }
    expire(&shop, "2");
    shop.adapter.forget_subscriptions(purchase("2")).await;
    let told = shop.adapter.subscriptions(purchase("1"), Freshness::Cached).await.unwrap();
    assert_eq!(told[1].state, SubscriptionState::Expired);
    assert_eq!(state(&shop, "2", Freshness::Cached).await, SubscriptionState::Expired);
}

#[tokio::test]
async fn a_failure_is_not_remembered_and_leaves_what_was() {
    let shop = shop();
    let missing = shop.adapter.subscriptions(purchase("404"), Freshness::Cached).await;
    let what = Missing::Purchase(purchase("404"));
    assert!(matches!(
        missing.unwrap_err(), PurchaseError::NotFound { what: found, .. } if found == what
    ));
    shop.sell(Purchase { customer: 3, ..Purchase::subscription("404", "pro.monthly") });
    assert_eq!(state(&shop, "404", Freshness::Cached).await, SubscriptionState::Active);
    shop.simulator.fail([Fault::Status(401)]);
    assert!(shop.adapter.subscriptions(purchase("404"), Freshness::Fresh).await.is_err());
    assert_eq!(state(&shop, "404", Freshness::Cached).await, SubscriptionState::Active);
}

/// An answer about purchase 1 that holds these two payloads.
fn answer(transaction: &str, renewal: &str) -> String {
    let item = json!({
        "originalTransactionId": "1",
        "status": 1,
        "signedTransactionInfo": transaction,
        "signedRenewalInfo": renewal,
    });
    let group = json!({"subscriptionGroupIdentifier": "20900000", "lastTransactions": [item]});
    json!({"data": [group]}).to_string()
}

#[tokio::test]
async fn what_is_signed_for_another_subscription_is_refused() {
    let shop = shop();
    let (mine, other) = (Purchase::subscription("1", "pro"), Purchase::subscription("2", "pro"));
    let answers = shop.simulator.with(|store| {
        [(&mine, &other), (&other, &mine), (&other, &other)].map(|(transaction, renewal)| {
            answer(&store.transaction(transaction), &store.renewal(renewal))
        })
    });
    for answer in answers {
        shop.simulator.fail([Fault::Refusal(200, answer)]);
        let refused = shop.adapter.subscriptions(purchase("1"), Freshness::Fresh).await;
        assert_eq!(flaw(refused), Some(Flaw::Subject));
    }
}

#[tokio::test]
async fn an_answer_that_is_not_as_published_is_unexpected() {
    let shop = shop();
    let wrong = [
        json!({}),
        json!({"data": [{"lastTransactions": []}]}),
        json!({"data": [{"subscriptionGroupIdentifier": "1", "lastTransactions": [{}]}]}),
        Value::Null,
    ];
    for body in wrong {
        shop.simulator.fail([Fault::Refusal(200, body.to_string())]);
        let error = shop.adapter.subscriptions(purchase("1"), Freshness::Fresh).await.unwrap_err();
        assert!(matches!(error, PurchaseError::Unexpected(_)), "{body}: {error:?}");
    }
}
