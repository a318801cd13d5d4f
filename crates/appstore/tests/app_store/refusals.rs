//! What each refusal means: the same whatever was asked.

use std::time::Duration;

use portcullis_domain::ports::{Freshness, Missing, PurchaseArgument, PurchaseError, Purchases};
use portcullis_domain::purchase::{
    ExtensionDays, ExtensionReason, ExtensionRequest, ExtensionRequestId,
};
use portcullis_simulators::Fault;
use portcullis_simulators::app_store::Purchase;
use serde_json::json;

use crate::shop::{Shop, id, purchase};

/// How each operation ends that asks the store.
async fn all_operations(shop: &Shop) -> Vec<(&'static str, Result<(), PurchaseError>)> {
    let extension = ExtensionRequest {
        subscription: purchase("1"),
        days: ExtensionDays::new(1).unwrap(),
        reason: ExtensionReason::Undeclared,
        id: ExtensionRequestId::parse("r-1").unwrap(),
    };
    let adapter = &shop.adapter;
    let (verified, history, refunds, subscriptions, extended) = tokio::join!(
        adapter.verify_transaction(id("1")),
        adapter.transaction_history(purchase("1"), None),
        adapter.refund_history(purchase("1"), None),
        adapter.subscriptions(purchase("1"), Freshness::Fresh),
        adapter.extend_renewal_date(extension),
    );
    vec![
        ("verify", verified.map(drop)),
        ("history", history.map(drop)),
        ("refunds", refunds.map(drop)),
        ("subscriptions", subscriptions.map(drop)),
        ("extend", extended.map(drop)),
    ]
}

/// The store refuses whatever it is asked, also when asked again.
fn refuse(shop: &Shop, status: u16, code: Option<u32>) {
    let body = code.map_or(json!({}), |code| json!({"errorCode": code, "errorMessage": "No."}));
    let refusal = Fault::Refusal(status, body.to_string());
    shop.simulator.fail(std::iter::repeat_n(refusal, 15));
}

fn is(error: &PurchaseError, name: &str) -> bool {
    let found = match error {
        PurchaseError::InvalidArgument { .. } => "argument",
        PurchaseError::NotFound { .. } => "not found",
        PurchaseError::Ineligible(_) => "ineligible",
        PurchaseError::InvalidCredentials(_) => "credentials",
        PurchaseError::RateLimited { .. } => "limited",
        PurchaseError::Unavailable(_) => "unavailable",
        PurchaseError::Unverified { .. } => "unverified",
        PurchaseError::Unexpected(_) => "unexpected",
    };
    found == name
}

#[tokio::test]
async fn a_refusal_means_the_same_whatever_was_asked() {
    let shop = Shop::open();
    shop.sell(Purchase::subscription("1", "pro"));
    for (status, code, name) in [
        (400, Some(4_000_000), "argument"),
        (400, Some(4_000_006), "argument"),
        (400, None, "argument"),
        (401, None, "credentials"),
        (401, Some(4_010_000), "credentials"),
        (403, Some(4_030_004), "ineligible"),
        (403, Some(4_030_005), "ineligible"),
        (403, Some(4_030_007), "ineligible"),
        (403, None, "unexpected"),
        (404, Some(4_040_001), "not found"),
        (404, Some(4_040_002), "unavailable"),
        (404, Some(4_040_003), "not found"),
        (404, Some(4_040_004), "unavailable"),
        (404, Some(4_040_005), "not found"),
        (404, Some(4_040_006), "unavailable"),
        (404, Some(4_040_010), "not found"),
        (404, None, "unexpected"),
        (418, None, "unexpected"),
        (301, None, "unexpected"),
        (429, Some(4_290_000), "limited"),
        (500, Some(5_000_000), "unavailable"),
        (500, Some(5_000_001), "unavailable"),
        (501, None, "unavailable"),
        (503, None, "unavailable"),
    ] {
        refuse(&shop, status, code);
        for (operation, ended) in all_operations(&shop).await {
            let error = ended.unwrap_err();
            assert!(is(&error, name), "{status} {code:?} on {operation}: {error:?}");
        }
        shop.simulator.recover();
    }
    for (operation, ended) in all_operations(&shop).await {
        assert!(ended.is_ok(), "{operation}: {ended:?}");
    }
}

