//! Services that never answer, or whose answers come drop by drop.

use std::time::Duration;

use portcullis_conformance::bucket::{name, plain};
use portcullis_domain::error::with_causes;
use portcullis_domain::object::{Listing, NamePrefix};
use portcullis_domain::ports::{ObjectError, ObjectStore};
use portcullis_storage::{B2, B2Error, B2Settings, S3};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::buckets::s3_at;
use crate::calls::every_failure;
use crate::google::Account;

/// How long a request may take here.
const DEADLINE: Duration = Duration::from_millis(800);
/// The longest that one may take in fact, on a busy machine.
const BOUND: Duration = Duration::from_secs(3);
/// Between two bytes: shorter than any time-out of a single read.
const DRIP: Duration = Duration::from_millis(100);

/// An answer that takes a day and more to come.
const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\netag: \"e\"\r\nlast-modified: Sun, 22 Nov 2026 14:00:00 \
                      GMT\r\ncontent-length: 1000000\r\n\r\n";

#[derive(Clone, Copy, Debug)]
enum Says {
    /// It takes the request and says nothing.
    Nothing,
    /// The head of a success at once, and a byte now and then.
    Drops,
    /// The head of a refusal at once, and a byte now and then.
    DropsOfRefusal,
}

/// A service on a port; gives its URL.
async fn service(says: Says) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(answer(stream, says));
        }
    });
    url
}

async fn answer(mut stream: TcpStream, says: Says) {
    let mut request = vec![0; 16 * 1024];
    let _ = stream.read(&mut request).await;
    match says {
        Says::Nothing => std::future::pending::<()>().await,
        Says::Drops => drop(stream.write_all(HEAD).await),
        Says::DropsOfRefusal => {
            let head = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 1000000\r\n\r\n";
            drop(stream.write_all(head).await);
        }
    }
    while stream.write_all(b" ").await.is_ok() {
        sleep(DRIP).await;
    }
}

fn s3(url: &str) -> S3 {
    s3_at(url, DEADLINE)
}

/// That it ends, in time, and finds the store away.
async fn ends<T>(what: &str, call: impl Future<Output = Result<T, ObjectError>>) {
    let begun = Instant::now();
    let ended = tokio::time::timeout(10 * BOUND, call).await;
    let Ok(Err(error)) = ended else { panic!("{what}: it did not fail in time") };
    assert!(matches!(error, ObjectError::Unavailable(_)), "{what}: {}", with_causes(&error));
    assert!(begun.elapsed() < BOUND, "{what}: {:?}", begun.elapsed());
}

/// Every call whose answer has a body.
async fn each_ends(objects: &dyn ObjectStore) {
    let (one, other) = (name("a/b"), name("c"));
    ends("put", objects.put(&one, b"x".to_vec(), plain())).await;
    ends("get", objects.get(&one, 2_000_000)).await;
    ends("list", objects.list(Listing::all(NamePrefix::default()))).await;
    ends("create_folder", objects.create_folder(&one.folder().unwrap())).await;
    ends("copy", objects.copy(&one, &other)).await;
    ends("delete", objects.delete(&one)).await;
    let deleted = async { objects.delete_many(vec![one.clone()]).await.remove(0) };
    ends("delete_many", deleted).await;
    let stream = async {
        let content = objects.get_stream(&one).await?;
        let cut = portcullis_conformance::bucket::whole(content).await.unwrap_err();
        Err::<(), _>(*cut.downcast::<ObjectError>().unwrap())
    };
    ends("get_stream", stream).await;
}

async fn each_fails_in_time(objects: &dyn ObjectStore) {
    let begun = Instant::now();
    let errors = every_failure(objects).await;
    for error in &errors {
        assert!(matches!(error, ObjectError::Unavailable(_)), "{}", with_causes(error));
    }
    let calls = u32::try_from(errors.len()).unwrap();
    assert!(begun.elapsed() < calls * BOUND, "{:?} for {calls} calls", begun.elapsed());
}

#[tokio::test]
async fn s3_that_is_silent_is_away() {
    each_fails_in_time(&s3(&service(Says::Nothing).await)).await;
}

#[tokio::test]
async fn s3_that_drips_is_away() {
    each_ends(&s3(&service(Says::Drops).await)).await;
    let refusing = s3(&service(Says::DropsOfRefusal).await);
    ends("a refusal", refusing.delete(&name("a"))).await;
}

#[tokio::test]
async fn google_that_is_silent_is_away() {
    let account = Account::new();
    let storage = account.storage_within(&service(Says::Nothing).await, DEADLINE);
    each_fails_in_time(&storage.bucket("bucket").unwrap()).await;
}

#[tokio::test]
async fn google_that_drips_is_away() {
    let account = Account::new();
    let storage = account.storage_within(&service(Says::Drops).await, DEADLINE);
    let bucket = storage.bucket("bucket").unwrap();
    each_ends(&bucket).await;
    ends("stat", bucket.stat(&name("a"))).await;
    let refusing = account.storage_within(&service(Says::DropsOfRefusal).await, DEADLINE);
    let refusing = refusing.bucket("bucket").unwrap();
    ends("a refusal", refusing.get(&name("a"), 10)).await;
}

/// Backblaze where the key is good, and all else is elsewhere; gives its URL.
async fn authorizing(api: &str) -> String {
    let body = serde_json::json!({
        "accountId": "a", "authorizationToken": "t",
        "apiInfo": {"storageApi": {"apiUrl": api, "downloadUrl": api}},
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 16 * 1024];
        let _ = stream.read(&mut request).await;
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    });
    url
}

#[tokio::test]
async fn backblaze_that_is_silent_or_drips_is_away() {
    for says in [Says::Nothing, Says::Drops, Says::DropsOfRefusal] {
        let slow = service(says).await;
        for url in [authorizing(&slow).await, slow] {
            let settings = B2Settings::new(url.parse().unwrap(), "key-id", "key".into());
            let b2 = B2::new(B2Settings { deadline: DEADLINE, ..settings }).unwrap();
            let begun = Instant::now();
            let away = b2.list_buckets().await.unwrap_err();
            assert!(matches!(away, B2Error::Unavailable(_)), "{says:?} at {url}: {away:?}");
            assert!(begun.elapsed() < BOUND, "{says:?} at {url}: {:?}", begun.elapsed());
        }
    }
}
