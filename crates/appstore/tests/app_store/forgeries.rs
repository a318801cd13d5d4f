//! Every forgery, wherever something signed is read.

use portcullis_domain::ports::{Flaw, Freshness, PurchaseError, Purchases};
use portcullis_domain::purchase::SignedPayload;
use portcullis_simulators::app_store::{AppStore, Forgery, Purchase};

use crate::shop::{Shop, id, payload, purchase};

/// What is wrong with each.
fn expected(forgery: Forgery) -> Flaw {
    match forgery {
        Forgery::ChangedPayload
        | Forgery::OtherKey
        | Forgery::NoAlgorithm
        | Forgery::SymmetricAlgorithm => Flaw::Signature,
        Forgery::CriticalHeader => Flaw::Form,
        Forgery::NoCertificates
        | Forgery::TwoCertificates
        | Forgery::FourCertificates
        | Forgery::NotACertificate
        | Forgery::ForeignRoot
        | Forgery::MixedChain
        | Forgery::LeafBelowRoot
        | Forgery::ExpiredLeaf
        | Forgery::FutureLeaf
        | Forgery::LeafNotMarked
        | Forgery::IntermediateNotMarked
        | Forgery::LeafMayNotSign
        | Forgery::IntermediateMayNotIssue
        | Forgery::IntermediateIsNoAuthority => Flaw::Certificates,
    }
}

fn signed(shop: &Shop, sign: impl FnOnce(&AppStore) -> String) -> SignedPayload {
    payload(&shop.simulator.with(|store| sign(store)))
}

#[tokio::test]
async fn no_forgery_is_believed_wherever_it_is_read() {
    let shop = Shop::open();
    let bought = Purchase::subscription("1", "pro.monthly");
    shop.sell(bought.clone());
    shop.sell(Purchase { revoked_at: Some(1), ..Purchase::consumable("2", "coins") });
    for forgery in Forgery::ALL {
        shop.simulator.with(|store| store.forgery = Some(*forgery));
        let transaction = signed(&shop, |store| store.transaction(&bought));
        let notification = shop.simulator.with(|store| store.notification("TEST", None));
        let notification = signed(&shop, |store| store.sign(&notification));
        let adapter = &shop.adapter;
        let read = [
            adapter.verify_transaction(id("1")).await.map(drop),
            adapter.decode_transaction(transaction).await.map(drop),
            adapter.decode_notification(notification).await.map(drop),
            adapter.transaction_history(purchase("1"), None).await.map(drop),
            adapter.refund_history(purchase("1"), None).await.map(drop),
            adapter.subscriptions(purchase("1"), Freshness::Fresh).await.map(drop),
        ];
        for (place, read) in read.into_iter().enumerate() {
            let PurchaseError::Unverified { flaw, .. } = read.unwrap_err() else {
                panic!("{forgery:?}, place {place}")
            };
            assert_eq!(flaw, expected(*forgery), "{forgery:?}, place {place}");
        }
    }
    shop.simulator.with(|store| store.forgery = None);
    assert!(shop.adapter.verify_transaction(id("1")).await.is_ok());
}

#[tokio::test]
async fn a_signature_of_another_length_is_refused() {
    let shop = Shop::open();
    let good = shop.signed(&Purchase::consumable("1", "coins"));
    let (message, signature) = good.as_str().rsplit_once('.').unwrap();
    for signature in [&signature[..84], &format!("{signature}AA"), "AAAA"] {
        let refused = payload(&format!("{message}.{signature}"));
        let error = shop.adapter.decode_transaction(refused).await.unwrap_err();
        assert!(
            matches!(error, PurchaseError::Unverified { flaw: Flaw::Signature, .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_jws_is_refused_for_its_form() {
    let shop = Shop::open();
    for text in ["a.b.c", "e30.e30.e30", "bm90IGpzb24.e30.AAAA", "W10.e30.AAAA"] {
        let refused = shop.adapter.decode_transaction(payload(text)).await.unwrap_err();
        let PurchaseError::Unverified { flaw, .. } = refused else { panic!("{text}") };
        let expected = if text == "e30.e30.e30" { Flaw::Signature } else { Flaw::Form };
        assert_eq!(flaw, expected, "{text}");
    }
}

#[tokio::test]
async fn a_renewal_is_no_transaction_and_a_transaction_no_notification() {
    let shop = Shop::open();
    let bought = Purchase::subscription("1", "pro");
    let renewal = signed(&shop, |store| store.renewal(&bought));
    let refused = shop.adapter.decode_transaction(renewal).await.unwrap_err();
    assert!(matches!(refused, PurchaseError::Unverified { flaw: Flaw::Bundle, .. }));
    let transaction = shop.signed(&bought);
    let refused = shop.adapter.decode_notification(transaction).await.unwrap_err();
    assert!(matches!(refused, PurchaseError::Unverified { flaw: Flaw::Bundle, .. }));
}