#[tokio::test]
async fn an_argument_that_apple_refuses_is_named() {
    let shop = Shop::open();
    for (code, which) in [
        (4_000_005, PurchaseArgument::Revision),
        (4_000_006, PurchaseArgument::TransactionId),
        (4_000_008, PurchaseArgument::OriginalTransactionId),
        (4_000_009, PurchaseArgument::ExtensionDays),
        (4_000_010, PurchaseArgument::ExtensionReason),
        (4_000_011, PurchaseArgument::ExtensionRequestId),
        (4_000_012, PurchaseArgument::Unnamed),
    ] {
        refuse(&shop, 400, Some(code));
        let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
        let PurchaseError::InvalidArgument { which: named, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(named, which);
        shop.simulator.recover();
    }
    // One that only the store knows to be wrong.
    let error = shop.adapter.verify_transaction(id("not-digits")).await.unwrap_err();
    assert_eq!(error.to_string(), "the App Store refused the transaction id");
}

#[tokio::test]
async fn an_account_or_app_that_is_gone_is_told_from_a_transaction() {
    let shop = Shop::open();
    for (code, missing) in [
        (4_040_001, Missing::Account),
        (4_040_003, Missing::App),
        (4_040_010, Missing::Transaction(id("1"))),
    ] {
        refuse(&shop, 404, Some(code));
        let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
        let PurchaseError::NotFound { what, .. } = error else { panic!("{error:?}") };
        assert_eq!(what, missing);
        shop.simulator.recover();
    }
}

/// What the store asks to wait for when it answers 429.
async fn asked_wait(shop: &Shop, header: u64) -> Option<Duration> {
    shop.simulator.fail([Fault::RetryAfter(429, header)]);
    let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
    let PurchaseError::RateLimited { retry_after, .. } = error else { panic!("{error:?}") };
    retry_after
}

#[tokio::test]
async fn apple_tells_when_to_come_back_in_milliseconds_since_1970() {
    use portcullis_domain::ports::Clock;
    let shop = Shop::open();
    let now = u64::try_from(shop.clock.now().as_micros() / 1_000).unwrap();
    assert_eq!(asked_wait(&shop, now + 90_000).await, Some(Duration::from_secs(90)));
    assert_eq!(asked_wait(&shop, now - 90_000).await, Some(Duration::ZERO));
    let a_year = 365 * 24 * 3_600_000;
    assert_eq!(asked_wait(&shop, now + a_year).await, Some(Duration::from_hours(24)));
    // What stands between tells it in seconds.
    assert_eq!(asked_wait(&shop, 600).await, Some(Duration::from_mins(10)));
    assert_eq!(shop.asked(), 4);
}

#[tokio::test]
async fn a_short_wait_is_waited_for() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins"));
    shop.simulator.fail([Fault::RetryAfter(429, 1), Fault::RetryAfter(503, 0)]);
    shop.adapter.verify_transaction(id("1")).await.unwrap();
    assert_eq!(shop.asked(), 3);
}

#[tokio::test]
async fn wrong_credentials_are_told() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins"));
    let stranger = Shop::open();
    let wrong_key = shop.adapter_with(|mut settings| {
        settings.private_key.clone_from(&stranger.settings.private_key);
        settings
    });
    let wrong = |change: fn(&mut portcullis_appstore::AppStoreSettings)| {
        shop.adapter_with(|mut settings| {
            change(&mut settings);
            settings
        })
    };
    for adapter in [
        wrong_key,
        wrong(|settings| settings.key_id = "OTHER".to_owned()),
        wrong(|settings| settings.issuer_id = "other".to_owned()),
        wrong(|settings| settings.bundle_id = "com.example.other".to_owned()),
    ] {
        let error = adapter.verify_transaction(id("1")).await.unwrap_err();
        assert!(is(&error, "credentials"), "{error:?}");
        assert!(is(&adapter.check_connection().await.unwrap_err(), "credentials"));
    }
}

#[tokio::test]
async fn a_token_that_is_not_of_now_is_refused() {
    let shop = Shop::open();
    shop.adapter.check_connection().await.unwrap();
    let minute = 60_000;
    for ahead in [-minute, 6 * minute] {
        shop.simulator.with(|store| store.ahead = ahead);
        let error = shop.adapter.check_connection().await.unwrap_err();
        assert!(is(&error, "credentials"), "{error:?}");
    }
    shop.simulator.with(|store| store.ahead = 4 * minute);
    shop.adapter.check_connection().await.unwrap();
}

#[tokio::test]
async fn the_connection_is_good_if_the_store_lets_us_in() {
    let shop = Shop::open();
    shop.adapter.check_connection().await.unwrap();
    assert_eq!(shop.simulator.take_requests()[0].path[3], "0000000000000000");
    for (status, code, name) in [
        (401, None, "credentials"),
        (404, None, "unexpected"),
        (429, Some(4_290_000), "limited"),
        (500, Some(5_000_000), "unavailable"),
        (418, None, "unexpected"),
    ] {
        refuse(&shop, status, code);
        let error = shop.adapter.check_connection().await.unwrap_err();
        assert!(is(&error, name), "{status}: {error:?}");
        shop.simulator.recover();
    }
    for code in [4_000_006, 4_040_010] {
        refuse(&shop, u16::try_from(code / 10_000).unwrap(), Some(code));
        shop.adapter.check_connection().await.unwrap();
        shop.simulator.recover();
    }
}

#[tokio::test]
async fn no_error_tells_a_token_or_what_else_stands_in_a_refusal() {
    let shop = Shop::open();
    let body = json!({"errorCode": 4_000_000, "errorMessage": "Bearer eyJhbGciOiJFUzI1NiJ9.e30"});
    shop.simulator.fail([Fault::Refusal(400, body.to_string())]);
    let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
    let told = portcullis_domain::error::with_causes(&error);
    assert!(told.ends_with("HTTP 400, error 4000000: Bearer …"), "{told}");
    assert!(!format!("{error:?} {:?}", shop.adapter).contains("eyJ"));
}
