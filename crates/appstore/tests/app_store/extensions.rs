//! Renewal dates that are moved.

use std::time::Duration;

use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Freshness, Missing, PurchaseError, Purchases};
use portcullis_domain::purchase::{
    ExtensionDays, ExtensionReason, ExtensionRequest, ExtensionRequestId,
};
use portcullis_simulators::Fault;
use portcullis_simulators::app_store::Purchase;
use serde_json::json;

use crate::shop::{Shop, purchase};

const DAY_IN_MILLIS: i64 = 24 * 3_600_000;

fn request(of: &str, days: i64, id: &str) -> ExtensionRequest {
    ExtensionRequest {
        subscription: purchase(of),
        days: ExtensionDays::new(days).unwrap(),
        reason: ExtensionReason::ServiceIssue,
        id: ExtensionRequestId::parse(id).unwrap(),
    }
}

fn shop() -> (Shop, i64) {
    let shop = Shop::open();
    let bought = Purchase::subscription("1", "pro.monthly");
    let end = bought.expires_at.unwrap();
    shop.sell(bought);
    (shop, end)
}

fn end(shop: &Shop) -> i64 {
    shop.simulator.with(|store| store.sold_as("1").purchase.expires_at).unwrap()
}

#[tokio::test]
async fn a_renewal_date_is_moved_by_one_to_ninety_days() {
    for days in [1, 90] {
        let (shop, before) = shop();
        let moved = shop.adapter.extend_renewal_date(request("1", days, "r-1")).await.unwrap();
        let after = before + days * DAY_IN_MILLIS;
        assert_eq!(moved.subscription, purchase("1"));
        assert_eq!(moved.effective_at, Some(Timestamp::from_micros(after * 1_000)));
        assert_eq!(moved.web_order_line_item.as_deref(), Some("91"));
        assert_eq!(end(&shop), after);
        let sent = shop.simulator.take_requests()[0].json().unwrap();
        let published =
            json!({"extendByDays": days, "extendReasonCode": 3, "requestIdentifier": "r-1"});
        assert_eq!(sent, published);
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_moves_it_once() {
    let (shop, before) = shop();
    // It is done, and nobody hears of it.
    shop.simulator.fail([Fault::Truncate, Fault::Truncate, Fault::Truncate]);
    let unheard = shop.adapter.extend_renewal_date(request("1", 10, "r-1")).await;
    assert!(matches!(unheard.unwrap_err(), PurchaseError::Unavailable(_)));
    assert_eq!(shop.asked(), 3);
    shop.adapter.extend_renewal_date(request("1", 10, "r-1")).await.unwrap();
    assert_eq!(end(&shop), before + 10 * DAY_IN_MILLIS);
}

#[tokio::test]
async fn what_is_remembered_of_a_moved_subscription_is_forgotten() {
    let (shop, before) = shop();
    let renews_at = async || {
        let told = shop.adapter.subscriptions(purchase("1"), Freshness::Cached).await.unwrap();
        told[0].renewal.renews_at.unwrap()
    };
    assert_eq!(renews_at().await, Timestamp::from_micros(before * 1_000));
    shop.adapter.extend_renewal_date(request("1", 1, "r-1")).await.unwrap();
    assert_eq!(renews_at().await, Timestamp::from_micros((before + DAY_IN_MILLIS) * 1_000));
    // Also if it is not known whether it was moved.
    shop.simulator.fail([Fault::Truncate, Fault::Truncate, Fault::Truncate]);
    shop.adapter.extend_renewal_date(request("1", 1, "r-2")).await.unwrap_err();
    assert_eq!(renews_at().await, Timestamp::from_micros((before + 2 * DAY_IN_MILLIS) * 1_000));
}

#[tokio::test]
async fn whoever_hangs_up_while_it_is_moved_leaves_nothing_stale() {
    let (shop, _) = shop();
    let told = async || shop.adapter.subscriptions(purchase("1"), Freshness::Cached).await.unwrap();
    told().await;
    assert_eq!(shop.asked(), 1);
    shop.simulator.fail([Fault::Hang(Duration::from_secs(30))]);
    let moving = shop.adapter.extend_renewal_date(request("1", 1, "r-1"));
    assert!(tokio::time::timeout(Duration::from_millis(200), moving).await.is_err());
    assert_eq!(shop.asked(), 1);
    // It may have been moved.
    told().await;
    assert_eq!(shop.asked(), 1);
}

#[tokio::test]
async fn a_subscription_that_cannot_be_extended_is_told() {
    let ineligible = async |shop: &Shop, id| {
        let refused = shop.adapter.extend_renewal_date(request("1", 1, id)).await;
        matches!(refused.unwrap_err(), PurchaseError::Ineligible(_))
    };
    let (twice, _) = shop();
    for id in ["r-1", "r-2"] {
        twice.adapter.extend_renewal_date(request("1", 1, id)).await.unwrap();
    }
    assert!(ineligible(&twice, "r-3").await);
    let (expired, _) = shop();
    expired.simulator.with(|store| store.sold_as("1").status = 2);
    assert!(ineligible(&expired, "r-1").await);
    let (shared, _) = shop();
    let share = |purchase: &mut Purchase| purchase.ownership = "FAMILY_SHARED".to_owned();
    shared.simulator.with(|store| share(&mut store.sold_as("1").purchase));
    assert!(ineligible(&shared, "r-1").await);
    let (failed, _) = shop();
    let answer = json!({"originalTransactionId": "1", "success": false});
    failed.simulator.fail([Fault::Refusal(200, answer.to_string())]);
    assert!(ineligible(&failed, "r-1").await);
}

#[tokio::test]
async fn a_subscription_that_is_not_there_is_named() {
    let (shop, _) = shop();
    let error = shop.adapter.extend_renewal_date(request("404", 1, "r-1")).await.unwrap_err();
    let PurchaseError::NotFound { what, .. } = error else { panic!("{error:?}") };
    assert_eq!(what, Missing::Purchase(purchase("404")));
}
