//! Pictures of account owners, in a folder and in a bucket.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_testkit::{Fault, FaultProxy, Moto};
use portcullis_tests::{Answer, LoggedIn, Server, eventually};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const AVATAR: &str = "/api/v1/auth/me/avatar";

/// A picture of one red pixel, half of it transparent.
fn png() -> Vec<u8> {
    let text = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    STANDARD.decode(text).unwrap()
}

async fn put(caller: &LoggedIn, content: Vec<u8>) -> Answer {
    let request = caller.request(Method::PUT, AVATAR).header("content-type", "image/png");
    Answer::to(request.body(content)).await
}

/// What anybody gets who has the URL.
async fn fetched(url: &str) -> (StatusCode, String, Vec<u8>) {
    let answer = reqwest::get(url).await.unwrap();
    let status = answer.status();
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (status, content_type, answer.bytes().await.unwrap().to_vec())
}

/// What every store has to do.
async fn lives(server: &Server) {
    let ann = server.logged_in("ann@example.com").await;
    ann.get(AVATAR).await.is_refused(404, "NOT_FOUND");
    let first = put(&ann, png()).await.expect(200);
    first.has_exactly(&["url", "expires_at", "content_type", "size", "updated_at"]);
    first.is_instant_at("/expires_at");
    let (status, content_type, content) = fetched(first.str("/url")).await;
    assert_eq!((status, content_type.as_str()), (StatusCode::OK, "image/png"));
    assert_eq!(content.len() as u64, first.body["size"].as_u64().unwrap());
    assert!(content.starts_with(b"\x89PNG"), "it is no picture");

    let shown = ann.get(AVATAR).await.expect(200);
    assert_eq!(shown.body["updated_at"], first.body["updated_at"]);
    assert_eq!(fetched(shown.str("/url")).await.2, content);

    // The one before is gone from the store, too.
    let second = put(&ann, png()).await.expect(200);
    assert!(!fetched(first.str("/url")).await.0.is_success(), "the old picture is still there");
    assert_eq!(fetched(second.str("/url")).await.0, StatusCode::OK);
    for _ in 0..2 {
        Answer::to(ann.request(Method::DELETE, AVATAR)).await.is(204);
    }
    assert!(!fetched(second.str("/url")).await.0.is_success(), "the picture is still there");
    ann.get(AVATAR).await.is_refused(404, "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_shown_replaced_and_removed_in_a_folder() {
    lives(&Server::start_with(&[("OBJECT_STORE_URL", "file:objects")]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_is_kept_shown_replaced_and_removed_in_a_bucket() {
    // It gives out what a URL names and does not check its signature; that the
    // signature is right is shown beside the adapter.
    let moto = crate::firebase::started(Moto::start_trusting).await;
    let (key_id, key) = moto.key();
    let url = format!("s3://{}?region=us-east-1&endpoint={}", moto.bucket(), moto.url());
    let settings = [
        ("OBJECT_STORE_URL", url.as_str()),
        ("OBJECT_STORE_KEY_ID", key_id),
        ("OBJECT_STORE_KEY", key),
    ];
    lives(&Server::start_with(&settings).await).await;
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_the_old_one_stays() {
    let settings = [("OBJECT_STORE_URL", "file:objects"), ("AVATAR_MAX_BYTES", "100000")];
    let server = Server::start_with(&settings).await;
    let ann = server.logged_in("ann@example.com").await;
    let kept = put(&ann, png()).await.expect(200);
    put(&ann, b"<svg/>".to_vec()).await.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    put(&ann, Vec::new()).await.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    put(&ann, png()[..50].to_vec()).await.is_refused(422, "VALIDATION_ERROR");
    put(&ann, vec![0; 100_001]).await.is_refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(ann.get(AVATAR).await.body["updated_at"], kept.body["updated_at"]);
    assert_eq!(fetched(kept.str("/url")).await.0, StatusCode::OK);
    let unknown = server.anonymous().request(Method::PUT, AVATAR).body(png());
    Answer::to(unknown).await.is_refused(403, "NOT_AUTHENTICATED");
}

/// A picture may be large, so nobody sends one before we know who they are.
#[tokio::test]
async fn a_stranger_is_refused_before_their_picture_is_read() {
    let server = Server::start_with(&[("OBJECT_STORE_URL", "file:objects")]).await;
    let answer = server.raw(
        "PUT /api/v1/auth/me/avatar HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n\
         Content-Length: 4000000\r\n\r\n",
    );
    assert_eq!(answer.status(), Some(403), "{answer:?}");
    assert!(answer.took < Duration::from_secs(3), "{answer:?}");
}

/// No more pictures are held in memory than there are places: whoever comes in vain
/// is told so before they send one, and others are served as ever.
#[tokio::test]
async fn pictures_that_never_arrive_take_places_and_no_more() {
    let server = Server::start_with(&[("OBJECT_STORE_URL", "file:objects")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let head = format!(
        "PUT {AVATAR} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
         Content-Type: image/png\r\nContent-Length: 4000000\r\n\r\n",
        ann.access
    );
    let mut stalled = Vec::new();
    // There are 18; one more each time, since a picture that is taken holds one, too.
    while stalled.len() < 18 || put(&ann, png()).await.status == 200 {
        assert!(stalled.len() < 100, "pictures are taken in spite of all that are on their way");
        let mut connection = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        stalled.push(connection);
    }
    put(&ann, png()).await.is_refused(503, "SERVICE_UNAVAILABLE");
    ann.me().await.is(200);
    drop(stalled);
    eventually("a place to be free", Duration::from_secs(10), async || {
        (put(&ann, png()).await.status == 200).then_some(())
    })
    .await;
}

/// Answers that are given before a picture is read: whoever sends all of it first, as
/// proxies and simple clients do, gets them all the same.
#[tokio::test]
async fn a_refusal_is_there_for_whoever_sends_a_whole_picture_first() {
    let without = Server::start().await;
    let with = Server::start_with(&[("OBJECT_STORE_URL", "file:objects")]).await;
    for (server, status) in [(&without, "404"), (&with, "403")] {
        let head = format!("PUT {AVATAR} HTTP/1.1\r\nHost: a\r\nContent-Length: 4194304\r\n\r\n");
        let mut connection = TcpStream::connect(("127.0.0.1", server.port())).await.unwrap();
        connection.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..16 {
            connection.write_all(&vec![0; 256 * 1024]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, format!("HTTP/1.1 {status}").as_bytes());
    }
}

#[tokio::test]
async fn what_nobody_signed_for_is_not_read_from_the_folder() {
    let server = Server::start_with(&[("OBJECT_STORE_URL", "file:objects")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let url = put(&ann, png()).await.expect(200).str("/url").to_owned();
    let path = url.split('?').next().unwrap().to_owned();
    for wrong in [
        path.clone(),
        format!("{path}?expires=9999999999"),
        format!("{path}?expires=9999999999&signature=AAAA"),
        url.replace("signature=", "signature=x"),
        url.replace("/objects/avatars/", "/objects/avatars/../../data/"),
        url.replace("/objects/avatars/", "/objects/..%2f..%2fdata%2f"),
    ] {
        assert_eq!(fetched(&wrong).await.0, StatusCode::NOT_FOUND, "{wrong}");
    }
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("'none'"));
}

#[tokio::test]
async fn a_store_that_is_away_is_told_in_time_and_loses_nothing() {
    let port = portcullis_testkit::free_port();
    let url = format!("s3://pictures?region=us-east-1&endpoint=http://127.0.0.1:{port}");
    let settings = [
        ("OBJECT_STORE_URL", url.as_str()),
        ("OBJECT_STORE_KEY_ID", "key"),
        ("OBJECT_STORE_KEY", "secret-canary"),
    ];
    let server = Server::start_with(&settings).await;
    let ann = server.logged_in("ann@example.com").await;
    let started = Instant::now();
    let away = put(&ann, png()).await;
    away.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    ann.get(AVATAR).await.is_refused(404, "NOT_FOUND");
    // One that takes the connection and says nothing is no better.
    let silent = FaultProxy::to_port(port);
    silent.set(Fault::Hang);
    let url = format!("s3://pictures?region=us-east-1&endpoint=http://{}", silent.address());
    let settings = [("OBJECT_STORE_URL", url.as_str()), settings[1], settings[2]];
    let patient = Server::start_with(&settings).await;
    let ann = patient.logged_in("ann@example.com").await;
    let started = Instant::now();
    put(&ann, png()).await.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
    assert!(!server.log().contains("secret-canary"), "{}", server.log());
}
