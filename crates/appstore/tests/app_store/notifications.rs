//! Notifications, and what lies within them.

use portcullis_domain::ports::{Flaw, Purchases};
use portcullis_domain::purchase::{
    AppStoreEnvironment, NotificationKind, SignedPayload, SubscriptionState,
};
use portcullis_simulators::app_store::{Authority, Forgery, Purchase};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{APP_ID, BUNDLE, Shop, flaw, payload};

fn signed(shop: &Shop, notification: &Value) -> SignedPayload {
    payload(&shop.simulator.with(|store| store.authority.sign(notification)))
}

fn about(shop: &Shop, purchase: &Purchase) -> Value {
    shop.simulator.with(|store| store.notification("DID_RENEW", Some(purchase)))
}

#[tokio::test]
async fn a_notification_is_read_with_all_that_lies_within() {
    for shop in [Shop::open(), Shop::in_production()] {
        let bought = Purchase::subscription("1", "pro.monthly");
        let mut notification = about(&shop, &bought);
        notification["subtype"] = "BILLING_RECOVERY".into();
        let read = shop.adapter.decode_notification(signed(&shop, &notification)).await.unwrap();
        assert_eq!(read.id, Uuid::parse_str("002e14d5-51f5-4503-b5a8-c3a1af68eb20").unwrap());
        assert_eq!(read.kind, NotificationKind::DidRenew);
        assert_eq!(read.subtype.as_deref(), Some("BILLING_RECOVERY"));
        assert_eq!(read.environment, shop.settings.environment);
        assert_eq!(read.bundle.as_str(), BUNDLE);
        assert_eq!(read.transaction.unwrap().product.as_str(), "pro.monthly");
        assert_eq!(read.renewal.unwrap().original_id.as_str(), "1");
        assert_eq!(read.state, Some(SubscriptionState::Active));
        let signed_at = notification["signedDate"].as_i64().unwrap();
        assert_eq!(read.signed_at.as_micros(), signed_at * 1_000);
        assert_eq!(shop.asked(), 0);
    }
}

#[tokio::test]
async fn every_kind_that_apple_publishes_is_known() {
    let shop = Shop::open();
    for kind in NotificationKind::KNOWN {
        let notification = shop.simulator.with(|store| store.notification(kind.as_str(), None));
        let read = shop.adapter.decode_notification(signed(&shop, &notification)).await.unwrap();
        assert_eq!((read.kind, read.transaction, read.renewal), (kind.clone(), None, None));
    }
}

#[tokio::test]
async fn what_it_is_about_may_stand_in_four_places() {
    let shop = Shop::open();
    let app = json!({"bundleId": BUNDLE, "appAppleId": APP_ID, "environment": "Sandbox"});
    let token = json!({"bundleId": BUNDLE, "externalPurchaseId": "SANDBOX_1"});
    for (place, about) in [("summary", &app), ("appData", &app), ("externalPurchaseToken", &token)]
    {
        let notification = shop.simulator.with(|store| store.notification("TEST", None));
        let mut notification = notification;
        notification["data"] = Value::Null;
        notification[place] = about.clone();
        let read = shop.adapter.decode_notification(signed(&shop, &notification)).await;
        assert!(read.is_ok(), "{place}: {read:?}");
        notification[place]["bundleId"] = "com.example.other".into();
        let refused = shop.adapter.decode_notification(signed(&shop, &notification)).await;
        assert_eq!(flaw(refused), Some(Flaw::Bundle), "{place}");
        notification[place]["bundleId"] = BUNDLE.into();
        notification[place]["environment"] = "Production".into();
        notification[place]["externalPurchaseId"] =
            if place == "externalPurchaseToken" { "1".into() } else { Value::Null };
        let refused = shop.adapter.decode_notification(signed(&shop, &notification)).await;
        assert_eq!(flaw(refused), Some(Flaw::Environment), "{place}");
        notification[place] = Value::Null;
        let refused = shop.adapter.decode_notification(signed(&shop, &notification)).await;
        assert_eq!(flaw(refused), Some(Flaw::Bundle), "nowhere");
    }
}

#[tokio::test]
async fn another_app_is_told_from_this_one() {
    let shop = Shop::in_production();
    let test = shop.simulator.with(|store| store.notification("TEST", None));
    for (field, value, expected) in [
        ("bundleId", json!("com.example.other"), Flaw::Bundle),
        ("bundleId", json!("com.example.app "), Flaw::Bundle),
        ("bundleId", json!("COM.EXAMPLE.APP"), Flaw::Bundle),
        ("bundleId", Value::Null, Flaw::Bundle),
        ("appAppleId", json!(APP_ID + 1), Flaw::App),
        ("appAppleId", Value::Null, Flaw::App),
        ("environment", json!("Sandbox"), Flaw::Environment),
        ("environment", json!("Xcode"), Flaw::Environment),
        ("environment", json!("LocalTesting"), Flaw::Environment),
        ("environment", Value::Null, Flaw::Environment),
    ] {
        let mut notification = test.clone();
        notification["data"][field] = value.clone();
        let refused = shop.adapter.decode_notification(signed(&shop, &notification)).await;
        assert_eq!(flaw(refused), Some(expected), "{field} is {value}");
    }
}

