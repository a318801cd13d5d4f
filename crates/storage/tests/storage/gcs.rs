//! What is Google's own: accounts, several buckets, signed URLs, refusals.

use std::time::{Duration, Instant};

use portcullis_conformance::bucket::{bytes, name, plain, whole};
use portcullis_domain::FolderName;
use portcullis_domain::error::with_causes;
use portcullis_domain::object::Listing;
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_simulators::{Fault as Answer, Reply, Request, Service, Simulator};
use portcullis_storage::{GOOGLE_STORAGE, GcsBucket, InvalidGcsSettings};
use portcullis_testkit::{Fault, FaultProxy};

use crate::calls::every_failure;
use crate::google::{Account, EMULATOR, FAKE_GCS, bucket_name, storage};

/// Two buckets of one account in fake-gcs-server, and two in gcp-storage-emulator.
fn pairs(account: &Account) -> [(GcsBucket, GcsBucket); 2] {
    let new = || {
        let name = bucket_name();
        FAKE_GCS.create_bucket(&name);
        account.storage(&FAKE_GCS.url()).bucket(&name).unwrap()
    };
    let emulated = || {
        let name = bucket_name();
        EMULATOR.create_bucket(&name);
        account.storage(&EMULATOR.url()).bucket(&name).unwrap()
    };
    [(new(), new()), (emulated(), emulated())]
}

/// The URL is what Google's own library makes of the same: google-cloud-storage
/// 3.17.1 for Python, `generate_signed_url_v4`. The key was made for this test.
#[tokio::test]
async fn a_signed_url_is_the_one_that_googles_library_makes() {
    let pem = include_str!("signed_url_key.pem");
    let nowhere = "http://127.0.0.1:9/token".to_owned();
    let google = storage(GOOGLE_STORAGE, pem, nowhere, Duration::from_secs(1));
    let bucket = google.bucket("my-bucket").unwrap();
    let odd = name("a b/100% ü+&?#'(~).txt");
    let url = bucket.sign_download(&odd, Duration::from_mins(15)).await.unwrap();
    let expected = include_str!("signed_url.txt").trim_end();
    assert_eq!(url.expose(), expected);
    let public = bucket.public_url(&odd).unwrap();
    assert!(expected.starts_with(&format!("{public}?")), "{public}");
    let path = public.strip_prefix(GOOGLE_STORAGE).unwrap();
    let authenticated = bucket.authenticated_url(&odd);
    assert_eq!(authenticated, format!("https://storage.cloud.google.com{path}"));
}

