//! Laws of a store of objects: what is written is read.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ContentType;
use portcullis_domain::object::{Metadata, ObjectAttributes};
use portcullis_domain::ports::{ObjectError, SIGNED_LIFETIMES};

use crate::bucket::{Bucket, bytes, in_pieces, name, plain, whole};

/// More than any content of a law.
const NO_LIMIT: u64 = 1 << 30;

/// Bytes of every value and of several lengths, whole and piece by piece.
pub async fn what_was_written_is_read(bucket: &Bucket) {
    let objects = &bucket.objects;
    for length in [0, 1, 4_095, 300_000] {
        let (name, content) = (name(&format!("of/{length}")), bytes(length, 1));
        let told = objects.put(&name, content.clone(), plain()).await.unwrap();
        let size = u64::try_from(length).unwrap();
        assert_eq!((&told.name, told.size), (&name, size));
        assert_eq!(told.content_type, Some(plain().content_type));
        assert!(objects.get(&name, NO_LIMIT).await.unwrap() == content, "{length} bytes");
        let stream = objects.get_stream(&name).await.unwrap();
        assert!(whole(stream).await.unwrap() == content, "{length} bytes as a stream");
        let stat = objects.stat(&name).await.unwrap();
        assert_eq!((stat.name, stat.size), (name, size));
        assert!(stat.modified.is_some(), "it was written at no time");
    }
}

/// Also one that is longer than any store takes at once, in pieces that divide
/// nothing evenly.
pub async fn a_stream_is_stored_whole(bucket: &Bucket) {
    let objects = &bucket.objects;
    for (length, piece) in [(0, 1), (1, 1), (1_000, 7), (11 * 1024 * 1024 + 5, 700_001)] {
        let (name, content) = (name(&format!("of/{length}")), bytes(length, 2));
        let told = objects.put_stream(&name, in_pieces(&content, piece), plain()).await.unwrap();
        assert_eq!((&told.name, told.size), (&name, u64::try_from(length).unwrap()));
        assert!(objects.get(&name, NO_LIMIT).await.unwrap() == content, "{length} bytes");
        let stat = objects.stat(&name).await.unwrap();
        assert_eq!(stat.content_type, Some(plain().content_type), "{length} bytes");
    }
}

/// The content type with its parameters, and notes as many as may be.
pub async fn attributes_are_kept(bucket: &Bucket) {
    let objects = &bucket.objects;
    let notes: BTreeMap<_, _> = (0..Metadata::MAX_ENTRIES)
        .map(|number| (format!("note-{number}"), format!("{number}; \"a b\" = 100% /+~")))
        .collect();
    let attributes = ObjectAttributes {
        content_type: ContentType::parse("text/html; charset=utf-8").unwrap(),
        metadata: Metadata::new(notes.clone()).unwrap(),
    };
    let (whole, streamed, copied) = (name("whole"), name("streamed"), name("copied"));
    objects.put(&whole, b"<p>".to_vec(), attributes.clone()).await.unwrap();
    let content = in_pieces(b"<p>", 2);
    objects.put_stream(&streamed, content, attributes.clone()).await.unwrap();
    objects.copy(&whole, &copied).await.unwrap();
    for name in [whole, streamed, copied] {
        let stat = objects.stat(&name).await.unwrap();
        assert_eq!(stat.content_type.as_ref(), Some(&attributes.content_type), "{name}");
        assert_eq!(stat.metadata, notes, "{name}");
    }
}

/// Nothing of a name is changed, lost, or taken for something else.
pub async fn every_name_is_kept(bucket: &Bucket) {
    let objects = &bucket.objects;
    let long = vec!["y".repeat(249); 4].join("/");
    let names: Vec<_> = [
        "a",
        "a/b",
        "a/b/c.tar.gz",
        "A",
        " blanks at ends ",
        "100%/%2F/%25",
        "a?b=c&d#e",
        "a+b c",
        "ü/你好/🙂",
        "e\u{301}",
        "é",
        "...",
        "~/.profile",
        "<a>&amp;\"b\"'c'",
        "semi;colon:at@star*|{}[]^`!$(),=",
        &long,
    ]
    .into_iter()
    .map(name)
    .collect();
    for name in &names {
        objects.put(name, name.as_str().as_bytes().to_vec(), plain()).await.unwrap();
    }
    for name in &names {
        let content = objects.get(name, NO_LIMIT).await.unwrap();
        assert_eq!(String::from_utf8(content).unwrap(), name.as_str());
        assert_eq!(objects.stat(name).await.unwrap().name, *name);
    }
    let copy = name("copy");
    for name in &names {
        objects.copy(name, &copy).await.unwrap();
        let content = objects.get(&copy, NO_LIMIT).await.unwrap();
        assert_eq!(String::from_utf8(content).unwrap(), name.as_str());
    }
    for gone in &names {
        objects.delete(gone).await.unwrap();
        let found = objects.stat(gone).await;
        assert!(matches!(found, Err(ObjectError::NotFound { .. })), "{gone}: {found:?}");
    }
}

