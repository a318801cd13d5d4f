//! Backblaze's own API, against a simulator that is as strict as Backblaze
//! publishes itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use portcullis_domain::ObjectName;
use portcullis_domain::error::with_causes;
use portcullis_domain::object::SignedUrl;
use portcullis_simulators::{Fault, Simulator, b2};
use portcullis_storage::{
    B2, B2Bucket, B2Error, B2Settings, BucketType, FileId, InvalidB2Settings,
};

const KEY_ID: &str = "0041234567890ab0000000001";
const KEY: &str = "K004s3cretZm9yZ2VkLWtleQ";

fn backblaze() -> Simulator<b2::B2> {
    Simulator::start(b2::B2::new(KEY_ID, KEY))
}

fn client_with(server: &Simulator<b2::B2>, key: &str) -> B2 {
    let settings = B2Settings::new(server.url().parse().unwrap(), KEY_ID, key.into());
    B2::new(B2Settings { deadline: Duration::from_secs(3), ..settings }).unwrap()
}

fn client(server: &Simulator<b2::B2>) -> B2 {
    client_with(server, KEY)
}

fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

async fn bucket(b2: &B2, name: &str) -> B2Bucket {
    b2.create_bucket(name, BucketType::default(), BTreeMap::new()).await.unwrap()
}