#[tokio::test]
async fn a_signed_url_leads_to_its_object() {
    let account = Account::new();
    let [(bucket, _), _] = pairs(&account);
    let odd = name("a b/100% ü+&.txt");
    bucket.put(&odd, b"content".to_vec(), plain()).await.unwrap();
    let url = bucket.sign_download(&odd, Duration::from_mins(15)).await.unwrap();
    let answer = reqwest::get(url.expose()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(answer.bytes().await.unwrap(), "content");
}

#[tokio::test]
async fn all_buckets_are_listed() {
    let account = Account::new();
    for (one, other) in pairs(&account) {
        let service = if one.public_url(&name("a")).unwrap().starts_with(&FAKE_GCS.url()) {
            account.storage(&FAKE_GCS.url())
        } else {
            account.storage(&EMULATOR.url())
        };
        for project in [None, Some("demo")] {
            let listed = service.list_buckets(project).await.unwrap();
            for bucket in [&one, &other] {
                assert!(listed.iter().any(|found| found == bucket.name()), "{listed:?}");
            }
        }
    }
}

#[tokio::test]
async fn objects_go_from_bucket_to_bucket() {
    let account = Account::new();
    for (here, there) in pairs(&account) {
        let (a, b) = (name("a"), name("b/c"));
        here.put(&a, b"content".to_vec(), plain()).await.unwrap();
        here.copy_to(&a, &there, &b).await.unwrap();
        assert_eq!(here.get(&a, 10).await.unwrap(), b"content");
        assert_eq!(there.get(&b, 10).await.unwrap(), b"content");
        here.move_to(&a, &there, &a).await.unwrap();
        assert!(matches!(here.stat(&a).await, Err(ObjectError::NotFound { .. })));
        let moved = there.stat(&a).await.unwrap();
        assert_eq!((moved.size, moved.content_type), (7, Some(plain().content_type)));
        there.move_to(&a, &there, &a).await.unwrap();
        assert_eq!(there.get(&a, 10).await.unwrap(), b"content", "it moved to where it was");
        let absent = here.move_to(&a, &there, &b).await;
        assert!(matches!(absent, Err(ObjectError::NotFound { .. })), "{absent:?}");
        assert_eq!(there.get(&b, 10).await.unwrap(), b"content");
    }
}

#[tokio::test]
async fn an_object_tells_what_google_computed() {
    let account = Account::new();
    for (bucket, _) in pairs(&account) {
        let text = b"The quick brown fox jumps over the lazy dog".to_vec();
        let told = bucket.put(&name("fox"), text, plain()).await.unwrap();
        for meta in [told, bucket.stat(&name("fox")).await.unwrap()] {
            let md5 = meta.checksums.md5.expect("both tell it");
            assert_eq!((md5[0], md5[15]), (0x9e, 0xd6));
            assert_eq!(meta.checksums.crc32c, Some(0x2262_0404));
            assert!(meta.created.is_some() && meta.modified.is_some() && meta.version.is_some());
        }
        let long = bytes(9 * 1024 * 1024, 1);
        let told = bucket.put(&name("long"), long.clone(), plain()).await.unwrap();
        assert_eq!(told.checksums.crc32c, Some(crc32c(&long)), "of an upload in parts");
    }
}

/// Bit by bit, as RFC 3720 defines it.
fn crc32c(content: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
    !content.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[tokio::test]
async fn folders_are_told_beside_the_objects() {
    let account = Account::new();
    for (bucket, _) in pairs(&account) {
        for object in ["a", "b/1", "b/2/3", "c/d/e"] {
            bucket.put(&name(object), b"x".to_vec(), plain()).await.unwrap();
        }
        bucket.create_folder(&FolderName::parse("empty").unwrap()).await.unwrap();
        let page = bucket.list(Listing::of_folder(None)).await.unwrap();
        let folders: Vec<_> = page.folders.iter().map(FolderName::as_str).collect();
        assert_eq!(folders, ["b", "c", "empty"]);
        let objects: Vec<_> = page.objects.iter().map(|meta| meta.name.as_str()).collect();
        assert_eq!(objects, ["a"]);
        let b = FolderName::parse("b").unwrap();
        let page = bucket.list(Listing::of_folder(Some(&b))).await.unwrap();
        assert_eq!(page.folders, [FolderName::parse("b/2").unwrap()]);
        assert_eq!(page.objects.len(), 1);
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_no_missing_object() {
    let account = Account::new();
    for url in [FAKE_GCS.url(), EMULATOR.url()] {
        let bucket = account.storage(&url).bucket("never-made").unwrap();
        let put = bucket.put(&name("a"), b"x".to_vec(), plain()).await.unwrap_err();
        assert!(matches!(put, ObjectError::BucketNotFound(_)), "{url}: {put:?}");
    }
    let bucket = account.storage(&FAKE_GCS.url()).bucket("never-made").unwrap();
    let listed = bucket.list(Listing::of_folder(None)).await.unwrap_err();
    assert!(matches!(listed, ObjectError::BucketNotFound(_)), "{listed:?}");
}

#[tokio::test]
async fn what_is_no_bucket_is_not_asked_for() {
    let google = Account::new().storage(&FAKE_GCS.url());
    for wrong in ["", " ", "a", "a/b", "../b", "Bucket"] {
        let refused = google.bucket(wrong);
        assert!(matches!(refused, Err(InvalidGcsSettings::Bucket)), "{wrong:?}");
    }
}

#[tokio::test]
async fn an_account_that_google_does_not_know_is_denied_and_untold() {
    let account = Account::new();
    account.endpoint.with(portcullis_simulators::google::TokenEndpoint::forget_all);
    let bucket = account.storage(&FAKE_GCS.url()).bucket("bucket-any").unwrap();
    let secret = &account.key.private_pem()[60..90];
    for error in every_failure(&bucket).await {
        assert!(matches!(error, ObjectError::Denied(_)), "{}", with_causes(&error));
        let told = format!("{} {error:?} {bucket:?}", with_causes(&error));
        assert!(!told.contains(secret) && !told.contains("BEGIN"), "{told}");
    }
}

#[tokio::test]
async fn a_line_that_breaks_is_an_outage_and_nothing_else() {
    let (account, name_of_bucket) = (Account::new(), bucket_name());
    FAKE_GCS.create_bucket(&name_of_bucket);
    let proxy = FaultProxy::to_port(FAKE_GCS.port());
    let url = proxy.url(&FAKE_GCS.url());
    let hasty = account.storage_within(&url, Duration::from_secs(1));
    let hasty = hasty.bucket(&name_of_bucket).unwrap();
    let bucket = account.storage(&url).bucket(&name_of_bucket).unwrap();
    bucket.put(&name("kept"), bytes(3_000_000, 1), plain()).await.unwrap();
    for fault in [Fault::Refuse, Fault::Cut { after: 0 }, Fault::Cut { after: 20 }, Fault::Hang] {
        proxy.set(fault);
        for error in every_failure(&hasty).await {
            assert!(matches!(error, ObjectError::Unavailable(_)), "{fault:?}: {error:?}");
        }
        proxy.set(Fault::None);
        bucket.stat(&name("kept")).await.unwrap();
    }
    proxy.set(Fault::Cut { after: 1_000_000 });
    let cut = bucket.get(&name("kept"), 1 << 30).await.unwrap_err();
    assert!(matches!(cut, ObjectError::Unavailable(_)), "{cut:?}");
    // A reset may overtake what was sent before it, the beginning as well.
    let error = match bucket.get_stream(&name("kept")).await {
        Ok(stream) => *whole(stream).await.unwrap_err().downcast::<ObjectError>().unwrap(),
        Err(error) => error,
    };
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error:?}");
}

/// A service that knows one object and does what it is told to.
struct OneObject;

impl Service for OneObject {
    fn answer(&mut self, _: &Request) -> Reply {
        Reply::json(200, &serde_json::json!({"name": "a", "size": "1"}))
    }

    fn refusal(&self, status: u16) -> Reply {
        let error = serde_json::json!({"code": status, "message": "Slow down.", "errors": [
            {"domain": "usageLimits", "reason": "rateLimitExceeded", "message": "Slow down."}]});
        Reply::json(status, &serde_json::json!({ "error": error }))
    }
}

#[tokio::test]
async fn a_limit_is_waited_out_as_long_as_it_asks_for() {
    let (account, server) = (Account::new(), Simulator::start(OneObject));
    let bucket = account.storage(&server.url()).bucket("bucket").unwrap();
    server.fail([Answer::RetryAfter(429, 1)]);
    let begun = Instant::now();
    bucket.stat(&name("a")).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it did not wait");
    for status in [429, 403] {
        server.fail([Answer::RetryAfter(status, 3_600)]);
        let limited = bucket.stat(&name("a")).await.unwrap_err();
        let hour = Some(Duration::from_hours(1));
        assert!(
            matches!(&limited, ObjectError::RateLimited { retry_after, .. } if *retry_after == hour),
            "{status}: {limited:?}"
        );
    }
}

#[tokio::test]
async fn a_download_is_begun_again_after_a_passing_failure() {
    let (account, server) = (Account::new(), Simulator::start(OneObject));
    let bucket = account.storage(&server.url()).bucket("bucket").unwrap();
    for faults in [vec![Answer::Status(503)], vec![Answer::Cut, Answer::Status(500)]] {
        server.fail(faults.clone());
        bucket.get(&name("a"), 100).await.unwrap();
        server.fail(faults);
        whole(bucket.get_stream(&name("a")).await.unwrap()).await.unwrap();
    }
    server.fail([Answer::RetryAfter(429, 1)]);
    let begun = Instant::now();
    bucket.get(&name("a"), 100).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it did not wait");
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced() {
    let (account, server) = (Account::new(), Simulator::start(OneObject));
    let bucket = account.storage(&server.url()).bucket("bucket").unwrap();
    bucket.stat(&name("a")).await.unwrap();
    for _ in 0..2 {
        server.fail([Answer::Status(401)]);
        bucket.stat(&name("a")).await.unwrap();
        server.fail([Answer::Status(401)]);
        bucket.get(&name("a"), 100).await.unwrap();
    }
    let tokens: std::collections::BTreeSet<_> = server
        .take_requests()
        .iter()
        .map(|request| request.bearer().expect("a token").to_owned())
        .collect();
    assert_eq!(tokens.len(), 5, "one to begin with, and one for each refusal");
}
