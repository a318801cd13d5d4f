//! What is a directory's own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use portcullis_conformance::bucket::{bytes, in_pieces, name, pieces, plain};
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::FolderName;
use portcullis_domain::object::{Listing, NamePrefix, SignedUrl};
use portcullis_domain::ports::{ObjectError, ObjectStore, SignedDownloads};
use portcullis_storage::{Local, LocalLinks};

use crate::buckets::local;
use crate::calls::every_failure;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut found): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

#[tokio::test]
async fn an_upload_leaves_nothing_beside_its_object() {
    let (bucket, folder) = local().await;
    let broken = pieces(vec![Ok(bytes(100_000, 1)), Err("the disk is gone".into())]);
    bucket.put_stream(&name("a"), broken, plain()).await.unwrap_err();
    assert_eq!(files(folder.path()), [""; 0].map(PathBuf::from));
    let endless = Box::pin(futures_util::stream::pending());
    let target = name("a");
    let given_up = bucket.put_stream(&target, endless, plain());
    assert!(tokio::time::timeout(Duration::from_millis(50), given_up).await.is_err());
    assert_eq!(files(folder.path()), [""; 0].map(PathBuf::from));
    bucket.put_stream(&name("a"), in_pieces(b"content", 3), plain()).await.unwrap();
    assert_eq!(files(folder.path()), [folder.path().join("bucket/a.o")]);
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let (bucket, folder) = local().await;
    let told = bucket.put(&name("a/b"), b"content".to_vec(), plain()).await.unwrap();
    drop(bucket);
    let links = LocalLinks::new(
        &vec![8; 32].into(),
        "https://auth.example".parse().unwrap(),
        Arc::new(ManualClock::at(START)),
    );
    let again = Local::open(folder.path().join("bucket"), links.unwrap()).await.unwrap();
    assert_eq!(again.get(&name("a/b"), 100).await.unwrap(), b"content");
    let stat = again.stat(&name("a/b")).await.unwrap();
    assert_eq!((stat.etag, stat.checksums), (told.etag, told.checksums));
}

#[tokio::test]
async fn a_directory_that_is_gone_is_no_missing_object() {
    let (bucket, folder) = local().await;
    let root = folder.path().join("bucket");
    let link = bucket.sign_download(&name("a"), Duration::from_mins(1)).await.unwrap();
    let [expires, signature] = query(&link);
    fs::remove_dir_all(&root).unwrap();
    for _ in 0..2 {
        let mut errors = every_failure(&bucket).await;
        errors.push(bucket.open(&name("a"), &expires, &signature, 10).await.unwrap_err());
        for error in errors {
            assert!(matches!(error, ObjectError::BucketNotFound(_)), "{error:?}");
        }
        assert!(!root.is_dir(), "it was made anew");
        // And it is none if it is no directory.
        fs::write(&root, "no folder").unwrap();
    }
}

#[tokio::test]
async fn a_directory_that_is_emptied_is_empty() {
    let (bucket, folder) = local().await;
    let root = folder.path().join("bucket");
    bucket.put(&name("a/b"), b"x".to_vec(), plain()).await.unwrap();
    fs::remove_dir_all(&root).unwrap();
    fs::create_dir(&root).unwrap();
    let gone = bucket.get(&name("a/b"), 10).await.unwrap_err();
    assert!(matches!(gone, ObjectError::NotFound { .. }), "{gone:?}");
    let page = bucket.list(Listing::all(NamePrefix::default())).await.unwrap();
    assert!(page.objects.is_empty());
    bucket.delete(&name("a/b")).await.unwrap();
    bucket.put(&name("a/b"), b"x".to_vec(), plain()).await.unwrap();
    assert_eq!(bucket.get(&name("a/b"), 10).await.unwrap(), b"x");
}