/// Content, type and notes; nothing of the one before stays.
pub async fn the_last_upload_replaces_everything(bucket: &Bucket) {
    let (objects, name) = (&bucket.objects, name("a/b"));
    let attributes = ObjectAttributes {
        content_type: ContentType::parse("image/png").unwrap(),
        metadata: Metadata::new([("scanned".to_owned(), "true".to_owned())].into()).unwrap(),
    };
    objects.put(&name, bytes(2_000, 3), attributes).await.unwrap();
    objects.put(&name, b"short".to_vec(), plain()).await.unwrap();
    assert_eq!(objects.get(&name, NO_LIMIT).await.unwrap(), b"short");
    let stat = objects.stat(&name).await.unwrap();
    assert_eq!((stat.size, stat.content_type), (5, Some(plain().content_type)));
    assert_eq!(stat.metadata, BTreeMap::new());
}

/// And says which it is.
pub async fn what_is_not_there_is_not_found(bucket: &Bucket) {
    let (objects, absent) = (&bucket.objects, name("a/absent"));
    objects.put(&name("a/absentee"), b"another".to_vec(), plain()).await.unwrap();
    for error in [
        objects.get(&absent, NO_LIMIT).await.unwrap_err(),
        objects.get_stream(&absent).await.map(|_| ()).unwrap_err(),
        objects.stat(&absent).await.unwrap_err(),
        objects.copy(&absent, &name("b")).await.unwrap_err(),
    ] {
        assert!(matches!(&error, ObjectError::NotFound { name, .. } if *name == absent), "{error}");
    }
    let found = objects.stat(&name("b")).await;
    assert!(matches!(found, Err(ObjectError::NotFound { .. })), "nothing was copied: {found:?}");
}

/// What becomes of one does not touch the other.
pub async fn a_copy_lives_on_its_own(bucket: &Bucket) {
    let (objects, from, to) = (&bucket.objects, name("from"), name("to/there"));
    objects.put(&to, b"what was there".to_vec(), plain()).await.unwrap();
    objects.put(&from, b"one".to_vec(), plain()).await.unwrap();
    objects.copy(&from, &to).await.unwrap();
    objects.put(&from, b"two".to_vec(), plain()).await.unwrap();
    assert_eq!(objects.get(&to, NO_LIMIT).await.unwrap(), b"one");
    objects.delete(&from).await.unwrap();
    assert_eq!(objects.get(&to, NO_LIMIT).await.unwrap(), b"one");
}

/// Not even when it was written. What is not there is not made by it.
pub async fn a_copy_onto_itself_changes_nothing(bucket: &Bucket) {
    let (objects, here) = (&bucket.objects, name("a/b"));
    let attributes = ObjectAttributes {
        content_type: ContentType::parse("image/png").unwrap(),
        metadata: Metadata::new([("scanned".to_owned(), "true".to_owned())].into()).unwrap(),
    };
    objects.put(&here, b"content".to_vec(), attributes).await.unwrap();
    let before = objects.stat(&here).await.unwrap();
    objects.copy(&here, &here).await.unwrap();
    assert_eq!(objects.stat(&here).await.unwrap(), before);
    assert_eq!(objects.get(&here, NO_LIMIT).await.unwrap(), b"content");
    let absent = name("a/absent");
    let copied = objects.copy(&absent, &absent).await;
    assert!(
        matches!(&copied, Err(ObjectError::NotFound { name, .. }) if *name == absent),
        "{copied:?}"
    );
}

/// Whoever deletes again after a lost answer is not told that it failed.
pub async fn what_is_gone_can_be_deleted_again(bucket: &Bucket) {
    let (objects, gone) = (&bucket.objects, name("a/b"));
    objects.put(&gone, b"x".to_vec(), plain()).await.unwrap();
    objects.put(&name("a/bc"), b"x".to_vec(), plain()).await.unwrap();
    for _ in 0..2 {
        objects.delete(&gone).await.unwrap();
        let found = objects.get(&gone, NO_LIMIT).await;
        assert!(matches!(found, Err(ObjectError::NotFound { .. })), "{found:?}");
    }
    objects.stat(&name("a/bc")).await.unwrap();
}

/// Each one and no other.
pub async fn of_many_names_each_is_deleted(bucket: &Bucket) {
    let objects = &bucket.objects;
    let names: Vec<_> = (0..30).map(|number| name(&format!("many/{number} & more"))).collect();
    for name in &names {
        objects.put(name, b"x".to_vec(), plain()).await.unwrap();
    }
    let mut gone = names[..20].to_vec();
    gone.push(name("many/never there"));
    let results = objects.delete_many(gone.clone()).await;
    assert_eq!(results.len(), gone.len());
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    for (number, name) in names.iter().enumerate() {
        assert_eq!(objects.stat(name).await.is_ok(), number >= 20, "{name}");
    }
    assert!(objects.delete_many(Vec::new()).await.is_empty());
}

