//! A store that is away, slow or broken.

use std::time::{Duration, Instant};

use portcullis_domain::ports::{PurchaseError, Purchases};
use portcullis_simulators::Fault;
use portcullis_simulators::app_store::Purchase;
use serde_json::json;

use crate::shop::{Shop, id};

fn shop() -> Shop {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins"));
    shop
}

#[tokio::test]
async fn a_store_that_recovers_is_asked_again() {
    let shop = shop();
    for faults in [
        [Fault::Status(500), Fault::Status(503)],
        [Fault::Cut, Fault::Truncate],
        [Fault::Truncate, Fault::Status(502)],
    ] {
        shop.simulator.fail(faults);
        shop.adapter.verify_transaction(id("1")).await.unwrap();
        assert_eq!(shop.asked(), 3);
    }
}

#[tokio::test]
async fn a_store_that_stays_away_is_unavailable() {
    let shop = shop();
    for fault in [Fault::Cut, Fault::Truncate, Fault::Status(503)] {
        shop.simulator.fail([fault.clone(), fault.clone(), fault.clone()]);
        let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
        assert!(matches!(error, PurchaseError::Unavailable(_)), "{fault:?}: {error:?}");
    }
    let nobody = shop.adapter_with(|mut settings| {
        settings.base_url = Some("http://127.0.0.1:1".to_owned());
        settings
    });
    let error = nobody.verify_transaction(id("1")).await.unwrap_err();
    assert!(matches!(error, PurchaseError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn a_store_that_hangs_is_not_waited_for() {
    let shop = shop();
    let hasty = shop.adapter_with(|mut settings| {
        settings.deadline = Duration::from_millis(400);
        settings
    });
    shop.simulator.fail([Fault::Hang(Duration::from_secs(30))]);
    let started = Instant::now();
    let error = hasty.verify_transaction(id("1")).await.unwrap_err();
    assert!(matches!(error, PurchaseError::Unavailable(_)), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_answer_that_is_not_as_published_is_unexpected() {
    let shop = shop();
    for body in ["", "{}", "[]", "<html>", "{\"signedTransactionInfo\":7}"] {
        shop.simulator.fail([Fault::Refusal(200, body.to_owned())]);
        let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
        assert!(matches!(error, PurchaseError::Unexpected(_)), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let shop = shop();
    let endless = json!({"signedTransactionInfo": "a".repeat(9 * 1024 * 1024)});
    shop.simulator.fail([Fault::Refusal(200, endless.to_string())]);
    let error = shop.adapter.verify_transaction(id("1")).await.unwrap_err();
    assert!(matches!(error, PurchaseError::Unexpected(_)), "{error:?}");
}
