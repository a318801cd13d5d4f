//! Failures that S3 tells where no failure is expected: within a success, in the
//! middle of an upload. And successes that look like one.

use std::time::{Duration, Instant};

use portcullis_conformance::bucket::{bytes, name, plain};
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_simulators::{Fault, Method, Reply, Request, Service, Simulator};
use portcullis_storage::S3;

use crate::buckets::{s3_at, s3_settings};

/// A service that begins every upload in parts, and knows of none of them.
struct Forgetful {
    /// What it says of the others.
    code: &'static str,
}

impl Service for Forgetful {
    fn answer(&mut self, request: &Request) -> Reply {
        if request.method == Method::POST && request.parameter("uploads").is_some() {
            let begun = "<InitiateMultipartUploadResult><UploadId>1</UploadId>\
                         </InitiateMultipartUploadResult>";
            return Reply { body: begun.into(), ..Reply::empty(200) };
        }
        if request.parameter("uploadId").is_some() {
            return self.refusal(404);
        }
        Reply::empty(200).with("etag", "\"e\"")
    }

    fn refusal(&self, status: u16) -> Reply {
        let body = match self.code {
            "" => String::new(),
            code => format!("<Error><Code>{code}</Code><Message>No.</Message></Error>"),
        };
        Reply { body: body.into(), ..Reply::empty(status) }
    }
}

fn forgetful(code: &'static str) -> (S3, Simulator<Forgetful>) {
    let server = Simulator::start(Forgetful { code });
    (s3_at(&server.url(), Duration::from_secs(5)), server)
}

#[tokio::test]
async fn an_upload_that_s3_does_not_know_any_more_is_no_missing_object() {
    for code in ["NoSuchUpload", ""] {
        let (objects, _server) = forgetful(code);
        let lost = objects.put(&name("a"), bytes(9 * 1024 * 1024, 1), plain()).await;
        assert!(matches!(lost, Err(ObjectError::Unavailable(_))), "{code}: {lost:?}");
    }
    let (objects, _server) = forgetful("NoSuchBucket");
    let lost = objects.put(&name("a"), bytes(9 * 1024 * 1024, 1), plain()).await;
    assert!(matches!(lost, Err(ObjectError::BucketNotFound(_))), "{lost:?}");
}

fn within_success(code: &str) -> Fault {
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    let error = format!("<Error><Code>{code}</Code><Message>Please try again.</Message></Error>");
    Fault::Refusal(200, format!("{declaration}\n{error}"))
}

#[tokio::test]
async fn a_failure_within_a_success_is_one() {
    let (objects, server) = forgetful("");
    let (one, other) = (name("a"), name("b"));
    server.fail([within_success("InternalError"), within_success("SlowDown")]);
    objects.copy(&one, &other).await.unwrap();
    assert_eq!(server.take_requests().len(), 3, "it was not repeated");
    for code in ["InternalError", "ServiceUnavailable"] {
        server.fail(vec![within_success(code); 9]);
        let begun = Instant::now();
        let failed = objects.copy(&one, &other).await;
        assert!(matches!(failed, Err(ObjectError::Unavailable(_))), "{code}: {failed:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        server.recover();
    }
    server.fail(vec![within_success("SlowDown"); 9]);
    let limited = objects.copy(&one, &other).await;
    assert!(matches!(limited, Err(ObjectError::RateLimited { .. })), "{limited:?}");
}

#[tokio::test]
async fn a_name_that_reads_like_a_failure_is_a_name() {
    let objects = S3::new(&s3_settings()).unwrap();
    let (one, other) = (name("SlowDown/InternalError.png"), name("InternalError & SlowDown"));
    let long = bytes(9 * 1024 * 1024, 1);
    objects.put(&one, long.clone(), plain()).await.unwrap();
    assert!(objects.get(&one, 1 << 30).await.unwrap() == long);
    objects.copy(&one, &other).await.unwrap();
    let deleted = objects.delete_many(vec![one.clone(), other.clone()]).await;
    assert!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    for name in [one, other] {
        assert!(matches!(objects.stat(&name).await, Err(ObjectError::NotFound { .. })), "{name}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_it() {
    let (objects, server) = forgetful("");
    server.fail([Fault::Refusal(200, "x".repeat(9 * 1024 * 1024))]);
    let odd = objects.delete(&name("a")).await;
    assert!(matches!(odd, Err(ObjectError::UnexpectedAnswer(_))), "{odd:?}");
    server.fail([Fault::Refusal(200, "x".repeat(9 * 1024 * 1024))]);
    let odd = objects.put(&name("a"), b"x".to_vec(), plain()).await;
    assert!(matches!(odd, Err(ObjectError::UnexpectedAnswer(_))), "{odd:?}");
}
