//! Purchases in an App Store that is as strict as Apple's.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use portcullis_simulators::app_store::{AppStore, Forgery, Purchase};
use portcullis_simulators::{Fault, Simulator};
use portcullis_tests::{Answer, LoggedIn, Server};
use reqwest::Method;
use serde_json::{Value, json};

const CLAIM: &str = "/api/v1/purchases/app-store";
const NOTIFY: &str = "/api/v1/purchases/app-store/notifications";
const BUNDLE: &str = "com.example.app";

/// An App Store, and what a server has to be told to use it.
pub(crate) struct Apple {
    store: Simulator<AppStore>,
    settings: Vec<(&'static str, String)>,
    _folder: tempfile::TempDir,
}

impl Apple {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root: PathBuf = folder.path().join("root.pem");
        let store = Simulator::start(AppStore::new(BUNDLE, 1_234, "Production"));
        let (key, key_id, issuer) = store.with(|store| {
            store.authority.write_root(&root);
            let credentials = &store.credentials;
            (credentials.private_key(), credentials.key_id.clone(), credentials.issuer_id.clone())
        });
        let settings = vec![
            ("APP_STORE_BUNDLE_ID", BUNDLE.to_owned()),
            ("APP_STORE_APP_ID", "1234".to_owned()),
            ("APP_STORE_KEY_ID", key_id),
            ("APP_STORE_ISSUER_ID", issuer),
            ("APP_STORE_PRIVATE_KEY", key),
            ("APP_STORE_BASE_URL", store.url()),
            ("APP_STORE_ROOT_CERTIFICATES", root.to_str().unwrap().to_owned()),
        ];
        Self { store, settings, _folder: folder }
    }

