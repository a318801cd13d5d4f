//! Every call that an object store has.

use portcullis_conformance::bucket::{bytes, in_pieces, name, plain};
use portcullis_domain::object::{Listing, NamePrefix};
use portcullis_domain::ports::{ObjectError, ObjectStore};

/// Makes each call once, and none works; what went wrong.
pub(crate) async fn every_failure(objects: &dyn ObjectStore) -> Vec<ObjectError> {
    let (one, other) = (name("a/b"), name("c"));
    let long = in_pieces(&bytes(9 * 1024 * 1024, 1), 1_000_000);
    let mut errors = vec![
        objects.put(&one, b"x".to_vec(), plain()).await.unwrap_err(),
        objects.put_stream(&one, long, plain()).await.unwrap_err(),
        objects.get(&one, 10).await.unwrap_err(),
        objects.get_stream(&one).await.map(|_| ()).unwrap_err(),
        objects.stat(&one).await.unwrap_err(),
        objects.list(Listing::all(NamePrefix::default())).await.unwrap_err(),
        objects.create_folder(&one.folder().unwrap()).await.unwrap_err(),
        objects.copy(&one, &other).await.unwrap_err(),
        objects.delete(&one).await.unwrap_err(),
    ];
    errors.extend(objects.delete_many(vec![one, other]).await.into_iter().map(Result::unwrap_err));
    errors
}