#[tokio::test]
async fn the_sandbox_does_not_ask_for_an_app_id() {
    let shop = Shop::open();
    let mut test = shop.simulator.with(|store| store.notification("TEST", None));
    test["data"]["appAppleId"] = Value::Null;
    assert!(shop.adapter.decode_notification(signed(&shop, &test)).await.is_ok());
}

#[tokio::test]
async fn what_lies_within_must_be_of_this_app_and_environment_too() {
    let shop = Shop::open();
    let bought = Purchase::subscription("1", "pro");
    let good = about(&shop, &bought);
    let within = |field: &str, value: &Value| {
        let mut notification = good.clone();
        let text = shop.simulator.with(|store| store.authority.sign(value));
        notification["data"][field] = text.into();
        signed(&shop, &notification)
    };
    let store = shop.simulator.with(|store| store.store.clone());
    let mut transaction = bought.transaction(&store);
    transaction["bundleId"] = "com.example.other".into();
    let refused = within("signedTransactionInfo", &transaction);
    assert_eq!(flaw(shop.adapter.decode_notification(refused).await), Some(Flaw::Bundle));
    let mut transaction = bought.transaction(&store);
    transaction["environment"] = "Production".into();
    let refused = within("signedTransactionInfo", &transaction);
    assert_eq!(flaw(shop.adapter.decode_notification(refused).await), Some(Flaw::Environment));
    let mut renewal = bought.renewal(&store);
    renewal["environment"] = "Production".into();
    let refused = within("signedRenewalInfo", &renewal);
    assert_eq!(flaw(shop.adapter.decode_notification(refused).await), Some(Flaw::Environment));
    let renewal = Purchase::subscription("2", "pro").renewal(&store);
    let refused = within("signedRenewalInfo", &renewal);
    assert_eq!(flaw(shop.adapter.decode_notification(refused).await), Some(Flaw::Subject));
}

#[tokio::test]
async fn a_forgery_within_spoils_the_whole() {
    let shop = Shop::open();
    let bought = Purchase::subscription("1", "pro");
    let store = shop.simulator.with(|store| store.store.clone());
    let payloads = [
        ("signedTransactionInfo", bought.transaction(&store)),
        ("signedRenewalInfo", bought.renewal(&store)),
    ];
    for (field, value) in payloads {
        for (forgery, expected) in
            [(Forgery::ForeignRoot, Flaw::Certificates), (Forgery::ChangedPayload, Flaw::Signature)]
        {
            let mut notification = about(&shop, &bought);
            let forged = shop.simulator.with(|store| store.authority.forge(&value, forgery));
            notification["data"][field] = forged.into();
            let refused = shop.adapter.decode_notification(signed(&shop, &notification)).await;
            assert_eq!(flaw(refused), Some(expected), "{field}, {forgery:?}");
        }
        let mut notification = about(&shop, &bought);
        notification["data"][field] = "nothing signed".into();
        let refused = shop.adapter.decode_notification(signed(&shop, &notification)).await;
        assert_eq!(flaw(refused), Some(Flaw::Form), "{field}");
    }
}

#[tokio::test]
async fn fields_that_must_be_there_are_missed() {
    let shop = Shop::open();
    for (field, value) in [
        ("notificationType", Value::Null),
        ("notificationUUID", Value::Null),
        ("notificationUUID", json!("7")),
        ("signedDate", Value::Null),
        ("data", json!("7")),
    ] {
        let mut test = shop.simulator.with(|store| store.notification("TEST", None));
        test[field] = value.clone();
        let refused = shop.adapter.decode_notification(signed(&shop, &test)).await;
        assert_eq!(flaw(refused), Some(Flaw::Form), "{field} is {value}");
    }
}

#[tokio::test]
async fn another_stores_notification_is_not_believed() {
    let (shop, other) = (Shop::open(), Shop::of(AppStoreEnvironment::Sandbox, Authority::new()));
    let test = other.simulator.with(|store| store.notification("TEST", None));
    let refused = shop.adapter.decode_notification(signed(&other, &test)).await;
    assert_eq!(flaw(refused), Some(Flaw::Certificates));
    assert!(other.adapter.decode_notification(signed(&other, &test)).await.is_ok());
}