    pub(crate) fn settings(&self) -> Vec<(&str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

struct Shop {
    apple: Apple,
    server: Server,
}

impl Shop {
    async fn open() -> Self {
        let apple = Apple::start();
        let server = Server::start_with(&apple.settings()).await;
        Self { apple, server }
    }

    fn sell(&self, purchase: &Purchase) {
        self.apple.store.with(|apple| apple.sell(purchase.clone()));
    }

    /// What Apple sends about a purchase.
    fn notification(&self, kind: &str, about: Option<&Purchase>) -> String {
        self.apple.store.with(|apple| apple.sign(&apple.notification(kind, about)))
    }

    async fn notify(&self, signed: &str) -> Answer {
        self.server.anonymous().post(NOTIFY, &json!({"signedPayload": signed})).await
    }
}

async fn claim(caller: &LoggedIn, body: &Value) -> Answer {
    Answer::to(caller.request(Method::POST, CLAIM).json(body)).await
}

async fn claim_id(caller: &LoggedIn, id: &str) -> Answer {
    claim(caller, &json!({"transaction_id": id})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_confirmed_noted_renewed_and_taken_back() {
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    let mut month = Purchase::subscription("2000000001", "pro.monthly");
    shop.sell(&month);
    let product = json!({"transaction_id": "2000000001", "product_id": "pro.monthly"});
    let noted = claim(&ann, &product).await.expect(200);
    noted.has_exactly(&[
        "original_transaction_id",
        "product_id",
        "environment",
        "is_active",
        "purchased_at",
        "expires_at",
        "revoked_at",
    ]);
    assert_eq!((noted.str("/environment"), &noted.body["is_active"]), ("Production", &json!(true)));
    assert_eq!(claim(&ann, &product).await.expect(200).body, noted.body);

    // The next month is another transaction of the same purchase.
    month.id = "2000000002".to_owned();
    month.purchased_at += 1_000;
    month.expires_at = month.expires_at.map(|end| end + 30 * 24 * 3_600_000);
    let renewed = shop.notification("DID_RENEW", Some(&month));
    shop.notify(&renewed).await.is(204);
    let list = ann.get("/api/v1/purchases").await.expect(200);
    assert_eq!(list.body.as_array().unwrap().len(), 1);
    assert!(list.str("/0/expires_at") > noted.str("/expires_at"));

    // Apple may repeat itself, and tell old news last.
    let refunded = Purchase { revoked_at: Some(month.purchased_at + 1), ..month };
    shop.notify(&shop.notification("REFUND", Some(&refunded))).await.is(204);
    shop.notify(&renewed).await.is(204);
    let list = ann.get("/api/v1/purchases").await.expect(200);
    assert_eq!(list.body[0]["is_active"], false);
    assert!(list.body[0]["revoked_at"].is_string());
}

/// Whoever pays keeps what they paid for, whatever is said of earlier months.
#[tokio::test(flavor = "multi_thread")]
async fn news_of_an_earlier_month_end_no_later_one() {
    const MONTH: i64 = 30 * 24 * 3_600_000;
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    let now = Purchase::subscription("1", "pro.monthly");
    let before = Purchase {
        purchased_at: now.purchased_at - MONTH,
        expires_at: now.expires_at.map(|end| end - MONTH),
        ..now.clone()
    };
    let now = Purchase { id: "2".to_owned(), ..now };
    for purchase in [&before, &now] {
        shop.sell(purchase);
    }
    let noted = claim_id(&ann, "2").await.expect(200);
    assert_eq!(noted.body["is_active"], true);
    let refunded = Purchase { revoked_at: Some(before.purchased_at + 1), ..before };
    shop.notify(&shop.notification("REFUND", Some(&refunded))).await.is(204);
    assert_eq!(claim_id(&ann, "1").await.expect(200).body, noted.body);
    assert_eq!(ann.get("/api/v1/purchases").await.expect(200).body, json!([noted.body]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_not_paid_is_good_for_the_period_of_grace() {
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    let mut month = Purchase::subscription("1", "pro.monthly");
    month.expires_at = Some(month.purchased_at + 1);
    shop.sell(&month);
    assert_eq!(claim_id(&ann, "1").await.expect(200).body["is_active"], false);
    let notification = shop.apple.store.with(|apple| {
        let mut renewal = month.renewal(&apple.store);
        renewal["gracePeriodExpiresDate"] = (month.purchased_at + 16 * 24 * 3_600_000).into();
        let mut notification = apple.notification("DID_FAIL_TO_RENEW", Some(&month));
        notification["data"]["signedRenewalInfo"] = apple.sign(&renewal).into();
        apple.sign(&notification)
    });
    shop.notify(&notification).await.is(204);
    let list = ann.get("/api/v1/purchases").await.expect(200);
    assert_eq!(list.body[0]["is_active"], true);
    // Whoever asks for the transaction alone is not told of the grace.
    assert_eq!(claim_id(&ann, "1").await.expect(200).body["is_active"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_one_accounts() {
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    let bob = shop.server.logged_in("bob@example.com").await;
    shop.sell(&Purchase::consumable("1", "coins"));
    claim_id(&ann, "1").await.is(200);
    claim_id(&bob, "1").await.is_refused(409, "PURCHASE_TAKEN");
    // The app said whose it is.
    let bobs = bob.me().await.str("/id").to_owned();
    shop.sell(&Purchase::consumable("2", "coins").with("appAccountToken", bobs));
    claim_id(&ann, "2").await.is_refused(409, "PURCHASE_TAKEN");
    claim_id(&bob, "2").await.is(200);
    assert_eq!(bob.get("/api/v1/purchases").await.body.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_purchase_is_told() {
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    shop.sell(&Purchase::consumable("1", "coins"));
    claim_id(&ann, "404").await.is_refused(404, "NOT_FOUND");
    claim(&ann, &json!({})).await.is_missing(&["transaction_id"]);
    claim_id(&ann, "  ").await.is_invalid(&["transaction_id"]);
    let other = claim(&ann, &json!({"transaction_id": "1", "product_id": "gems"})).await;
    other.is_invalid(&["product_id"]);
    assert!(other.text.contains("Expected 'gems', but transaction has 'coins'"), "{other:?}");
    let path = shop.server.anonymous().request(Method::POST, CLAIM);
    Answer::to(path.json(&json!({"transaction_id": "1"})))
        .await
        .is_refused(403, "NOT_AUTHENTICATED");
    assert_eq!(ann.get("/api/v1/purchases").await.expect(200).body, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_apples_notifications_are_believed() {
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    let purchase = Purchase::subscription("1", "pro.monthly");
    shop.sell(&purchase);
    let noted = claim_id(&ann, "1").await.expect(200);
    let refunded = Purchase { revoked_at: Some(purchase.purchased_at + 1), ..purchase };
    for &forgery in Forgery::ALL {
        let forged = shop.apple.store.with(|apple| {
            apple.forgery = Some(forgery);
            let forged = apple.sign(&apple.notification("REFUND", Some(&refunded)));
            apple.forgery = None;
            forged
        });
        shop.notify(&forged).await.is_refused(401, "INVALID_TOKEN");
    }
    let elsewhere = AppStore::new("com.example.other", 1_234, "Production");
    let stranger = elsewhere.sign(&elsewhere.notification("REFUND", Some(&refunded)));
    shop.notify(&stranger).await.is_refused(401, "INVALID_TOKEN");
    shop.notify("").await.is_invalid(&["signedPayload"]);
    let list = ann.get("/api/v1/purchases").await.expect(200);
    assert_eq!(list.body[0], noted.body);
    // A test from App Store Connect is about nothing.
    shop.notify(&shop.notification("TEST", None)).await.is(204);
    // What nobody noted is nobody's.
    let unknown = Purchase::subscription("77", "pro.monthly");
    shop.notify(&shop.notification("SUBSCRIBED", Some(&unknown))).await.is(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apple_that_is_away_or_refuses_our_key_is_503_and_the_purchase_waits() {
    let shop = Shop::open().await;
    let ann = shop.server.logged_in("ann@example.com").await;
    shop.sell(&Purchase::consumable("1", "coins"));
    for faults in [
        vec![Fault::Status(500); 3],
        vec![Fault::RetryAfter(429, 600)],
        vec![Fault::Status(401)],
        vec![Fault::Cut; 3],
        vec![Fault::Truncate; 3],
    ] {
        shop.apple.store.fail(faults.clone());
        let away = claim_id(&ann, "1").await;
        away.is_refused(503, "SERVICE_UNAVAILABLE");
        shop.apple.store.recover();
    }
    shop.apple.store.fail([Fault::Hang(Duration::from_mins(1))]);
    let started = Instant::now();
    claim_id(&ann, "1").await.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    shop.apple.store.recover();
    shop.apple.store.with(|apple| apple.forgery = Some(Forgery::ALL[0]));
    claim_id(&ann, "1").await.is_refused(503, "SERVICE_UNAVAILABLE");
    shop.apple.store.with(|apple| apple.forgery = None);
    claim_id(&ann, "1").await.is(200);
}
