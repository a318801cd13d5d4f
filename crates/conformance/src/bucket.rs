//! A store of objects with nothing in it.

use std::any::Any;
use std::sync::Arc;

use futures_util::TryStreamExt;
use portcullis_domain::object::{ObjectAttributes, ObjectName};
use portcullis_domain::ports::{ContentStream, ObjectStore};
use portcullis_domain::{Cause, ContentType};

/// An empty bucket, and what has to stay alive with it.
pub struct Bucket {
    /// The bucket.
    pub objects: Arc<dyn ObjectStore>,
    /// Dropped last: a temporary folder, a server.
    pub keep: Box<dyn Any + Send + Sync>,
}

impl Bucket {
    /// A bucket and what it needs.
    pub fn of(objects: impl ObjectStore + 'static, keep: impl Any + Send + Sync) -> Self {
        Self { objects: Arc::new(objects), keep: Box::new(keep) }
    }
}

/// The name, which is one.
#[must_use]
pub fn name(text: &str) -> ObjectName {
    ObjectName::parse(text).unwrap()
}

/// Plain text without notes.
#[must_use]
pub fn plain() -> ObjectAttributes {
    ContentType::parse("text/plain").unwrap().into()
}

/// So many bytes, none like its neighbours, the same for the same seed.
#[must_use]
pub fn bytes(count: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = move || {
        // xorshift32
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[1]
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A stream of these pieces, one after the other.
#[must_use]
pub fn pieces(pieces: Vec<Result<Vec<u8>, Cause>>) -> ContentStream {
    Box::pin(futures_util::stream::iter(pieces))
}

/// A stream of these bytes, in pieces of that length.
#[must_use]
pub fn in_pieces(content: &[u8], length: usize) -> ContentStream {
    pieces(content.chunks(length).map(|piece| Ok(piece.to_vec())).collect())
}

/// All that a stream gives, to its end.
pub async fn whole(stream: ContentStream) -> Result<Vec<u8>, Cause> {
    stream.try_concat().await
}