/// Not one byte more than the caller wants to hold.
pub async fn what_is_too_long_is_not_read(bucket: &Bucket) {
    let (objects, name) = (&bucket.objects, name("a"));
    objects.put(&name, bytes(1_000, 4), plain()).await.unwrap();
    assert_eq!(objects.get(&name, 1_000).await.unwrap().len(), 1_000);
    for limit in [0, 999] {
        let refused = objects.get(&name, limit).await;
        assert!(
            matches!(&refused, Err(ObjectError::TooLarge { limit: told, .. }) if *told == limit),
            "{limit}: {:?}",
            refused.map(|content| content.len())
        );
    }
}

/// Against published digests of a known text.
pub async fn checksums_that_are_told_are_true(bucket: &Bucket) {
    let (objects, name) = (&bucket.objects, name("fox"));
    let text = b"The quick brown fox jumps over the lazy dog".to_vec();
    let told = objects.put(&name, text, plain()).await.unwrap();
    let hex = |digest: &[u8]| digest.iter().fold(String::new(), |hex, b| hex + &format!("{b:02x}"));
    for meta in [told, objects.stat(&name).await.unwrap()] {
        let checksums = meta.checksums;
        if let Some(md5) = checksums.md5 {
            assert_eq!(hex(&md5), "9e107d9d372bb6826bd81d3542a419d6");
        }
        if let Some(sha1) = checksums.sha1 {
            assert_eq!(hex(&sha1), "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12");
        }
        if let Some(sha256) = checksums.sha256 {
            let known = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592";
            assert_eq!(hex(&sha256), known);
        }
        if let Some(crc32c) = checksums.crc32c {
            assert_eq!(crc32c, 0x2262_0404);
        }
    }
}

/// The same as long as the content is the same, another with other content.
pub async fn an_etag_changes_with_the_content(bucket: &Bucket) {
    let (objects, name) = (&bucket.objects, name("a"));
    let mut etags = Vec::new();
    for content in ["one", "two"] {
        objects.put(&name, content.into(), plain()).await.unwrap();
        let first = objects.stat(&name).await.unwrap().etag.expect("there is one");
        assert_eq!(objects.stat(&name).await.unwrap().etag.as_ref(), Some(&first));
        etags.push(first);
    }
    assert_ne!(etags[0], etags[1]);
}

/// Before any store is asked: some sign what nobody will honour.
pub async fn a_signed_url_is_good_for_a_second_to_seven_days(bucket: &Bucket) {
    let (objects, name) = (&bucket.objects, name("a/b"));
    let (shortest, longest) = (*SIGNED_LIFETIMES.start(), *SIGNED_LIFETIMES.end());
    let too_short = Duration::from_millis(999);
    let too_long = longest + Duration::from_millis(1);
    for lifetime in [Duration::ZERO, too_short, too_long, Duration::MAX] {
        let refused = objects.sign_download(&name, lifetime).await;
        assert!(matches!(refused, Err(ObjectError::Lifetime)), "{lifetime:?}: {refused:?}");
    }
    for lifetime in [shortest, Duration::from_mins(15), longest] {
        let url = objects.sign_download(&name, lifetime).await.unwrap();
        assert!(url.expose().contains("a/b"), "{}", url.expose());
        assert_eq!(format!("{url:?}"), "SignedUrl(…)");
    }
}

/// While one is replaced again and again, whoever reads gets one that was there,
/// whole, and never nothing.
pub async fn readers_see_one_version(bucket: &Bucket) {
    let name = name("a/b");
    let version = |number: u8| vec![number; 200_000 + usize::from(number)];
    bucket.objects.put(&name, version(0), plain()).await.unwrap();
    let (writer, written) = (Arc::clone(&bucket.objects), name.clone());
    let writing = tokio::spawn(async move {
        for number in 1..=20 {
            writer.put(&written, version(number), plain()).await.unwrap();
        }
    });
    while !writing.is_finished() {
        let content = bucket.objects.get(&name, NO_LIMIT).await.unwrap();
        let number = content[0];
        assert!(content == version(number), "{} bytes of {number}", content.len());
        let stream = bucket.objects.get_stream(&name).await.unwrap();
        let content = whole(stream).await.unwrap();
        assert!(content == version(content[0]), "{} bytes as a stream", content.len());
        tokio::task::yield_now().await;
    }
    writing.await.unwrap();
    assert!(bucket.objects.get(&name, NO_LIMIT).await.unwrap() == version(20));
}
