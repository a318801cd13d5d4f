//! What speaks like S3, but not all of it: Backblaze refuses headers with
//! checksums, since it keeps others than Amazon.
//! <https://www.backblaze.com/docs/cloud-storage-s3-compatible-api>

use std::time::Duration;

use portcullis_conformance::bucket::{name, plain};
use portcullis_domain::FolderName;
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_simulators::{Fault, Method, Reply, Request, Service, Simulator};
use portcullis_storage::S3;

use crate::buckets::s3_at;

/// A bucket of which every object is there until it is deleted.
#[derive(Default)]
struct Bucket {
    deleted: Vec<String>,
}

impl Service for Bucket {
    fn answer(&mut self, request: &Request) -> Reply {
        let mut headers = request.headers.keys().map(http::HeaderName::as_str);
        let unsupported = ["x-amz-checksum-", "x-amz-sdk-"];
        if headers.any(|name| unsupported.iter().any(|start| name.starts_with(start))) {
            return self.refusal(400);
        }
        let has_length = request.header("content-length").is_some();
        if [Method::PUT, Method::POST].contains(&request.method) && !has_length {
            return self.refusal(411);
        }
        let object = request.path[1..].join("/");
        match request.method {
            Method::DELETE => {
                self.deleted.push(object);
                Reply::empty(204)
            }
            Method::HEAD if self.deleted.contains(&object) => Reply::empty(404),
            // The length that it would have.
            Method::HEAD => Reply::empty(200).with("etag", "\"e\"").with("content-length", "7"),
            _ => {
                let copied = "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>";
                Reply { body: copied.into(), ..Reply::empty(200).with("etag", "\"e\"") }
            }
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        let body = "<?xml version=\"1.0\"?><Error><Code>InvalidArgument</Code><Message>Unsupported \
                    header received for this API call.</Message></Error>";
        Reply { body: body.into(), ..Reply::empty(status) }
    }
}

fn s3() -> (S3, Simulator<Bucket>) {
    let server = Simulator::start(Bucket::default());
    (s3_at(&server.url(), Duration::from_secs(5)), server)
}

#[tokio::test]
async fn a_service_that_tells_no_checksums_is_not_asked_for_them_again() {
    let (objects, server) = s3();
    assert_eq!(objects.stat(&name("a")).await.unwrap().size, 7);
    assert_eq!(server.take_requests().len(), 2, "once with the header, once without");
    objects.clone().stat(&name("a")).await.unwrap();
    assert_eq!(server.take_requests().len(), 1);
}

#[tokio::test]
async fn of_many_who_find_out_at_once_each_is_told() {
    let (objects, _server) = s3();
    let names: Vec<_> = (0..16).map(|number| name(&format!("n/{number}"))).collect();
    let stats = futures_util::future::join_all(names.iter().map(|name| objects.stat(name))).await;
    assert!(stats.iter().all(Result::is_ok), "{stats:?}");
}

#[tokio::test]
async fn a_refusal_for_another_reason_teaches_nothing() {
    let (objects, server) = s3();
    // With checksums and without: it is not because of them.
    server.fail([Fault::Status(400), Fault::Status(400)]);
    let refused = objects.stat(&name("a")).await;
    assert!(matches!(refused, Err(ObjectError::Refused(_))), "{refused:?}");
    server.fail([Fault::Status(400), Fault::Status(400)]);
    let refused = objects.delete_many(vec![name("a")]).await.remove(0);
    assert!(matches!(refused, Err(ObjectError::Refused(_))), "{refused:?}");
    let _ = server.take_requests();
    objects.stat(&name("a")).await.unwrap();
    objects.delete_many(vec![name("a")]).await.remove(0).unwrap();
    let asked = server.take_requests();
    let asks_for_checksums = |it: &Request| it.header("x-amz-checksum-mode").is_some();
    assert_eq!(asked.iter().filter(|it| asks_for_checksums(it)).count(), 1, "not asked again");
    let bulk = |request: &Request| request.method == Method::POST;
    assert_eq!(asked.iter().filter(|it| bulk(it)).count(), 1, "many were not tried again");
}

#[tokio::test]
async fn what_is_known_of_checksums_says_nothing_of_deletions() {
    let (objects, server) = s3();
    objects.stat(&name("a")).await.unwrap();
    let _ = server.take_requests();
    objects.delete_many(vec![name("b")]).await.remove(0).unwrap();
    assert_eq!(server.take_requests()[0].method, Method::POST);
    let (objects, server) = s3();
    objects.delete_many(vec![name("b")]).await.remove(0).unwrap();
    let _ = server.take_requests();
    objects.stat(&name("a")).await.unwrap();
    assert!(server.take_requests()[0].header("x-amz-checksum-mode").is_some());
}

#[tokio::test]
async fn a_service_that_refuses_to_delete_many_deletes_one_by_one() {
    let (objects, server) = s3();
    let names = vec![name("a"), name("b/c")];
    let results = objects.delete_many(names).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let bulk = |request: &Request| request.method == Method::POST;
    assert_eq!(server.take_requests().iter().filter(|it| bulk(it)).count(), 1);
    objects.delete_many(vec![name("a")]).await.remove(0).unwrap();
    assert!(!server.take_requests().iter().any(bulk), "it was refused before");
    objects.delete(&name("b/c")).await.unwrap();
    assert!(!server.take_requests().iter().any(bulk), "for one");
    let mut deleted = server.with(|bucket| bucket.deleted.clone());
    deleted.sort();
    deleted.dedup();
    assert_eq!(deleted, ["a", "b/c"]);
    assert!(matches!(objects.stat(&name("a")).await, Err(ObjectError::NotFound { .. })));
}

#[tokio::test]
async fn an_upload_carries_no_checksum_and_its_length() {
    let (objects, _server) = s3();
    objects.put(&name("a"), b"content".to_vec(), plain()).await.unwrap();
    objects.put(&name("a"), Vec::new(), plain()).await.unwrap();
    objects.create_folder(&FolderName::parse("a").unwrap()).await.unwrap();
    objects.copy(&name("a"), &name("b")).await.unwrap();
}
