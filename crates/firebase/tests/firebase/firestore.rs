//! Documents, and a Firestore that is as strict as it is published.

use portcullis_domain::Timestamp;
use portcullis_domain::document::{
    Changes, CollectionPath, Document, DocumentId, FieldPath, Fields, Value,
};
use portcullis_domain::ports::{DocumentError, DocumentStore, MalformedDocument, all_documents};
use portcullis_firebase::{FirebaseSettings, Firestore};
use portcullis_simulators::Simulator;
use portcullis_simulators::google;
use serde_json::json;

use crate::cloud::{Cloud, PROJECT};

/// A Firestore and its adapter.
pub(crate) fn firestore() -> (Cloud, Simulator<google::Firestore>, Firestore) {
    let cloud = Cloud::new();
    let service = Simulator::start(google::Firestore::new(PROJECT, cloud.bearers.clone()));
    let firestore_url = Some(service.url());
    let settings = FirebaseSettings { firestore_url, ..cloud.settings() };
    let firestore = Firestore::new(cloud.tokens(), &settings).unwrap();
    (cloud, service, firestore)
}

pub(crate) fn users() -> CollectionPath {
    CollectionPath::parse("users").unwrap()
}

pub(crate) fn id(text: &str) -> DocumentId {
    DocumentId::parse(text).unwrap()
}

