//! What is S3's own: signatures, refusals, lines that break.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use aws_lc_rs::{digest, hmac};
use futures_util::StreamExt;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::HttpRequestBody;
use portcullis_conformance::bucket::{bytes, name, pieces, plain, whole};
use portcullis_domain::error::with_causes;
use portcullis_domain::object::{Listing, NamePrefix};
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_simulators::{Fault as Answer, Reply, Request, Service, Simulator};
use portcullis_storage::{S3, S3Settings};
use portcullis_testkit::{Fault, FaultProxy, Moto};
use secrecy::ExposeSecret;

use crate::buckets::{MOTO, s3_at, s3_settings};
use crate::calls::every_failure;

fn s3() -> S3 {
    S3::new(&s3_settings()).unwrap()
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_untold() {
    let settings = s3_settings();
    for wrong in [
        S3Settings { secret: "wrong-s3cret-of-somebody".into(), ..settings.clone() },
        S3Settings { key_id: "AKIAS3CRET0123456789".into(), ..settings },
    ] {
        let objects = S3::new(&wrong).unwrap();
        for error in every_failure(&objects).await {
            assert!(matches!(error, ObjectError::Denied(_)), "{}", with_causes(&error));
            let told = format!("{} {error:?} {objects:?}", with_causes(&error));
            assert!(!told.contains("wrong-s3cret"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_no_missing_object() {
    let settings = S3Settings { bucket: "never-made".into(), ..s3_settings() };
    let objects = S3::new(&settings).unwrap();
    for error in every_failure(&objects).await {
        assert!(matches!(error, ObjectError::BucketNotFound(_)), "{}", with_causes(&error));
    }
}

/// moto serves signed URLs and does not check them; that their signatures are
/// right is shown beside.
#[tokio::test]
async fn a_signed_url_leads_to_its_object() {
    static TRUSTING: LazyLock<Moto> = LazyLock::new(Moto::start_trusting);
    let (key_id, secret) = TRUSTING.key();
    let url = TRUSTING.url().parse().unwrap();
    let settings =
        S3Settings::new(url, Moto::REGION, TRUSTING.bucket(), key_id, secret.to_owned().into());
    let objects = S3::new(&settings).unwrap();
    let odd = name("a b/100% ü+&?#'.txt");
    objects.put(&odd, b"content".to_vec(), plain()).await.unwrap();
    let url = objects.sign_download(&odd, Duration::from_mins(1)).await.unwrap();
    let answer = reqwest::get(url.expose()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/plain");
    assert_eq!(answer.bytes().await.unwrap(), "content");
    let public = objects.public_url(&odd).unwrap();
    assert!(url.expose().starts_with(&format!("{public}?")), "{} {public}", url.expose());
}

/// Signature Version 4, worked out once more as Amazon describes it:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
#[tokio::test]
async fn a_signed_url_carries_the_right_signature() {
    let settings = s3_settings();
    let objects = S3::new(&settings).unwrap();
    let signed = objects.sign_download(&name("a b/ü.txt"), Duration::from_mins(15)).await.unwrap();
    let (before, signature) = signed.expose().rsplit_once("&X-Amz-Signature=").unwrap();
    let url = url::Url::parse(before).unwrap();
    let query = |name: &str| {
        let found = url.query_pairs().find(|(found, _)| found == name);
        found.map(|(_, value)| value.into_owned()).unwrap()
    };
    assert_eq!(query("X-Amz-Expires"), "900");
    assert_eq!(query("X-Amz-SignedHeaders"), "host");
    let (time, credential) = (query("X-Amz-Date"), query("X-Amz-Credential"));
    let scope = credential.strip_prefix(&format!("{}/", settings.key_id)).unwrap();
    assert_eq!(scope, format!("{}/us-east-1/s3/aws4_request", &time[..8]));
    let mut pairs: Vec<_> = url.query().unwrap().split('&').collect();
    pairs.sort_unstable();
    let host = format!("127.0.0.1:{}", url.port().unwrap());
    let request =
        format!("GET\n{}\n{}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD", url.path(), pairs.join("&"));
    let hash = digest::digest(&digest::SHA256, request.as_bytes());
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(hash.as_ref()));
    let first = format!("AWS4{}", settings.secret.expose_secret()).into_bytes();
    let key = scope.split('/').fold(first, |key, part| mac(&key, part));
    assert_eq!(hex(&mac(&key, &to_sign)), signature);
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[tokio::test]
async fn a_checksum_is_the_contents() {
    let objects = s3();
    let text = b"The quick brown fox jumps over the lazy dog".to_vec();
    objects.put(&name("fox"), text, plain()).await.unwrap();
    let md5 = objects.stat(&name("fox")).await.unwrap().checksums.md5.expect("moto tells it");
    assert_eq!((md5[0], md5[15]), (0x9e, 0xd6));
    let long = bytes(9 * 1024 * 1024, 1);
    objects.put(&name("long"), long, plain()).await.unwrap();
    let stat = objects.stat(&name("long")).await.unwrap();
    assert_eq!(stat.checksums.md5, None, "that of parts is not that of the whole");
    assert!(stat.etag.unwrap().ends_with("-2"), "it came in parts");
}

#[tokio::test]
async fn more_names_than_one_request_takes_are_listed_and_deleted() {
    let objects = s3();
    let names: Vec<_> = (0..1_050).map(|number| name(&format!("n/{number:04}"))).collect();
    for chunk in names.chunks(50) {
        let puts = chunk.iter().map(|name| {
            let (objects, name) = (objects.clone(), name.clone());
            tokio::spawn(async move { objects.put(&name, Vec::new(), plain()).await.unwrap() })
        });
        for put in puts.collect::<Vec<_>>() {
            put.await.unwrap();
        }
    }
    let first = objects.list(Listing::all(NamePrefix::default())).await.unwrap();
    assert_eq!((first.objects.len(), first.next.is_some()), (1_000, true));
    let results = objects.delete_many(names).await;
    assert_eq!(results.len(), 1_050);
    assert!(results.iter().all(Result::is_ok));
    let left = objects.list(Listing::all(NamePrefix::default())).await.unwrap();
    assert!(left.objects.is_empty() && left.next.is_none());
}

#[tokio::test]
async fn an_upload_that_fails_leaves_no_parts() {
    let settings = s3_settings();
    let objects = S3::new(&settings).unwrap();
    let content = pieces(vec![Ok(bytes(9 * 1024 * 1024, 1)), Err("the disk is gone".into())]);
    let failed = objects.put_stream(&name("a"), content, plain()).await;
    assert!(matches!(failed, Err(ObjectError::Content(_))), "{failed:?}");
    assert!(unfinished(&settings).await.is_empty());
    let endless = futures_util::stream::iter(0..2).then(|number| async move {
        if number == 1 {
            std::future::pending::<()>().await;
        }
        Ok(bytes(9 * 1024 * 1024, 1))
    });
    let target = name("a");
    let given_up = objects.put_stream(&target, Box::pin(endless), plain());
    let watched = async {
        until("parts arrive", || async { !unfinished(&settings).await.is_empty() }).await;
    };
    tokio::select! {
        _ = given_up => unreachable!("it has no end"),
        () = watched => {}
    }
    until("parts are gone", || async { unfinished(&settings).await.is_empty() }).await;
}

/// Waits for what comes about beside the test.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(10), "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The ids of uploads that have begun and not ended.
async fn unfinished(settings: &S3Settings) -> Vec<String> {
    let url = format!("{}{}?uploads=", settings.endpoint, settings.bucket);
    let mut request = http::Request::get(&url).body(HttpRequestBody::empty()).unwrap();
    let secret_key = settings.secret.expose_secret().to_owned();
    let key = AwsCredential { key_id: settings.key_id.clone(), secret_key, token: None };
    AwsAuthorizer::new(&key, "s3", &settings.region).try_authorize(&mut request, None).unwrap();
    let client = reqwest::Client::new();
    let answer = client.get(url).headers(request.headers().clone()).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.text().await.unwrap();
    let ids = body.split("<UploadId>").skip(1);
    ids.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_line_that_breaks_is_an_outage_and_nothing_else() {
    let proxy = FaultProxy::to_port(MOTO.port());
    let settings = s3_settings();
    let endpoint = proxy.url(settings.endpoint.as_str()).parse().unwrap();
    let hasty = S3Settings { endpoint, deadline: Duration::from_secs(1), ..settings };
    let patient = S3Settings { deadline: Duration::from_secs(30), ..hasty.clone() };
    let (hasty, patient) = (S3::new(&hasty).unwrap(), S3::new(&patient).unwrap());
    patient.put(&name("kept"), b"x".to_vec(), plain()).await.unwrap();
    for fault in [Fault::Refuse, Fault::Cut { after: 0 }, Fault::Cut { after: 20 }, Fault::Hang] {
        proxy.set(fault);
        for error in every_failure(&hasty).await {
            assert!(matches!(error, ObjectError::Unavailable(_)), "{fault:?}: {error:?}");
        }
        proxy.set(Fault::None);
        patient.stat(&name("kept")).await.unwrap();
    }
}

#[tokio::test]
async fn a_download_goes_on_where_it_was_cut_and_never_ends_early() {
    let proxy = FaultProxy::to_port(MOTO.port());
    let settings = s3_settings();
    let endpoint = proxy.url(settings.endpoint.as_str()).parse().unwrap();
    let deadline = Duration::from_secs(30);
    let objects = S3::new(&S3Settings { endpoint, deadline, ..settings }).unwrap();
    let content = bytes(4 * 1024 * 1024, 1);
    objects.put(&name("a"), content.clone(), plain()).await.unwrap();
    proxy.set(Fault::Cut { after: 3_800_000 });
    assert!(whole(objects.get_stream(&name("a")).await.unwrap()).await.unwrap() == content);
    proxy.set(Fault::Cut { after: 100_000 });
    // A reset may overtake what was sent before it, the beginning as well.
    let error = match objects.get_stream(&name("a")).await {
        Ok(stream) => *whole(stream).await.unwrap_err().downcast::<ObjectError>().unwrap(),
        Err(error) => error,
    };
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error:?}");
}

/// A service that does nothing but what it is told to.
struct Nothing;

impl Service for Nothing {
    fn answer(&mut self, _: &Request) -> Reply {
        Reply::empty(200).with("etag", "\"e\"")
    }

    fn refusal(&self, status: u16) -> Reply {
        let body = "<Error><Code>SlowDown</Code><Message>Please reduce.</Message></Error>";
        Reply { body: body.into(), ..Reply::empty(status) }
    }
}

fn told_what_to_do() -> (S3, Simulator<Nothing>) {
    let server = Simulator::start(Nothing);
    (s3_at(&server.url(), Duration::from_secs(5)), server)
}

#[tokio::test]
async fn a_limit_is_waited_out_as_long_as_it_asks_for() {
    let (objects, server) = told_what_to_do();
    server.fail([Answer::RetryAfter(503, 1)]);
    let begun = Instant::now();
    objects.put(&name("a"), b"x".to_vec(), plain()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it did not wait");
    server.fail([Answer::RetryAfter(503, 3_600)]);
    let begun = Instant::now();
    let limited = objects.put(&name("a"), b"x".to_vec(), plain()).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1), "it waited in vain");
    let hour = Some(Duration::from_hours(1));
    assert!(
        matches!(&limited, ObjectError::RateLimited { retry_after, .. } if *retry_after == hour),
        "{limited:?}"
    );
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_empty_list() {
    let (objects, _server) = told_what_to_do();
    let listed = objects.list(Listing::all(NamePrefix::default())).await;
    assert!(matches!(listed, Err(ObjectError::UnexpectedAnswer(_))), "{listed:?}");
}
