//! Settings that can be used, and those that cannot.

use std::time::Duration;

use portcullis_appstore::{AppStore, AppStoreSettings, InvalidAppStoreSettings};
use portcullis_domain::ports::Purchases;
use portcullis_simulators::app_store::Purchase;
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384};

use crate::shop::{Shop, id};

fn refused(shop: &Shop, change: impl FnOnce(&mut AppStoreSettings)) -> InvalidAppStoreSettings {
    let mut settings = shop.settings.clone();
    change(&mut settings);
    AppStore::new(&settings, shop.clock.clone()).unwrap_err()
}

#[test]
fn each_mistake_has_a_name() {
    use InvalidAppStoreSettings as Invalid;
    let shop = Shop::in_production();
    assert!(matches!(refused(&shop, |s| s.private_key = None), Invalid::MissingPrivateKey));
    let other_curve = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    for key in ["", "-----BEGIN PRIVATE KEY-----", &other_curve] {
        let error = refused(&shop, |s| s.private_key = Some(key.into()));
        assert!(matches!(error, Invalid::PrivateKey), "{error:?}");
    }
    for text in ["", " ", "a b", "ä"] {
        assert!(matches!(refused(&shop, |s| s.key_id = text.to_owned()), Invalid::KeyId));
        assert!(matches!(refused(&shop, |s| s.issuer_id = text.to_owned()), Invalid::IssuerId));
        assert!(matches!(refused(&shop, |s| s.bundle_id = text.to_owned()), Invalid::BundleId(_)));
    }
    assert!(matches!(refused(&shop, |s| s.app_id = None), Invalid::MissingAppId));
    for url in ["", "http://api.storekit.apple.com", "ftp://localhost"] {
        let error = refused(&shop, |s| s.base_url = Some(url.to_owned()));
        assert!(matches!(error, Invalid::BaseUrl(_)), "{url}");
    }
    let error = refused(&shop, |s| s.deadline = Duration::ZERO);
    assert!(matches!(error, Invalid::Client(_)));
    let missing = shop.folder().join("missing");
    let error = refused(&shop, |s| s.root_certificates_path = Some(missing.clone()));
    assert!(matches!(error, Invalid::RootCertificates { path, .. } if path == missing));
    let error = refused(&shop, |s| s.private_key_path = Some(missing.clone()));
    let told = error.to_string();
    assert!(matches!(error, Invalid::PrivateKeyFile { path, .. } if path == missing));
    assert!(told.starts_with("the App Store's private key cannot be read from "), "{told}");
}

#[test]
fn the_sandbox_needs_no_app_id() {
    let shop = Shop::open();
    shop.adapter_with(|settings| AppStoreSettings { app_id: None, ..settings });
}

#[tokio::test]
async fn a_key_is_read_from_its_file_or_from_one_line() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins"));
    let text = shop.simulator.with(|store| store.credentials.private_key());
    let file = shop.folder().join("SubscriptionKey.p8");
    std::fs::write(&file, &text).unwrap();
    let from_file = shop.adapter_with(|settings| AppStoreSettings {
        private_key: Some("not looked at".into()),
        private_key_path: Some(file),
        ..settings
    });
    from_file.verify_transaction(id("1")).await.unwrap();
    let one_line = text.replace('\n', "\\n");
    assert_eq!(one_line.lines().count(), 1);
    let from_line = shop.adapter_with(|settings| AppStoreSettings {
        private_key: Some(one_line.into()),
        ..settings
    });
    from_line.verify_transaction(id("1")).await.unwrap();
}

#[tokio::test]
async fn without_a_file_of_other_roots_only_apple_is_believed() {
    let shop = Shop::open();
    shop.sell(Purchase::consumable("1", "coins"));
    let apples =
        shop.adapter_with(|settings| AppStoreSettings { root_certificates_path: None, ..settings });
    let refused = apples.verify_transaction(id("1")).await;
    assert_eq!(crate::shop::flaw(refused), Some(portcullis_domain::ports::Flaw::Certificates));
}