pub(crate) fn fields<const N: usize>(all: [(&str, Value); N]) -> Fields {
    all.map(|(name, value)| (name.to_owned(), value)).into()
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

fn changes<const N: usize>(all: [(&str, Option<Value>); N]) -> Changes {
    all.map(|(path, value)| (FieldPath::parse(path).unwrap(), value)).into()
}

async fn get(firestore: &Firestore, name: &str) -> Option<Document> {
    firestore.get(users(), id(name)).await.unwrap()
}

#[tokio::test]
async fn a_document_is_read_as_it_was_written() {
    let (_cloud, _service, firestore) = firestore();
    let whole = fields([
        ("null", Value::Null),
        ("bool", Value::Bool(true)),
        ("integer", Value::Integer(i64::MIN)),
        ("float", Value::Float(-0.25)),
        ("endless", Value::Float(f64::INFINITY)),
        ("text", text("Grüße \"\\ \u{0} 🙂")),
        ("bytes", Value::Bytes((0..=255).collect())),
        ("time", Value::Timestamp(Timestamp::from_micros(1_795_357_306_242_001))),
        ("reference", Value::Reference("projects/p/databases/d/documents/a/b".into())),
        ("place", Value::GeoPoint { latitude: 51.76, longitude: 19.46 }),
        ("array", Value::Array(vec![Value::Integer(1), Value::Map(fields([("a", Value::Null)]))])),
        ("a.b `c` \\ ü", Value::Map(fields([("inner", Value::Array(vec![]))]))),
    ]);
    let written = firestore.set(users(), id("ann"), whole.clone()).await.unwrap();
    assert_eq!((written.id.as_str(), &written.fields), ("ann", &whole));
    assert_eq!(written.created_at, written.updated_at);
    assert_eq!(get(&firestore, "ann").await, Some(written));
}

#[tokio::test]
async fn setting_leaves_nothing_of_what_was_there() {
    let (_cloud, _service, firestore) = firestore();
    let before = firestore.set(users(), id("ann"), fields([("a", Value::Null)])).await.unwrap();
    let after = fields([("b", Value::Bool(true))]);
    let written = firestore.set(users(), id("ann"), after.clone()).await.unwrap();
    assert_eq!(get(&firestore, "ann").await.unwrap().fields, after);
    assert_eq!(written.created_at, before.created_at);
    assert!(written.updated_at > before.updated_at);
    firestore.set(users(), id("ann"), Fields::new()).await.unwrap();
    assert_eq!(get(&firestore, "ann").await.unwrap().fields, Fields::new());
}

#[tokio::test]
async fn what_is_not_there_is_nothing() {
    let (_cloud, _service, firestore) = firestore();
    assert_eq!(get(&firestore, "ann").await, None);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let (_cloud, service, firestore) = firestore();
    let address = fields([("city", text("Łódź")), ("zip", text("90-001"))]);
    let before = fields([
        ("name", text("Ann")),
        ("address", Value::Map(address)),
        ("old", Value::Null),
        ("plain", Value::Integer(1)),
    ]);
    firestore.set(users(), id("ann"), before).await.unwrap();
    let mut update = changes([
        ("address.city", Some(text("Kraków"))),
        ("address.country.code", Some(text("PL"))),
        ("plain.inner", Some(Value::Bool(true))),
        ("old", None),
        ("never.there", None),
    ]);
    update.insert(FieldPath::of(["a.b", "`"]).unwrap(), Some(Value::Integer(2)));
    let updated = firestore.update(users(), id("ann"), update).await.unwrap();
    let country = Value::Map(fields([("code", text("PL"))]));
    let address = fields([("city", text("Kraków")), ("country", country), ("zip", text("90-001"))]);
    let expected = fields([
        ("name", text("Ann")),
        ("address", Value::Map(address)),
        ("plain", Value::Map(fields([("inner", Value::Bool(true))]))),
        ("a.b", Value::Map(fields([("`", Value::Integer(2))]))),
    ]);
    assert_eq!(updated.fields, expected);
    assert_eq!(get(&firestore, "ann").await, Some(updated));
    let stored = service.with(|service| service.stored(&["users", "ann"]).unwrap());
    assert_eq!(stored["address"]["mapValue"]["fields"]["city"], json!({"stringValue": "Kraków"}));
}

#[tokio::test]
async fn an_update_of_nothing_creates_nothing() {
    let (_cloud, _service, firestore) = firestore();
    let update = changes([("a", Some(Value::Null))]);
    let refused = firestore.update(users(), id("ann"), update).await;
    assert!(matches!(refused, Err(DocumentError::NotFound)), "{refused:?}");
    assert_eq!(get(&firestore, "ann").await, None);
}

#[tokio::test]
async fn a_document_is_deleted_however_often() {
    let (_cloud, _service, firestore) = firestore();
    firestore.set(users(), id("ann"), Fields::new()).await.unwrap();
    firestore.set(users(), id("bob"), Fields::new()).await.unwrap();
    for _ in 0..2 {
        firestore.delete(users(), id("ann")).await.unwrap();
        assert_eq!(get(&firestore, "ann").await, None);
    }
    assert!(get(&firestore, "bob").await.is_some());
}

#[tokio::test]
async fn a_collection_is_listed_with_ids_page_by_page() {
    let (_cloud, service, firestore) = firestore();
    for number in 0..25 {
        let body = fields([("number", Value::Integer(number))]);
        firestore.set(users(), id(&format!("user-{number:02}")), body).await.unwrap();
    }
    let (mut found, mut sizes, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = firestore.list(users(), 10, after).await.unwrap();
        sizes.push(page.documents.len());
        found.extend(page.documents);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    for (number, document) in (0..).zip(&found) {
        assert_eq!(document.id.as_str(), format!("user-{number:02}"));
        assert_eq!(document.fields["number"], Value::Integer(number));
    }
    let _ = service.take_requests();
    assert_eq!(all_documents(&firestore, &users()).await.unwrap(), found);
    assert_eq!(service.take_requests().len(), 1);
    let empty = CollectionPath::parse("nobody").unwrap();
    assert!(all_documents(&firestore, &empty).await.unwrap().is_empty());
}

#[tokio::test]
async fn all_documents_are_all_of_several_pages() {
    let (_cloud, service, firestore) = firestore();
    for number in 0..310 {
        firestore.set(users(), id(&format!("{number:03}")), Fields::new()).await.unwrap();
    }
    let _ = service.take_requests();
    let all = all_documents(&firestore, &users()).await.unwrap();
    assert_eq!((all.len(), all[309].id.as_str()), (310, "309"));
    assert_eq!(service.take_requests().len(), 2);
}

#[tokio::test]
async fn a_collection_within_a_document_is_its_own() {
    let (_cloud, _service, firestore) = firestore();
    let devices = CollectionPath::parse("users/ann/devices").unwrap();
    firestore.set(devices.clone(), id("phone"), Fields::new()).await.unwrap();
    assert!(firestore.list(users(), 10, None).await.unwrap().documents.is_empty());
    let listed = firestore.list(devices, 10, None).await.unwrap().documents;
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_name_is_only_a_name() {
    let (_cloud, service, firestore) = firestore();
    for name in ["a b", "%2F..%2F", "?x=1#y", "ü你🙂", "a.b", "...", "~+&=;,@:", "\\", "%"] {
        let body = fields([("name", text(name))]);
        firestore.set(users(), id(name), body.clone()).await.unwrap();
        assert_eq!(get(&firestore, name).await.unwrap().fields, body, "{name}");
        assert!(service.with(|service| service.stored(&["users", name])).is_some(), "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_not_asked() {
    let (cloud, service, firestore) = firestore();
    let nested = fields([("a", Value::Array(vec![Value::Array(vec![])]))]);
    let refused = firestore.set(users(), id("ann"), nested).await;
    let which = MalformedDocument::NestedArray;
    assert!(matches!(refused, Err(DocumentError::Malformed(it)) if it == which));
    let twice = changes([("a", Some(Value::Null)), ("a.b", Some(Value::Null))]);
    let refused = firestore.update(users(), id("ann"), twice).await;
    assert!(matches!(refused, Err(DocumentError::Malformed(MalformedDocument::Overlap))));
    let refused = firestore.update(users(), id("ann"), Changes::new()).await;
    assert!(matches!(refused, Err(DocumentError::Malformed(MalformedDocument::NoChange))));
    for size in [0, 301] {
        let refused = firestore.list(users(), size, None).await;
        assert!(matches!(refused, Err(DocumentError::Malformed(MalformedDocument::PageSize))));
    }
    assert!(service.take_requests().is_empty());
    assert_eq!(cloud.bearers.count(), 0);
}

#[tokio::test]
async fn no_id_is_taken_for_another() {
    let (_cloud, _service, firestore) = firestore();
    let ids = ["ann", "an\tn", "ann\n", "\rann", "%2e", "%2e%2e", "%2f", "a%09nn", "...", " ann "];
    for name in ids {
        let written = fields([("name", text(name))]);
        let document = firestore.set(users(), id(name), written).await.unwrap();
        assert_eq!(document.id.as_str(), name);
    }
    for name in ids {
        let found = get(&firestore, name).await.unwrap();
        assert_eq!(found.fields, fields([("name", text(name))]), "{name:?}");
    }
    firestore.delete(users(), id("an\tn")).await.unwrap();
    assert!(get(&firestore, "ann").await.is_some());
}
