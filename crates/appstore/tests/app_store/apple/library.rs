//! Apple's library for Python.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_domain::ports::Purchases;
use portcullis_domain::purchase::AppStoreEnvironment;
use portcullis_simulators::app_store::{Authority, Forgery, Purchase};
use serde_json::{Value, json};

use crate::shop::{APP_ID, BUNDLE, Shop, payload};

/// A Python that has Apple's library: what `tests/run.sh` names or installed.
fn python() -> PathBuf {
    if let Some(path) = std::env::var_os("APPLE_LIBRARY_PYTHON") {
        return path.into();
    }
    let installed =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/app-store-server-library/bin/python");
    let installed = PathBuf::from(installed);
    if installed.exists() { installed } else { "python3".into() }
}

/// Gives a script its question and returns its answer.
fn ask(script: &str, question: &Value) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/apple").join(script);
    let mut command = Command::new(python());
    command.arg(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("Python is needed, with Apple's library, which tests/run.sh installs: {error}")
    });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(question.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "Apple's library is needed (app-store-server-library from PyPI, which tests/run.sh \
         installs), and the script must succeed: {told}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What Apple's library thinks of payloads: `OK` or the name of its error.
fn judged(shop: &Shop, payloads: &[(&str, String)]) -> Vec<String> {
    let root = shop.simulator.with(|store| STANDARD.encode(store.authority.root()));
    let question = json!({
        "root": root,
        "environment": shop.settings.environment.as_str(),
        "bundle_id": BUNDLE,
        "app_id": APP_ID,
        "payloads": payloads,
    });
    let verdicts = ask("judge.py", &question);
    let verdicts = verdicts.as_array().unwrap().iter();
    verdicts.map(|verdict| verdict[0].as_str().unwrap().to_owned()).collect()
}

/// Whether the adapter believes a payload; a renewal is read within a
/// notification.
async fn believed(shop: &Shop, kind: &str, text: &str) -> bool {
    match kind {
        "transaction" => shop.adapter.decode_transaction(payload(text)).await.is_ok(),
        "notification" => shop.adapter.decode_notification(payload(text)).await.is_ok(),
        _ => {
            let notification = shop.simulator.with(|store| {
                let mut notification = store.notification("DID_RENEW", None);
                notification["data"]["signedRenewalInfo"] = text.into();
                store.authority.sign(&notification)
            });
            shop.adapter.decode_notification(payload(&notification)).await.is_ok()
        }
    }
}

/// Payloads of each kind, as `sign` signs them.
fn of_each_kind(shop: &Shop, sign: impl Fn(&Authority, &Value) -> String) -> [(&str, String); 3] {
    let bought = Purchase::subscription("1", "pro.monthly");
    shop.simulator.with(|store| {
        let notification = store.notification("DID_RENEW", Some(&bought));
        let sign = |payload: &Value| sign(&store.authority, payload);
        [
            ("transaction", sign(&bought.transaction(&store.store))),
            ("renewal", sign(&bought.renewal(&store.store))),
            ("notification", sign(&notification)),
        ]
    })
}

#[tokio::test]
async fn apple_believes_what_the_simulator_signs_and_so_do_we() {
    for shop in [Shop::open(), Shop::in_production()] {
        let payloads = of_each_kind(&shop, Authority::sign);
        assert_eq!(judged(&shop, &payloads), ["OK", "OK", "OK"]);
        for (kind, text) in &payloads {
            assert!(believed(&shop, kind, text).await, "{kind}");
        }
    }
}

/// Apple's library does not look whether the leaf may sign.
const STRICTER_HERE: Forgery = Forgery::LeafMayNotSign;

#[tokio::test]
async fn apple_refuses_what_we_refuse() {
    let shop = Shop::open();
    let forged = |forgery: &Forgery| {
        let payloads = of_each_kind(&shop, |authority, payload| authority.forge(payload, *forgery));
        payloads.map(|payload| (*forgery, payload))
    };
    let (forgeries, payloads): (Vec<_>, Vec<_>) = Forgery::ALL.iter().flat_map(forged).unzip();
    let verdicts = judged(&shop, &payloads);
    for ((forgery, (kind, text)), verdict) in forgeries.iter().zip(&payloads).zip(verdicts) {
        assert!(!believed(&shop, kind, text).await, "{forgery:?} {kind}");
        assert_eq!(verdict == "OK", *forgery == STRICTER_HERE, "{forgery:?} {kind}");
    }
}

#[tokio::test]
async fn apple_and_we_agree_whose_payloads_these_are() {
    let shop = Shop::in_production();
    let bought = Purchase::subscription("1", "pro.monthly");
    let store = shop.simulator.with(|store| store.store.clone());
    let test = shop.simulator.with(|store| store.notification("TEST", None));
    let mut payloads = Vec::new();
    for (field, value) in [
        ("bundleId", json!("com.example.other")),
        ("bundleId", Value::Null),
        ("environment", json!("Sandbox")),
        ("appAppleId", json!(APP_ID + 1)),
        ("appAppleId", Value::Null),
    ] {
        let mut transaction = bought.transaction(&store);
        transaction[field] = value.clone();
        let mut notification = test.clone();
        notification["data"][field] = value.clone();
        shop.simulator.with(|store| {
            payloads.push(("transaction", store.authority.sign(&transaction)));
            payloads.push(("notification", store.authority.sign(&notification)));
        });
    }
    let verdicts = judged(&shop, &payloads);
    for ((kind, text), verdict) in payloads.iter().zip(&verdicts) {
        assert_eq!(believed(&shop, kind, text).await, verdict == "OK", "{kind}: {verdict}");
    }
    // A transaction names no app id; all else was refused.
    assert_eq!(verdicts.iter().filter(|verdict| *verdict == "OK").count(), 2);
}

#[tokio::test]
async fn apple_and_we_agree_on_time() {
    let shop = Shop::of(AppStoreEnvironment::Sandbox, Authority::of_2020_and_2021());
    let mut payloads = Vec::new();
    for signed_at in ["2019-12-31", "2020-01-02", "2021-12-30", "2022-01-01", "2026-01-01"] {
        let moment = portcullis_domain::Timestamp::parse(&format!("{signed_at}T12:00:00Z"));
        let signed_at = Some(moment.unwrap().as_micros() / 1_000);
        let bought = Purchase { signed_at, ..Purchase::consumable("1", "coins") };
        payloads.push(("transaction", shop.simulator.with(|store| store.transaction(&bought))));
    }
    let verdicts = judged(&shop, &payloads);
    for ((_, text), verdict) in payloads.iter().zip(&verdicts) {
        assert_eq!(believed(&shop, "transaction", text).await, verdict == "OK", "{verdict}");
    }
    assert_eq!(verdicts.iter().filter(|verdict| *verdict == "OK").count(), 2);
}

#[test]
fn apples_own_client_is_content_with_the_simulator() {
    let shop = Shop::open();
    shop.sell(Purchase::subscription("1", "pro.monthly"));
    shop.sell(Purchase { revoked_at: Some(1), ..Purchase::consumable("2", "coins") });
    shop.simulator.with(|store| store.page_size = 1);
    let question = shop.simulator.with(|store| {
        json!({
            "root": STANDARD.encode(store.authority.root()),
            "private_key": store.credentials.private_key(),
            "key_id": store.credentials.key_id,
            "issuer_id": store.credentials.issuer_id,
            "bundle_id": BUNDLE,
        })
    });
    let mut question = question;
    question["url"] = shop.simulator.url().into();
    let told = ask("client.py", &question);
    let expected = json!({
        "transaction": "1",
        "history": [["1"], ["2"]],
        "refunds": [["2"]],
        "status": ["1", "ACTIVE", "1", "pro.monthly"],
        "extension": [true, true],
        "refusals": [
            [404, "TRANSACTION_ID_NOT_FOUND"],
            [400, "INVALID_TRANSACTION_ID"],
            [400, "INVALID_REQUEST_REVISION"],
            [400, "INVALID_EXTEND_BY_DAYS"],
            [400, "INVALID_REQUEST_IDENTIFIER"],
            [401, null],
        ],
    });
    assert_eq!(told, expected);
}
