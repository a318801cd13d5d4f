//! Laws of uploads that come to no end.

use portcullis_domain::Cause;
use portcullis_domain::object::{Listing, NamePrefix};
use portcullis_domain::ports::{ObjectError, ObjectStore};

use crate::bucket::{Bucket, bytes, in_pieces, name, pieces, plain};
use crate::race::cancel_after;

/// More than a store takes at once.
const LONG: usize = 6 * 1024 * 1024;

async fn count(objects: &dyn ObjectStore) -> usize {
    let page = objects.list(Listing::all(NamePrefix::default())).await.unwrap();
    assert!(page.next.is_none());
    page.objects.len()
}

/// However far it got: there is no object, or the one from before.
pub async fn an_upload_that_fails_leaves_what_was_there(bucket: &Bucket) {
    let objects = &*bucket.objects;
    let (absent, present) = (name("a/absent"), name("a/present"));
    objects.put(&present, b"from before".to_vec(), plain()).await.unwrap();
    for good in [0, 1, 1_000, LONG] {
        for name in [&absent, &present] {
            let broken: Cause = "the disk is gone".into();
            let content = pieces(vec![Ok(bytes(good, 5)), Err(broken), Ok(bytes(10, 6))]);
            let error = objects.put_stream(name, content, plain()).await.unwrap_err();
            let ObjectError::Content(cause) = &error else { panic!("after {good}: {error:?}") };
            assert!(cause.to_string().contains("the disk is gone"), "{cause}");
        }
        let found = objects.stat(&absent).await;
        assert!(matches!(found, Err(ObjectError::NotFound { .. })), "after {good}: {found:?}");
        assert_eq!(objects.get(&present, 100).await.unwrap(), b"from before", "after {good}");
        assert_eq!(count(objects).await, 1, "after {good}");
    }
}

/// Whenever it is dropped: what is there is whole, and was there before or is
/// the new one.
pub async fn an_upload_given_up_is_whole_or_not_there(bucket: &Bucket) {
    let (objects, name) = (&*bucket.objects, name("a/b"));
    let (old, new) = (bytes(10, 7), bytes(LONG, 8));
    for polls in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
        objects.put(&name, old.clone(), plain()).await.unwrap();
        let upload = objects.put_stream(&name, in_pieces(&new, 600_000), plain());
        let is_done = cancel_after(polls, upload).await;
        let found = objects.get(&name, LONG as u64).await.unwrap();
        assert!(found == new || (found == old && !is_done), "{polls} polls, {} bytes", found.len());
        assert_eq!(count(objects).await, 1, "{polls} polls");
    }
}