/// The mode of a file that any program makes here.
fn ordinary(folder: &Path) -> u32 {
    let file = folder.join("ordinary");
    fs::write(&file, "").unwrap();
    mode(&file)
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn an_objects_file_is_an_ordinary_one() {
    let (bucket, folder) = local().await;
    bucket.put(&name("a"), b"x".to_vec(), plain()).await.unwrap();
    bucket.copy(&name("a"), &name("b")).await.unwrap();
    for file in ["a.o", "b.o"] {
        assert_eq!(mode(&folder.path().join("bucket").join(file)), ordinary(folder.path()));
    }
}

/// What a link gives out while its object is replaced again and again: of one
/// upload, the attributes and the content.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_gives_out_one_version() {
    let (bucket, _folder) = local().await;
    let (bucket, name) = (Arc::new(bucket), name("a"));
    let version = |number: u8| vec![number; 10_000 + usize::from(number)];
    bucket.put(&name, version(0), plain()).await.unwrap();
    let link = bucket.sign_download(&name, Duration::from_mins(1)).await.unwrap();
    let [expires, signature] = query(&link);
    let (writer, written) = (Arc::clone(&bucket), name.clone());
    let writing = tokio::spawn(async move {
        for number in (1..=250).chain(0..=250) {
            writer.put(&written, version(number), plain()).await.unwrap();
        }
    });
    while !writing.is_finished() {
        let opened = bucket.open(&name, &expires, &signature, 1 << 20).await.unwrap();
        let (meta, content) = opened.expect("it is always there");
        assert!(content == version(content[0]), "{} bytes of {}", content.len(), content[0]);
        assert_eq!(meta.size, content.len() as u64, "told of another version");
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn a_file_in_place_of_the_directory_is_told() {
    let (bucket, folder) = local().await;
    let root = folder.path().join("bucket");
    fs::remove_dir_all(&root).unwrap();
    fs::write(&root, "no folder").unwrap();
    bucket.put(&name("a"), b"x".to_vec(), plain()).await.unwrap_err();
    let links = LocalLinks::new(
        &vec![8; 32].into(),
        "https://auth.example".parse().unwrap(),
        Arc::new(ManualClock::at(START)),
    );
    Local::open(root, links.unwrap()).await.map(|_| ()).unwrap_err();
}

#[tokio::test]
async fn a_file_that_somebody_wrote_into_is_no_object() {
    let (bucket, folder) = local().await;
    bucket.put(&name("a"), b"content".to_vec(), plain()).await.unwrap();
    let file = folder.path().join("bucket/a.o");
    for broken in [Vec::new(), b"{}".to_vec(), vec![b' '; 8 * 1024], vec![b'{'; 9 * 1024]] {
        fs::write(&file, broken).unwrap();
        for error in [
            bucket.get(&name("a"), 10).await.unwrap_err(),
            bucket.stat(&name("a")).await.unwrap_err(),
        ] {
            assert!(matches!(error, ObjectError::UnexpectedAnswer(_)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn files_of_others_are_no_objects() {
    let (bucket, folder) = local().await;
    bucket.put(&name("a/b"), b"content".to_vec(), plain()).await.unwrap();
    let root = folder.path().join("bucket");
    for file in [".DS_Store", "a.d/notes.txt", "incoming/half"] {
        fs::write(root.join(file), "theirs").unwrap();
    }
    let page = bucket.list(Listing::all(NamePrefix::default())).await.unwrap();
    let names: Vec<_> = page.objects.iter().map(|meta| meta.name.as_str()).collect();
    assert_eq!(names, ["a/b"]);
    let page = bucket.list(Listing::of_folder(None)).await.unwrap();
    assert_eq!(page.folders, [FolderName::parse("a").unwrap()]);
}

#[tokio::test]
async fn parallel_uploads_and_deletions_do_not_meet() {
    let (bucket, folder) = local().await;
    let bucket = Arc::new(bucket);
    let tasks = (0..8).map(|number| {
        let bucket = Arc::clone(&bucket);
        tokio::spawn(async move {
            let name = name(&format!("a/b/{number}"));
            for _ in 0..50 {
                bucket.put(&name, b"x".to_vec(), plain()).await.unwrap();
                bucket.delete(&name).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(files(folder.path()), [""; 0].map(PathBuf::from));
}

/// The two values of a link's query.
fn query(link: &SignedUrl) -> [String; 2] {
    let url = url::Url::parse(link.expose()).unwrap();
    let values: Vec<_> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
    values.try_into().unwrap()
}

#[tokio::test]
async fn a_link_is_checked_by_the_bucket_that_made_it() {
    let (bucket, _folder) = local().await;
    let (odd, other) = (name("a b/100%?#.png"), name("other"));
    for name in [&odd, &other] {
        bucket.put(name, b"content".to_vec(), plain()).await.unwrap();
    }
    let link = bucket.sign_download(&odd, Duration::from_mins(1)).await.unwrap();
    let [expires, signature] = query(&link);
    let (meta, content) = bucket.open(&odd, &expires, &signature, 10).await.unwrap().unwrap();
    assert_eq!((meta.name, content), (odd.clone(), b"content".to_vec()));
    assert_eq!(bucket.open(&other, &expires, &signature, 10).await.unwrap(), None);
    bucket.delete(&odd).await.unwrap();
    assert_eq!(bucket.open(&odd, &expires, &signature, 10).await.unwrap(), None);
    let public = bucket.public_url(&odd).unwrap();
    assert_eq!(public, "https://auth.example/files/a%20b/100%25%3F%23.png");
    assert!(link.expose().starts_with(&format!("{public}?")), "{}", link.expose());
}