/// What anybody gets at that URL: the status and the content.
async fn fetch(url: &str) -> (u16, Vec<u8>) {
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn authorization_is_asked_for_once() {
    let server = backblaze();
    let b2 = client(&server);
    assert_eq!(server.with(|b2| b2.authorizations()), 0, "before the first call");
    let calls = (0..8).map(|_| {
        let b2 = b2.clone();
        tokio::spawn(async move { b2.list_buckets().await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap().is_empty());
    }
    b2.authorize().await.unwrap();
    assert_eq!(server.with(|b2| b2.authorizations()), 1);
}

#[tokio::test]
async fn a_token_that_has_expired_is_replaced() {
    let server = backblaze();
    let b2 = client(&server);
    b2.list_buckets().await.unwrap();
    for times in 2..4 {
        server.with(b2::B2::expire_tokens);
        b2.list_buckets().await.unwrap();
        assert_eq!(server.with(|b2| b2.authorizations()), times);
    }
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_untold() {
    let server = backblaze();
    let b2 = client_with(&server, "K004wrong-s3cret");
    for error in [
        b2.authorize().await.unwrap_err(),
        b2.list_buckets().await.unwrap_err(),
        b2.bucket("bucket").await.map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, B2Error::Denied(_)), "{error:?}");
        let told = format!("{} {error:?} {b2:?}", with_causes(&error));
        assert!(!told.contains("s3cret"), "{told}");
    }
    for key in ["", " ", "a b", "ü"] {
        let settings = B2Settings::new(server.url().parse().unwrap(), KEY_ID, key.into());
        assert!(matches!(B2::new(settings), Err(InvalidB2Settings::Key)), "{key:?}");
    }
}

#[tokio::test]
async fn a_bucket_is_made_found_changed_and_deleted() {
    let server = backblaze();
    let b2 = client(&server);
    let info: BTreeMap<_, _> = [("purpose".to_owned(), "portraits".to_owned())].into();
    let made = b2.create_bucket("portraits", BucketType::AllPublic, info.clone()).await.unwrap();
    assert_eq!(
        (made.info().name.as_str(), &made.info().kind),
        ("portraits", &BucketType::AllPublic)
    );
    assert_eq!(made.info().info, info);
    let second = bucket(&b2, "second").await;
    assert_eq!(second.info().kind, BucketType::AllPrivate);
    let names: Vec<_> = b2.list_buckets().await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["portraits", "second"]);
    let found = b2.bucket("portraits").await.unwrap();
    assert_eq!(found.info(), made.info());
    let closed = found.update(Some(BucketType::AllPrivate), None).await.unwrap();
    assert_eq!((&closed.info().kind, &closed.info().info), (&BucketType::AllPrivate, &info));
    let cleared = closed.update(None, Some(BTreeMap::new())).await.unwrap();
    assert_eq!(cleared.info().kind, BucketType::AllPrivate);
    assert!(cleared.info().info.is_empty());
    cleared.delete().await.unwrap();
    assert_eq!(b2.list_buckets().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_done_to_a_bucket_is_told_by_its_name() {
    let server = backblaze();
    let b2 = client(&server);
    for wrong in ["", " ", "\t", "short", "under_score", "a/b/c/d", &"x".repeat(64)] {
        let found = b2.bucket(wrong).await;
        assert!(matches!(found, Err(B2Error::BucketName(_))), "{wrong:?}");
        let made = b2.create_bucket(wrong, BucketType::default(), BTreeMap::new()).await;
        assert!(matches!(made, Err(B2Error::BucketName(_))), "{wrong:?}");
    }
    assert!(server.take_requests().is_empty(), "what is no name is not asked for");
    let absent = b2.bucket("absent").await;
    assert!(matches!(absent, Err(B2Error::BucketNotFound(name)) if name == "absent"));
    let first = bucket(&b2, "bucket").await;
    let again = b2.create_bucket("BUCKET", BucketType::default(), BTreeMap::new()).await;
    assert!(matches!(again, Err(B2Error::BucketNameTaken(_))), "{again:?}");
    let snapshot = b2.create_bucket("others", BucketType::Snapshot, BTreeMap::new()).await;
    assert!(matches!(snapshot, Err(B2Error::Refused(_))), "{snapshot:?}");
    server.with(|b2| b2.touch("bucket"));
    let changed = first.clone().update(Some(BucketType::AllPublic), None).await;
    assert!(matches!(changed, Err(B2Error::BucketChanged(_))), "{changed:?}");
    server.with(|b2| b2.upload("bucket", "a", b"x"));
    let full = first.delete().await;
    assert!(matches!(full, Err(B2Error::BucketNotEmpty(_))), "{full:?}");
    let empty = bucket(&b2, "second").await;
    empty.clone().delete().await.unwrap();
    let gone = empty.list_versions("", 10, None).await;
    assert!(matches!(gone, Err(B2Error::BucketGone(_))), "{gone:?}");
    let gone = empty.delete().await;
    assert!(matches!(gone, Err(B2Error::BucketGone(_))), "{gone:?}");
}

#[tokio::test]
async fn a_version_is_told_and_deleted_by_its_id() {
    let server = backblaze();
    let b2 = client(&server);
    let bucket = bucket(&b2, "bucket").await;
    let upload = |content: &[u8]| {
        let id = server.with(|b2| b2.upload("bucket", "a/b c.txt", content));
        FileId::parse(&id).unwrap()
    };
    let (old, new) = (upload(b"The quick brown fox jumps over the lazy dog"), upload(b"new"));
    let told = b2.file(&old).await.unwrap();
    assert_eq!((told.id.clone(), told.name.as_str(), told.size), (old.clone(), "a/b c.txt", 43));
    assert_eq!(told.bucket_id, bucket.info().id);
    assert_eq!(
        (told.action.as_str(), told.content_type.as_deref()),
        ("upload", Some("text/plain"))
    );
    assert_eq!(told.info, [("scanned".to_owned(), "true".to_owned())].into());
    let sha1 = told.checksums.sha1.unwrap();
    assert_eq!((sha1[0], sha1[1], sha1[19]), (0x2f, 0xd4, 0x12));
    assert_eq!(told.uploaded.to_string(), "2026-11-22T12:00:00.002000Z");
    let url = bucket.temporary_url(&name("a/b c.txt"), Duration::from_mins(1)).await.unwrap();
    assert_eq!(fetch(url.expose()).await, (200, b"new".to_vec()));
    b2.delete_version(&new, &name("a/b c.txt")).await.unwrap();
    assert_eq!(fetch(url.expose()).await.1, b"The quick brown fox jumps over the lazy dog");
    for again in [
        b2.delete_version(&new, &name("a/b c.txt")).await.unwrap_err(),
        b2.delete_version(&old, &name("another")).await.unwrap_err(),
        b2.file(&new).await.unwrap_err(),
    ] {
        assert!(matches!(again, B2Error::FileNotFound(_)), "{again:?}");
    }
}

#[tokio::test]
async fn versions_come_page_by_page() {
    let server = backblaze();
    let b2 = client(&server);
    let bucket = bucket(&b2, "bucket").await;
    for (file, versions) in [("a/1", 3), ("a/2", 1), ("a/3", 2), ("b", 1)] {
        for version in 0..versions {
            server.with(|b2| b2.upload("bucket", file, format!("{version}").as_bytes()));
        }
    }
    for limit in [1, 2, 1_000] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = bucket.list_versions("a/", limit, after.as_ref()).await.unwrap();
            assert!(page.versions.len() <= limit as usize);
            found.extend(page.versions);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let names: Vec<_> = found.iter().map(|version| version.name.as_str()).collect();
        assert_eq!(names, ["a/1", "a/1", "a/1", "a/2", "a/3", "a/3"], "{limit} a page");
        assert!(found[0].uploaded > found[1].uploaded, "the newest is first");
    }
}

#[tokio::test]
async fn a_temporary_link_opens_its_file_and_no_other() {
    let server = backblaze();
    let b2 = client(&server);
    let (ours, theirs) = (bucket(&b2, "bucket").await, bucket(&b2, "others").await);
    let odd = name("a b/100%?#&+ü.txt");
    let id = server.with(|b2| b2.upload("bucket", odd.as_str(), b"content"));
    server.with(|b2| b2.upload("bucket", "secret", b"secret"));
    let id = FileId::parse(&id).unwrap();
    let plain = ours.download_url(&odd).await.unwrap();
    assert_eq!(fetch(&plain).await.0, 401, "the bucket is private");
    let minute = Duration::from_mins(1);
    let by_name: SignedUrl = ours.temporary_url(&odd, minute).await.unwrap();
    let by_id = ours.temporary_url_by_id(&id, minute).await.unwrap();
    for url in [by_name.expose(), by_id.expose()] {
        assert_eq!(fetch(url).await, (200, b"content".to_vec()));
    }
    let secret = ours.download_url(&name("secret")).await.unwrap();
    let (_, query) = by_name.expose().split_once('?').unwrap();
    assert_eq!(fetch(&format!("{secret}?{query}")).await.0, 401, "of another file");
    let foreign = theirs.temporary_url_by_id(&id, minute).await;
    assert!(matches!(foreign, Err(B2Error::FileNotFound(_))), "{foreign:?}");
    let by_url = FileId::of_url(&b2.download_url_by_id(&id).await.unwrap()).unwrap();
    assert_eq!(by_url, id);
    for lifetime in [Duration::ZERO, Duration::from_secs(604_801)] {
        let refused = ours.temporary_url(&odd, lifetime).await;
        assert!(matches!(refused, Err(B2Error::Lifetime)), "{lifetime:?}");
        let refused = ours.temporary_url_by_id(&id, lifetime).await;
        assert!(matches!(refused, Err(B2Error::Lifetime)), "{lifetime:?}");
    }
}

#[tokio::test]
async fn a_public_bucket_needs_no_link() {
    let server = backblaze();
    let b2 = client(&server);
    let open = b2.create_bucket("bucket", BucketType::AllPublic, BTreeMap::new()).await.unwrap();
    let id = server.with(|b2| b2.upload("bucket", "a/b", b"content"));
    let by_name = open.download_url(&name("a/b")).await.unwrap();
    let by_id = b2.download_url_by_id(&FileId::parse(&id).unwrap()).await.unwrap();
    for url in [by_name, by_id] {
        assert_eq!(fetch(&url).await, (200, b"content".to_vec()), "{url}");
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_when_that_is_safe() {
    let server = backblaze();
    let b2 = client(&server);
    b2.authorize().await.unwrap();
    for faults in [vec![Fault::Status(503)], vec![Fault::Cut, Fault::Status(500)]] {
        server.fail(faults);
        b2.list_buckets().await.unwrap();
    }
    server.fail([Fault::RetryAfter(429, 1)]);
    let begun = Instant::now();
    b2.list_buckets().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it did not wait");
    server.fail([Fault::Status(500)]);
    let made = b2.create_bucket("bucket", BucketType::default(), BTreeMap::new()).await;
    assert!(matches!(made, Err(B2Error::Unavailable(_))), "it may have been done: {made:?}");
}

#[tokio::test]
async fn a_server_that_stays_in_trouble_is_told_by_its_kind() {
    let server = backblaze();
    let b2 = client(&server);
    b2.authorize().await.unwrap();
    server.fail([Fault::RetryAfter(429, 3_600)]);
    let limited = b2.list_buckets().await.unwrap_err();
    let hour = Some(Duration::from_hours(1));
    assert!(
        matches!(&limited, B2Error::RateLimited { retry_after, .. } if *retry_after == hour),
        "{limited:?}"
    );
    for fault in
        [Fault::Status(503), Fault::Cut, Fault::Truncate, Fault::Hang(Duration::from_secs(9))]
    {
        server.fail([fault.clone(), fault.clone(), fault.clone()]);
        let error = b2.list_buckets().await.unwrap_err();
        assert!(matches!(error, B2Error::Unavailable(_)), "{fault:?}: {error:?}");
        server.recover();
    }
    server.fail([Fault::Refusal(200, "[]".into())]);
    let odd = b2.list_buckets().await.unwrap_err();
    assert!(matches!(odd, B2Error::UnexpectedAnswer(_)), "{odd:?}");
    drop(server);
    let gone = b2.list_buckets().await.unwrap_err();
    assert!(matches!(gone, B2Error::Unavailable(_)), "{gone:?}");
}
