//! A Firestore that refuses, is busy or is away.

use std::time::{Duration, Instant};

use portcullis_domain::document::{FieldPath, Fields, Value};
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{DocumentError, DocumentStore};
use portcullis_simulators::Fault;
use portcullis_simulators::google::TokenEndpoint;

use crate::cloud::DEADLINE;
use crate::firestore::{fields, firestore, id, users};

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    type Check = fn(&DocumentError) -> bool;
    let aborted = r#"{"error":{"code":409,"message":"Contention.","status":"ABORTED"}}"#;
    let cases: [(Fault, Check); 10] = [
        (Fault::Status(400), |it| matches!(it, DocumentError::Refused(_))),
        (Fault::Status(401), |it| matches!(it, DocumentError::Denied(_))),
        (Fault::Status(403), |it| matches!(it, DocumentError::Denied(_))),
        (Fault::Refusal(409, aborted.into()), |it| matches!(it, DocumentError::Unavailable(_))),
        (Fault::Status(429), |it| matches!(it, DocumentError::RateLimited { .. })),
        (Fault::Status(500), |it| matches!(it, DocumentError::Unavailable(_))),
        (Fault::Status(503), |it| matches!(it, DocumentError::Unavailable(_))),
        (Fault::Cut, |it| matches!(it, DocumentError::Unavailable(_))),
        (Fault::Truncate, |it| matches!(it, DocumentError::Unavailable(_))),
        (Fault::Refusal(200, r#"{"name":"x"}"#.into()), |it| {
            matches!(it, DocumentError::Unexpected(_))
        }),
    ];
    for (fault, is_meant) in cases {
        let (_cloud, service, firestore) = firestore();
        service.fail(vec![fault.clone(); 3]);
        let failure = firestore.set(users(), id("ann"), Fields::new()).await.unwrap_err();
        assert!(is_meant(&failure), "{fault:?}: {}", with_causes(&failure));
        service.recover();
        firestore.set(users(), id("ann"), Fields::new()).await.unwrap();
    }
}

#[tokio::test]
async fn a_moment_s_trouble_is_passed_over() {
    for fault in [Fault::Status(503), Fault::Status(500), Fault::Cut, Fault::Truncate] {
        let (_cloud, service, firestore) = firestore();
        let body = fields([("a", Value::Integer(1))]);
        service.fail([fault.clone()]);
        firestore.set(users(), id("ann"), body.clone()).await.unwrap();
        service.fail([fault.clone()]);
        let found = firestore.get(users(), id("ann")).await.unwrap().unwrap();
        assert_eq!(found.fields, body);
        service.fail([fault.clone()]);
        let changes = [(FieldPath::parse("a").unwrap(), Some(Value::Integer(2)))].into();
        firestore.update(users(), id("ann"), changes).await.unwrap();
        service.fail([fault.clone()]);
        assert_eq!(firestore.list(users(), 10, None).await.unwrap().documents.len(), 1);
        service.fail([fault]);
        firestore.delete(users(), id("ann")).await.unwrap();
    }
}

#[tokio::test]
async fn a_wait_is_kept_if_it_is_short_and_told_if_it_is_long() {
    let (_cloud, service, firestore) = firestore();
    service.fail([Fault::RetryAfter(429, 1)]);
    let started = Instant::now();
    assert_eq!(firestore.get(users(), id("ann")).await.unwrap(), None);
    assert!(started.elapsed() >= Duration::from_secs(1));
    service.fail([Fault::RetryAfter(429, 90)]);
    match firestore.get(users(), id("ann")).await.unwrap_err() {
        DocumentError::RateLimited { retry_after, .. } => {
            assert_eq!(retry_after, Some(Duration::from_secs(90)));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_store_that_hangs_is_unavailable_within_the_time_out() {
    let (_cloud, service, firestore) = firestore();
    service.fail(vec![Fault::Hang(Duration::from_secs(30)); 5]);
    let started = Instant::now();
    let failure = firestore.get(users(), id("ann")).await.unwrap_err();
    assert!(matches!(failure, DocumentError::Unavailable(_)), "{failure}");
    assert!(started.elapsed() < 2 * DEADLINE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_database_that_is_missing_is_not_an_empty_one() {
    let (_cloud, service, firestore) = firestore();
    service.with(|service| service.exists = false);
    let changes = [(FieldPath::parse("a").unwrap(), None)].into();
    let refusals = [
        firestore.get(users(), id("ann")).await.map(|_| ()),
        firestore.set(users(), id("ann"), Fields::new()).await.map(|_| ()),
        firestore.update(users(), id("ann"), changes).await.map(|_| ()),
        firestore.delete(users(), id("ann")).await,
        firestore.list(users(), 10, None).await.map(|_| ()),
    ];
    for (number, refused) in refusals.iter().enumerate() {
        assert!(matches!(refused, Err(DocumentError::Refused(_))), "{number}: {refused:?}");
    }
}

#[tokio::test]
async fn a_document_that_speaks_of_a_database_is_only_a_document() {
    let (_cloud, _service, firestore) = firestore();
    let names = ["The database users", "of the database does not exist", "database", "a database "];
    for name in names {
        assert_eq!(firestore.get(users(), id(name)).await.unwrap(), None, "{name}");
        firestore.delete(users(), id(name)).await.unwrap();
        let changes = [(FieldPath::parse("a").unwrap(), None)].into();
        let absent = firestore.update(users(), id(name), changes).await;
        assert!(matches!(absent, Err(DocumentError::NotFound)), "{name}: {absent:?}");
    }
}

#[tokio::test]
async fn pages_that_are_too_long_become_shorter() {
    let (_cloud, service, firestore) = firestore();
    // Ten of a megabyte each are more than is read of an answer.
    let long = "x".repeat(1_000_000);
    for number in 0..10 {
        let body = fields([("long", Value::Text(long.clone()))]);
        firestore.set(users(), id(&number.to_string()), body).await.unwrap();
    }
    drop(service.take_requests());
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = firestore.list(users(), 16, after).await.unwrap();
        found.extend(page.documents.iter().map(|document| document.id.as_str().to_owned()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    let asked = service.take_requests();
    let sizes: Vec<_> =
        asked.iter().map(|request| request.parameter("pageSize").unwrap()).collect();
    assert_eq!(sizes, ["16", "8", "16"]);
}

#[tokio::test]
async fn a_page_that_follows_none_is_refused() {
    let (_cloud, _service, firestore) = firestore();
    let refused = firestore.list(users(), 10, Some("made up".into())).await;
    assert!(matches!(refused, Err(DocumentError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn without_credentials_everything_is_denied() {
    let (cloud, service, firestore) = firestore();
    cloud.endpoint.with(TokenEndpoint::forget_all);
    let failure = firestore.get(users(), id("ann")).await.unwrap_err();
    assert!(matches!(failure, DocumentError::Denied(_)), "{failure}");
    assert!(service.take_requests().is_empty());
}
