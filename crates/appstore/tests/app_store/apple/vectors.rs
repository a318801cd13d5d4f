//! The certificates that Apple tests its library with: real ones of the App
//! Store, and wrong ones. They are read from Apple's source package, not copied
//! here. None comes with a key, so nothing good can be signed: a payload whose
//! certificates are believed is refused for its signature alone.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_appstore::{APPLE_ROOT, AppStore, AppStoreSettings};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Flaw, Purchases};
use portcullis_domain::purchase::SignedPayload;
use serde_json::json;

use crate::shop::{Shop, flaw, payload};

/// When the real certificates were valid, and those of the tests: 2025-11-01.
const THEN: i64 = 1_761_962_975;

/// Apple's source file: what `tests/run.sh` names or downloaded.
fn source() -> PathBuf {
    let downloaded = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/app-store-server-library/source/tests/test_x509_verifiction.py"
    );
    std::env::var_os("APPLE_LIBRARY_VECTORS").map_or_else(|| downloaded.into(), Into::into)
}

/// Certificates by their names in that file, in base64.
struct Vectors(HashMap<String, String>);

impl Vectors {
    fn read() -> Self {
        let source = source();
        let text = std::fs::read_to_string(&source).unwrap_or_else(|error| {
            panic!(
                "the tests of app-store-server-library from PyPI are needed at {}, where \
                 tests/run.sh puts them: {error}",
                source.display()
            )
        });
        let assignments = text.lines().filter_map(|line| line.split_once(" = \""));
        let named = assignments
            .map(|(name, rest)| (name.trim().to_owned(), rest.trim_end_matches('"').to_owned()));
        Self(named.collect())
    }

    fn certificate(&self, name: &str) -> &str {
        self.0.get(&format!("{name}_BASE64_ENCODED")).unwrap_or_else(|| panic!("no {name}"))
    }

    fn der(&self, name: &str) -> Vec<u8> {
        STANDARD.decode(self.certificate(name)).unwrap()
    }

    /// A payload with these certificates and no true signature.
    fn signed(&self, names: [&str; 3], at: i64) -> SignedPayload {
        let x5c = names.map(|name| self.certificate(name));
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = part(json!({"alg": "ES256", "x5c": x5c}));
        let claims = part(json!({"signedDate": at * 1_000}));
        payload(&format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([1; 64])))
    }
}

/// An adapter that trusts the root of this name, or Apple's.
fn trusting(shop: &Shop, root: Option<&Path>) -> AppStore {
    let path = root.map(Path::to_owned);
    shop.adapter_with(|settings| AppStoreSettings { root_certificates_path: path, ..settings })
}

fn write(shop: &Shop, name: &str, der: &[u8]) -> PathBuf {
    let path = shop.folder().join(name);
    std::fs::write(&path, der).unwrap();
    path
}

const REAL: [&str; 3] =
    ["REAL_APPLE_SIGNING_CERTIFICATE", "REAL_APPLE_INTERMEDIATE", "REAL_APPLE_ROOT"];
const GOOD: [&str; 3] = ["LEAF_CERT", "INTERMEDIATE_CA", "ROOT_CA"];

#[test]
fn the_root_built_in_is_the_one_that_apple_tests_with() {
    assert_eq!(Vectors::read().der("REAL_APPLE_ROOT"), APPLE_ROOT);
}

#[tokio::test]
async fn the_certificates_that_the_app_store_signs_with_are_believed() {
    let (vectors, shop) = (Vectors::read(), Shop::open());
    let adapter = trusting(&shop, None);
    let judge = async |at| flaw(adapter.decode_transaction(vectors.signed(REAL, at)).await);
    assert_eq!(judge(THEN).await, Some(Flaw::Signature));
    // The leaf is valid from 2025-09-19 to 2027-10-13.
    let seconds = |text| Timestamp::parse(text).unwrap().as_seconds();
    assert_eq!(judge(seconds("2025-09-19T19:44:52Z")).await, Some(Flaw::Signature));
    assert_eq!(judge(seconds("2025-09-19T19:44:50Z")).await, Some(Flaw::Certificates));
    assert_eq!(judge(seconds("2027-10-13T17:47:22Z")).await, Some(Flaw::Signature));
    assert_eq!(judge(seconds("2027-10-13T17:47:24Z")).await, Some(Flaw::Certificates));
}

#[tokio::test]
async fn each_chain_is_judged_as_apple_judges_it() {
    let (vectors, shop) = (Vectors::read(), Shop::open());
    let test_root = write(&shop, "test.der", &vectors.der("ROOT_CA"));
    let (tests, apples) = (trusting(&shop, Some(&test_root)), trusting(&shop, None));
    let wrong_intermediate =
        ["LEAF_CERT_FOR_INTERMEDIATE_CA_INVALID_OID", "INTERMEDIATE_CA_INVALID_OID", "ROOT_CA"];
    let wrong_leaf = ["LEAF_CERT_INVALID_OID", "INTERMEDIATE_CA", "ROOT_CA"];
    for (adapter, chain, at, expected) in [
        (&tests, GOOD, THEN, Flaw::Signature),
        (&tests, wrong_intermediate, THEN, Flaw::Certificates),
        (&tests, wrong_leaf, THEN, Flaw::Certificates),
        // 2042: all have expired.
        (&tests, GOOD, 2_280_946_846, Flaw::Certificates),
        (&apples, GOOD, THEN, Flaw::Certificates),
        (&tests, REAL, THEN, Flaw::Certificates),
        // What stands in the root's place does not matter.
        (&tests, [GOOD[0], GOOD[1], REAL[2]], THEN, Flaw::Signature),
        (&tests, [GOOD[1], GOOD[0], GOOD[2]], THEN, Flaw::Certificates),
        (&tests, [GOOD[0], GOOD[2], GOOD[1]], THEN, Flaw::Certificates),
    ] {
        let judged = adapter.decode_transaction(vectors.signed(chain, at)).await;
        assert_eq!(flaw(judged), Some(expected), "{chain:?} at {at}");
    }
}
