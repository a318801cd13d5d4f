//! Laws of lists of objects, and of folders.

use std::collections::BTreeSet;

use portcullis_domain::FolderName;
use portcullis_domain::object::{Depth, Listing, NamePrefix, ObjectPage};
use portcullis_domain::ports::ObjectStore;

use crate::bucket::{Bucket, name, plain};

async fn fill(objects: &dyn ObjectStore, names: &[&str]) {
    for text in names {
        objects.put(&name(text), text.as_bytes().to_vec(), plain()).await.unwrap();
    }
}

fn prefix(text: &str) -> NamePrefix {
    NamePrefix::parse(text).unwrap()
}

fn folder(text: &str) -> FolderName {
    FolderName::parse(text).unwrap()
}

/// Every page of a list.
async fn pages(objects: &dyn ObjectStore, mut listing: Listing) -> Vec<ObjectPage> {
    let mut pages = Vec::new();
    loop {
        let page = objects.list(listing.clone()).await.unwrap();
        listing.after.clone_from(&page.next);
        pages.push(page);
        assert!(pages.len() < 100, "a list without an end");
        if listing.after.is_none() {
            return pages;
        }
    }
}

fn object_names(pages: &[ObjectPage]) -> Vec<String> {
    pages.iter().flat_map(|page| &page.objects).map(|meta| meta.name.to_string()).collect()
}

fn folder_names(pages: &[ObjectPage]) -> Vec<String> {
    pages.iter().flat_map(|page| &page.folders).map(ToString::to_string).collect()
}

/// All of them, each once, by the bytes of their names, no page longer than
/// wanted.
pub async fn a_list_comes_page_by_page(bucket: &Bucket) {
    let objects = &*bucket.objects;
    let numbered: Vec<_> = (0..20).map(|number| format!("b/{number}")).collect();
    let mut names: Vec<&str> = numbered.iter().map(String::as_str).collect();
    names.extend(["a", "Z", "b", "b.txt", "ü/ü", "b/1/2"]);
    fill(objects, &names).await;
    names.sort_unstable();
    for limit in [1, 7, 26, 1_000] {
        let listing = Listing { limit, ..Listing::all(NamePrefix::default()) };
        let pages = pages(objects, listing).await;
        assert_eq!(object_names(&pages), names, "{limit} a page");
        assert!(pages.iter().all(|page| page.objects.len() <= limit as usize), "{limit} a page");
        assert_eq!(folder_names(&pages), [""; 0], "{limit} a page");
        for meta in pages.iter().flat_map(|page| &page.objects) {
            assert_eq!(meta.size, meta.name.as_str().len() as u64);
            assert!(meta.etag.is_some() && meta.modified.is_some(), "{meta:?}");
        }
    }
}

/// Letter by letter, not folder by folder.
pub async fn a_prefix_selects(bucket: &Bucket) {
    let objects = &*bucket.objects;
    fill(objects, &["a", "ab", "a/b", "a/b/c", "a/bc", "b/a", "A/b", "a b%/c"]).await;
    for (start, found) in [
        ("a/b", &["a/b", "a/b/c", "a/bc"][..]),
        ("a/", &["a/b", "a/b/c", "a/bc"]),
        ("ab", &["ab"]),
        ("a b%", &["a b%/c"]),
        ("c", &[]),
        ("a/b/c/d", &[]),
    ] {
        let pages = pages(objects, Listing::all(prefix(start))).await;
        assert_eq!(object_names(&pages), found, "{start}");
    }
}

/// Each folder once, however much lies in it and however short the pages are.
pub async fn one_level_shows_its_folders(bucket: &Bucket) {
    let objects = &*bucket.objects;
    fill(objects, &["a", "b/1", "b/2", "b/3/4", "b.c", "b/z", "d/e/f/g", "h"]).await;
    for limit in [1, 2, 1_000] {
        let listing = Listing { limit, ..Listing::of_folder(None) };
        let root = pages(objects, listing.clone()).await;
        assert_eq!(object_names(&root), ["a", "b.c", "h"], "{limit} a page");
        assert_eq!(folder_names(&root), ["b", "d"], "{limit} a page");
        let is_long = |page: &ObjectPage| page.objects.len() + page.folders.len() > limit as usize;
        assert!(!root.iter().any(is_long), "{limit} a page");
        let inside = Listing { limit, ..Listing::of_folder(Some(&folder("b"))) };
        let inside = pages(objects, inside).await;
        assert_eq!(object_names(&inside), ["b/1", "b/2", "b/z"], "{limit} a page");
        assert_eq!(folder_names(&inside), ["b/3"], "{limit} a page");
    }
    let half = Listing { depth: Depth::OneLevel, ..Listing::all(prefix("b")) };
    let half = pages(objects, half).await;
    assert_eq!(object_names(&half), ["b.c"], "with half a name");
    assert_eq!(folder_names(&half), ["b"], "with half a name");
}

/// It is listed as a folder, as an object never.
pub async fn a_created_folder_is_there_and_is_no_object(bucket: &Bucket) {
    let objects = &*bucket.objects;
    objects.create_folder(&folder("made/by hand")).await.unwrap();
    fill(objects, &["made/object", "made/folder/object"]).await;
    // Again, and where one is there by what lies in it.
    objects.create_folder(&folder("made/by hand")).await.unwrap();
    objects.create_folder(&folder("made/folder")).await.unwrap();
    let found = pages(objects, Listing::of_folder(Some(&folder("made")))).await;
    assert_eq!(folder_names(&found), ["made/by hand", "made/folder"]);
    assert_eq!(object_names(&found), ["made/object"]);
    let found = pages(objects, Listing::of_folder(None)).await;
    assert_eq!(folder_names(&found), ["made"]);
    let found = pages(objects, Listing::all(NamePrefix::default())).await;
    assert_eq!(object_names(&found), ["made/folder/object", "made/object"]);
    let found = pages(objects, Listing::of_folder(Some(&folder("made/by hand")))).await;
    assert_eq!((object_names(&found), folder_names(&found)), (vec![], vec![]));
}

/// One that nobody made ends with its last object; one that was made stays.
pub async fn a_folder_is_there_while_something_is_in_it(bucket: &Bucket) {
    let objects = &*bucket.objects;
    fill(objects, &["a/b/c", "d/e"]).await;
    objects.create_folder(&folder("d")).await.unwrap();
    for gone in ["a/b/c", "d/e"] {
        objects.delete(&name(gone)).await.unwrap();
    }
    let found = pages(objects, Listing::of_folder(None)).await;
    assert_eq!((object_names(&found), folder_names(&found)), (vec![], vec!["d".to_owned()]));
}

/// What is written or deleted between two pages costs none of the others.
pub async fn a_list_survives_changes(bucket: &Bucket) {
    let objects = &*bucket.objects;
    let names: Vec<_> = (10..30).map(|number| format!("n/{number}")).collect();
    fill(objects, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut listing = Listing { limit: 6, ..Listing::all(prefix("n/")) };
    let first = objects.list(listing.clone()).await.unwrap();
    let mut found: BTreeSet<_> = object_names(std::slice::from_ref(&first)).into_iter().collect();
    // Some of the page, its last among them, and one of the next; one comes before.
    for gone in ["n/11", "n/12", "n/15", "n/17"] {
        objects.delete(&name(gone)).await.unwrap();
    }
    fill(objects, &["n/0"]).await;
    listing.after = first.next;
    found.extend(object_names(&pages(objects, listing).await));
    let expected: BTreeSet<_> = names.into_iter().filter(|name| name != "n/17").collect();
    assert_eq!(found, expected);
}
