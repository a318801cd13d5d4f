//! Files and what else goes with any store.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt;
use portcullis_conformance::bucket::{bytes, name, pieces, plain};
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::object::{Listing, NamePrefix};
use portcullis_domain::ports::{MockObjectStore, ObjectError, ObjectStore};
use portcullis_domain::{ContentType, FolderName};
use portcullis_memory::MemoryObjects;
use portcullis_storage::{
    FileError, download_file, list_all, list_folders, move_object, name_of_file, upload_file,
};

fn memory() -> MemoryObjects {
    MemoryObjects::new(Arc::new(ManualClock::at(START)))
}

/// The names in a folder, and nothing of ours left among them.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_file_becomes_an_object_and_stays() {
    let (objects, folder) = (memory(), tempfile::tempdir().unwrap());
    let (file, content) = (folder.path().join("ann.png"), bytes(200_000, 1));
    fs::write(&file, &content).unwrap();
    let avatars = FolderName::parse("avatars").unwrap();
    let to = name_of_file(&file, Some(&avatars)).unwrap();
    assert_eq!(to.as_str(), "avatars/ann.png");
    assert_eq!(name_of_file(&file, None).unwrap().as_str(), "ann.png");
    let guessed = upload_file(&objects, &file, &to, None).await.unwrap();
    assert_eq!(guessed.content_type.unwrap().as_str(), "image/png");
    let told = upload_file(&objects, &file, &to, Some(plain())).await.unwrap();
    assert_eq!(told.content_type, Some(plain().content_type));
    assert!(objects.get(&to, 1 << 20).await.unwrap() == content);
    assert!(fs::read(&file).unwrap() == content);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_and_nothing_is_stored() {
    let (objects, folder) = (memory(), tempfile::tempdir().unwrap());
    let absent = folder.path().join("absent");
    let error = upload_file(&objects, &absent, &name("a"), None).await.unwrap_err();
    assert!(matches!(&error, FileError::NotFound(path) if *path == absent), "{error}");
    let error = upload_file(&objects, folder.path(), &name("a"), None).await.unwrap_err();
    assert!(matches!(error, FileError::Io { .. }), "{error}");
    let listed = objects.list(Listing::all(NamePrefix::default())).await.unwrap();
    assert!(listed.objects.is_empty());
}

#[tokio::test]
async fn a_failed_upload_touches_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ann.png");
    fs::write(&file, "content").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
    let mut objects = MockObjectStore::new();
    objects
        .expect_put_stream()
        .returning(|_, _, _| Err(ObjectError::Unavailable("it is away".into())));
    let error = upload_file(&objects, &file, &name("a"), None).await.unwrap_err();
    assert!(matches!(error, FileError::Store(ObjectError::Unavailable(_))), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "content");
}

#[tokio::test]
async fn an_object_becomes_a_file_in_folders_that_are_made() {
    let (objects, folder) = (memory(), tempfile::tempdir().unwrap());
    let content = bytes(200_000, 1);
    objects.put(&name("a"), content.clone(), plain()).await.unwrap();
    let file = folder.path().join("made/for/it/a");
    download_file(&objects, &name("a"), &file).await.unwrap();
    assert!(fs::read(&file).unwrap() == content);
    objects.put(&name("a"), b"new".to_vec(), plain()).await.unwrap();
    download_file(&objects, &name("a"), &file).await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(files(file.parent().unwrap()), ["a"]);
    let ordinary = folder.path().join("ordinary");
    fs::write(&ordinary, "").unwrap();
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode(&file), mode(&ordinary), "who may read it");
}

#[tokio::test]
async fn a_failed_download_leaves_the_place_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    fs::write(&file, "from before").unwrap();
    let mut objects = MockObjectStore::new();
    objects.expect_get_stream().returning(|_| {
        let cut = ObjectError::Unavailable("the line was cut".into());
        Ok(pieces(vec![Ok(b"half".to_vec()), Err(cut.into())]))
    });
    let error = download_file(&objects, &name("a"), &file).await.unwrap_err();
    assert!(matches!(error, FileError::Store(ObjectError::Unavailable(_))), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "from before");
    assert_eq!(files(folder.path()), ["a"]);
    let absent = download_file(&memory(), &name("a"), &folder.path().join("b/c")).await;
    assert!(matches!(absent, Err(FileError::Store(ObjectError::NotFound { .. }))));
    assert_eq!(files(folder.path()), ["a"]);
}

#[tokio::test]
async fn a_moved_object_is_there_and_not_here() {
    let objects = memory();
    objects.put(&name("here"), b"x".to_vec(), plain()).await.unwrap();
    move_object(&objects, &name("here"), &name("there/now")).await.unwrap();
    assert!(matches!(objects.stat(&name("here")).await, Err(ObjectError::NotFound { .. })));
    let moved = objects.stat(&name("there/now")).await.unwrap();
    assert_eq!(moved.content_type, ContentType::parse("text/plain").ok());
    move_object(&objects, &name("there/now"), &name("there/now")).await.unwrap();
    objects.stat(&name("there/now")).await.unwrap();
    let absent = move_object(&objects, &name("here"), &name("there/now")).await;
    assert!(matches!(absent, Err(ObjectError::NotFound { .. })));
    objects.stat(&name("there/now")).await.unwrap();
}

#[tokio::test]
async fn a_whole_list_comes_as_a_stream() {
    let objects = memory();
    for number in 0..2_500 {
        objects.put(&name(&format!("n/{number:04}")), Vec::new(), plain()).await.unwrap();
    }
    objects.put(&name("other"), Vec::new(), plain()).await.unwrap();
    let prefix = NamePrefix::parse("n/").unwrap();
    let found: Vec<_> = list_all(&objects, prefix).try_collect().await.unwrap();
    assert_eq!(found.len(), 2_500);
    assert!(found.is_sorted_by(|a, b| a.name < b.name));
    objects.create_folder(&FolderName::parse("n/empty").unwrap()).await.unwrap();
    let of = async |parent: Option<&str>| -> Vec<FolderName> {
        let parent = parent.map(|parent| FolderName::parse(parent).unwrap());
        list_folders(&objects, parent.as_ref()).try_collect().await.unwrap()
    };
    assert_eq!(of(None).await, [FolderName::parse("n").unwrap()]);
    assert_eq!(of(Some("n")).await, [FolderName::parse("n/empty").unwrap()]);
    assert_eq!(of(Some("other")).await, []);
    let mut away = MockObjectStore::new();
    away.expect_list().returning(|_| Err(ObjectError::Unavailable("it is away".into())));
    let failed: Result<Vec<_>, _> = list_all(&away, NamePrefix::default()).try_collect().await;
    assert!(matches!(failed, Err(ObjectError::Unavailable(_))));
}
