//! Transactions, asked for and handed in.

use std::time::Duration;

use portcullis_domain::ports::{Flaw, Missing, PurchaseError, Purchases};
use portcullis_domain::purchase::{
    AppStoreEnvironment, Ownership, Price, ProductId, ProductType, RevocationReason, latest,
};
use portcullis_domain::{PurchaseState, Timestamp};
use portcullis_simulators::app_store::{Authority, Purchase};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::shop::{BUNDLE, Shop, flaw, id};

#[tokio::test]
async fn a_transaction_is_fetched_and_read_whole() {
    let shop = Shop::open();
    let account = Uuid::from_u128(7);
    let bought = Purchase {
        original_id: "2000000000000001".to_owned(),
        revoked_at: Some(1_800_000_000_500),
        ..Purchase::subscription("2000000000000002", "pro.monthly")
    };
    shop.sell(bought.clone().with("appAccountToken", account.to_string()));
    let transaction = shop.adapter.verify_transaction(id("2000000000000002")).await.unwrap();
    let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
    assert_eq!(transaction.id.as_str(), "2000000000000002");
    assert_eq!(transaction.original_id.as_str(), "2000000000000001");
    assert_eq!(transaction.product.as_str(), "pro.monthly");
    assert_eq!(transaction.product_type, ProductType::AutoRenewableSubscription);
    assert_eq!(transaction.bundle.as_str(), BUNDLE);
    assert_eq!(transaction.environment, AppStoreEnvironment::Sandbox);
    assert_eq!(transaction.purchased_at, at(bought.purchased_at));
    assert_eq!(transaction.originally_purchased_at, Some(at(bought.purchased_at)));
    assert_eq!(transaction.expires_at, bought.expires_at.map(at));
    let revocation = transaction.revocation.unwrap();
    assert_eq!(revocation.at, at(1_800_000_000_500));
    assert_eq!(revocation.reason, Some(RevocationReason::Issue));
    assert_eq!(transaction.app_account_token, Some(account));
    assert_eq!((transaction.quantity, transaction.is_upgraded), (1, false));
    assert_eq!(transaction.ownership, Ownership::Purchased);
    let price = Price { milliunits: 9_990, currency: "EUR".to_owned() };
    assert_eq!(transaction.price, Some(price));
    assert_eq!(transaction.storefront.as_deref(), Some("FRA"));
    assert_eq!(transaction.subscription_group.as_deref(), Some("20900000"));
    let again = shop.adapter.decode_transaction(transaction.signed.clone()).await.unwrap();
    assert_eq!(again, transaction);
}

#[tokio::test]
async fn a_request_names_the_app_and_nothing_else_is_sent() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins"));
    shop.adapter.verify_transaction(id("1")).await.unwrap();
    let requests = shop.simulator.take_requests();
    assert_eq!(requests[0].path.join("/"), "inApps/v1/transactions/1");
    assert!(requests[0].query.is_empty() && requests[0].body.is_empty());
}

#[tokio::test]
async fn a_transaction_may_be_asked_for_by_the_purchase_it_goes_back_to() {
    let shop = Shop::open();
    // Apple may answer with the latest of that purchase.
    shop.sell(Purchase::consumable("10", "coins").with("transactionId", "11"));
    let transaction = shop.adapter.verify_transaction(id("10")).await.unwrap();
    assert_eq!(transaction.id.as_str(), "11");
}

#[tokio::test]
async fn another_transaction_than_asked_for_is_refused() {
    let shop = Shop::open();
    let other = Purchase::consumable("12", "coins");
    shop.sell(other.with("transactionId", "13").with("originalTransactionId", "13"));
    let refused = shop.adapter.verify_transaction(id("12")).await;
    assert_eq!(flaw(refused), Some(Flaw::Subject));
}

#[tokio::test]
async fn a_transaction_that_is_not_there_is_named() {
    let shop = Shop::open();
    let error = shop.adapter.verify_transaction(id("404")).await.unwrap_err();
    let PurchaseError::NotFound { what, source } = error else { panic!("{error:?}") };
    assert_eq!(what, Missing::Transaction(id("404")));
    assert_eq!(source.to_string(), "HTTP 404, error 4040010: Transaction id not found.");
}

