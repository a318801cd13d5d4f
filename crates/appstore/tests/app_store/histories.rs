//! Lists, page by page.

use std::collections::BTreeSet;

use portcullis_domain::ports::{Flaw, Missing, PurchaseArgument, PurchaseError, Purchases};
use portcullis_domain::purchase::Revision;
use portcullis_simulators::Fault;
use portcullis_simulators::app_store::{Forgery, Purchase};
use serde_json::json;

use crate::shop::{Shop, flaw, purchase};

/// A customer with 45 purchases, every third of which was refunded, and another.
fn busy_shop() -> Shop {
    let shop = Shop::open();
    for number in 1..=45 {
        let bought = Purchase::consumable(&number.to_string(), "coins");
        let revoked_at = (number % 3 == 0).then_some(bought.purchased_at);
        shop.sell(Purchase { revoked_at, ..bought });
    }
    shop.sell(Purchase { customer: 2, ..Purchase::consumable("99", "coins") });
    shop
}

#[tokio::test]
async fn the_history_is_read_page_by_page_to_its_end() {
    let shop = busy_shop();
    let (mut ids, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = shop.adapter.transaction_history(purchase("7"), from).await.unwrap();
        ids.extend(page.transactions.into_iter().map(|transaction| transaction.id.to_string()));
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let all: Vec<_> = (1..=45).map(|number| number.to_string()).collect();
    assert_eq!((ids, pages), (all, 3));
}

#[tokio::test]
async fn the_last_page_tells_where_to_go_on_when_there_is_more() {
    let shop = busy_shop();
    let page = shop.adapter.transaction_history(purchase("99"), None).await.unwrap();
    assert_eq!((page.transactions.len(), page.next), (1, None));
    shop.sell(Purchase { customer: 2, ..Purchase::consumable("100", "coins") });
    let news = shop.adapter.transaction_history(purchase("99"), page.revision).await.unwrap();
    assert_eq!(news.transactions[0].id.as_str(), "100");
}

#[tokio::test]
async fn refunds_are_read_page_by_page() {
    let shop = busy_shop();
    shop.simulator.with(|store| store.page_size = 10);
    let first = shop.adapter.refund_history(purchase("1"), None).await.unwrap();
    let second = shop.adapter.refund_history(purchase("1"), first.next).await.unwrap();
    assert_eq!((first.transactions.len(), second.transactions.len()), (10, 5));
    assert_eq!(second.next, None);
    let both = first.transactions.iter().chain(&second.transactions);
    assert!(both.clone().all(|transaction| transaction.revocation.is_some()));
    assert_eq!(both.map(|one| one.id.to_string()).collect::<BTreeSet<_>>().len(), 15);
}

#[tokio::test]
async fn a_revision_that_is_not_apples_is_refused_by_name() {
    let shop = busy_shop();
    let foreign = Revision::parse("not-apples&x=1").unwrap();
    for refused in [
        shop.adapter.transaction_history(purchase("1"), Some(foreign.clone())).await,
        shop.adapter.refund_history(purchase("1"), Some(foreign.clone())).await,
    ] {
        let error = refused.unwrap_err();
        let PurchaseError::InvalidArgument { which, .. } = error else { panic!("{error:?}") };
        assert_eq!(which, PurchaseArgument::Revision);
    }
    let query = &shop.simulator.take_requests()[0].query;
    assert_eq!(*query, [("revision".to_owned(), "not-apples&x=1".to_owned())]);
}

#[tokio::test]
async fn a_purchase_that_is_not_there_is_named() {
    let shop = busy_shop();
    let missing = Missing::Purchase(purchase("404"));
    for absent in [
        shop.adapter.transaction_history(purchase("404"), None).await,
        shop.adapter.refund_history(purchase("404"), None).await,
    ] {
        let error = absent.unwrap_err();
        assert!(
            matches!(&error, PurchaseError::NotFound { what, .. } if *what == missing),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn one_forged_transaction_spoils_its_page() {
    let shop = busy_shop();
    let good = shop.simulator.with(|store| store.transaction(&Purchase::consumable("1", "coins")));
    shop.simulator.with(|store| store.forgery = Some(Forgery::ForeignRoot));
    let forged =
        shop.simulator.with(|store| store.transaction(&Purchase::consumable("2", "coins")));
    let page = json!({"revision": "r", "hasMore": false, "signedTransactions": [good, forged]});
    shop.simulator.fail([Fault::Refusal(200, page.to_string())]);
    let page = shop.adapter.transaction_history(purchase("1"), None).await;
    assert_eq!(flaw(page), Some(Flaw::Certificates));
}

#[tokio::test]
async fn a_page_that_is_not_as_published_is_unexpected() {
    let shop = busy_shop();
    for page in [
        json!({"revision": "r", "hasMore": false}),
        json!({"revision": "r", "signedTransactions": []}),
        json!({"hasMore": true, "signedTransactions": []}),
        json!({"revision": "two words", "hasMore": true, "signedTransactions": []}),
        json!([]),
    ] {
        shop.simulator.fail([Fault::Refusal(200, page.to_string())]);
        let error = shop.adapter.transaction_history(purchase("1"), None).await.unwrap_err();
        assert!(matches!(error, PurchaseError::Unexpected(_)), "{page}: {error:?}");
    }
}