#[tokio::test]
async fn the_product_is_checked_and_both_are_told() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins.10"));
    let transaction = shop.adapter.verify_transaction(id("1")).await.unwrap();
    let product = |text| ProductId::parse(text).unwrap();
    transaction.check_product(&product("coins.10")).unwrap();
    assert_eq!(
        transaction.check_product(&product("coins.99")).unwrap_err().to_string(),
        "Product ID mismatch. Expected 'coins.99', but transaction has 'coins.10'"
    );
}

#[tokio::test]
async fn what_was_signed_with_certificates_since_expired_is_still_good() {
    let shop = Shop::of(AppStoreEnvironment::Sandbox, Authority::of_2020_and_2021());
    let signed_at = |year_and_a_half: i64| Purchase {
        signed_at: Some(1_577_836_800_000 + year_and_a_half * 46_000_000_000),
        ..Purchase::consumable("1", "coins")
    };
    let then = shop.adapter.decode_transaction(shop.signed(&signed_at(1))).await.unwrap();
    assert_eq!(then.signed_at, Timestamp::parse("2021-06-16T09:46:40Z").unwrap());
    let later = shop.adapter.decode_transaction(shop.signed(&signed_at(2))).await;
    assert_eq!(flaw(later), Some(Flaw::Certificates));
    let earlier = shop.adapter.decode_transaction(shop.signed(&signed_at(-1))).await;
    assert_eq!(flaw(earlier), Some(Flaw::Certificates));
}

#[tokio::test]
async fn fields_that_must_be_there_are_missed() {
    let shop = Shop::open();
    for field in [
        "transactionId",
        "originalTransactionId",
        "productId",
        "type",
        "purchaseDate",
        "signedDate",
    ] {
        for value in [Value::Null, json!({}), json!(""), json!(" ")] {
            if field == "type" && value.is_string() {
                continue;
            }
            let bought = Purchase::consumable("1", "coins").with(field, value.clone());
            let refused = shop.adapter.decode_transaction(shop.signed(&bought)).await;
            assert_eq!(flaw(refused), Some(Flaw::Form), "{field} is {value}");
        }
    }
    for (field, value) in [
        ("quantity", json!(-1)),
        ("appAccountToken", json!("7")),
        ("expiresDate", json!("soon")),
        ("transactionId", json!("1/../2")),
    ] {
        let bought = Purchase::consumable("1", "coins").with(field, value);
        let refused = shop.adapter.decode_transaction(shop.signed(&bought)).await;
        assert_eq!(flaw(refused), Some(Flaw::Form), "{field}");
    }
}

#[tokio::test]
async fn what_apple_adds_later_is_kept_by_its_name() {
    let shop = Shop::open();
    let bought = Purchase::consumable("1", "coins")
        .with("type", "Rental")
        .with("inAppOwnershipType", "LENT")
        .with("something", json!({"new": true}));
    let transaction = shop.adapter.decode_transaction(shop.signed(&bought)).await.unwrap();
    assert_eq!(transaction.product_type, ProductType::Other("Rental".to_owned()));
    assert_eq!(transaction.ownership, Ownership::Other("LENT".to_owned()));
}

#[tokio::test]
async fn a_refund_takes_away_what_was_bought_and_the_latest_is_found() {
    let shop = Shop::open();
    let first = Purchase::subscription("1", "pro.monthly");
    let refunded = Purchase {
        purchased_at: first.purchased_at + 1,
        revoked_at: Some(first.purchased_at + 2),
        ..Purchase::subscription("2", "pro.monthly")
    };
    let decode = async |purchase: &Purchase| {
        shop.adapter.decode_transaction(shop.signed(purchase)).await.unwrap()
    };
    let bought = [decode(&refunded).await, decode(&first).await];
    assert_eq!(latest(&bought).unwrap().id.as_str(), "2");
    let now = Timestamp::from_micros(first.purchased_at * 1_000) + Duration::from_mins(1);
    let is_good = bought.map(|bought| PurchaseState::from(bought).is_good_at(now));
    assert_eq!(is_good, [false, true]);
}
