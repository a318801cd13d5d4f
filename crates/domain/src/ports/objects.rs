//! Keeping files outside the database.

use std::ops::RangeInclusive;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use futures_core::Stream;

use crate::Cause;
use crate::object::{
    FolderName, Listing, ObjectAttributes, ObjectMeta, ObjectName, ObjectPage, SignedUrl,
};

/// An object's content, piece by piece. The error of a download is an
/// [`ObjectError`] in a box; that of an upload is whatever its source says.
pub type ContentStream = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Cause>> + Send>>;

/// How long a signed URL may be good for: up to 7 days, the longest that S3 and
/// Google Cloud Storage sign (Signature Version 4).
pub const SIGNED_LIFETIMES: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_hours(7 * 24);

/// Whether a signed URL may be good for so long.
///
/// # Errors
/// [`ObjectError::Lifetime`] outside [`SIGNED_LIFETIMES`].
pub fn check_lifetime(lifetime: Duration) -> Result<(), ObjectError> {
    if SIGNED_LIFETIMES.contains(&lifetime) { Ok(()) } else { Err(ObjectError::Lifetime) }
}

/// Why a store of objects did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no object of that name.
    #[error("there is no object {name:?}")]
    NotFound {
        /// The name that was looked for.
        name: ObjectName,
        /// What the store said.
        #[source]
        cause: Cause,
    },
    /// The bucket, or the folder it stands for, is not there: a setting is wrong.
    #[error("the bucket does not exist")]
    BucketNotFound(#[source] Cause),
    /// The store does not know us, or does not let us do this: a setting is wrong.
    #[error("the object store denies access")]
    Denied(#[source] Cause),
    /// The store asks to be asked less often.
    #[error("the object store limits how often it is asked")]
    RateLimited {
        /// How long it wants to be left alone, if it says so.
        retry_after: Option<Duration>,
        /// What the store said.
        #[source]
        cause: Cause,
    },
    /// The store cannot be reached, is too slow or has trouble of its own.
    /// Trying again later may succeed.
    #[error("the object store is unavailable")]
    Unavailable(#[source] Cause),
    /// The store will never do this: the request is wrong.
    #[error("the object store refused the request")]
    Refused(#[source] Cause),
    /// The object is longer than the caller wants to hold.
    #[error("the object {name:?} is longer than {limit} bytes")]
    TooLarge {
        /// The object.
        name: ObjectName,
        /// The most that was wanted, in bytes.
        limit: u64,
    },
    /// A signed URL would be good for too short or too long.
    #[error("a signed URL is good for 1 second to 7 days")]
    Lifetime,
    /// The source of an upload failed. Nothing was stored.
    #[error("the content of an upload could not be read")]
    Content(#[source] Cause),
    /// The store's answer is none that it publishes, or what it gave is not
    /// what it says it keeps.
    #[error("the object store gave an unexpected answer")]
    UnexpectedAnswer(#[source] Cause),
}

/// A bucket: objects by their names, each written as a whole.
///
/// An upload becomes visible when it is complete, with its attributes, in place
/// of what was there under that name. One that fails or is given up leaves what
/// was there.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait ObjectStore: Send + Sync {
    /// Stores bytes. Tells what is known at once: name, size and attributes at
    /// least.
    async fn put(
        &self,
        name: &ObjectName,
        content: Vec<u8>,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError>;

    /// Stores what a stream gives, without holding all of it. Tells what is
    /// known at once, like [`put`](Self::put).
    async fn put_stream(
        &self,
        name: &ObjectName,
        content: ContentStream,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError>;

    /// An object's content, if it is at most `limit` bytes long.
    async fn get(&self, name: &ObjectName, limit: u64) -> Result<Vec<u8>, ObjectError>;

    /// An object's content, piece by piece, of one version from its beginning
    /// to its end: a stream that ends without an error was complete.
    async fn get_stream(&self, name: &ObjectName) -> Result<ContentStream, ObjectError>;

    /// What the store tells about an object.
    async fn stat(&self, name: &ObjectName) -> Result<ObjectMeta, ObjectError>;

    /// A page of a list.
    async fn list(&self, listing: Listing) -> Result<ObjectPage, ObjectError>;

    /// Makes a folder that is there although nothing lies in it. One that is
    /// there stays as it is.
    async fn create_folder(&self, folder: &FolderName) -> Result<(), ObjectError>;

    /// Copies an object with its attributes, in place of what has the new name.
    /// Onto itself, nothing is done but to look whether it is there.
    async fn copy(&self, from: &ObjectName, to: &ObjectName) -> Result<(), ObjectError>;

    /// Removes an object. That it was not there is no error: some stores cannot
    /// tell.
    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError>;

    /// Removes objects, and says what became of each, in their order.
    async fn delete_many(&self, names: Vec<ObjectName>) -> Vec<Result<(), ObjectError>>;

    /// A URL with which anybody can fetch the object, for as long as
    /// [`SIGNED_LIFETIMES`] allows. Whether the object is there is not looked
    /// at.
    async fn sign_download(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, ObjectError>;

    /// Where anybody finds the object if the bucket is open to all; `None` if
    /// the store has no such place.
    fn public_url(&self, name: &ObjectName) -> Option<String>;
}

/// Objects behind signed URLs, for a store that has no server of its own.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SignedDownloads: Send + Sync {
    /// Gives out what a signed URL is good for, by the two values of its query, if
    /// it is at most `limit` bytes long. `None` when the URL is not valid, or no
    /// longer, or the object is gone: which one is not told.
    async fn open(
        &self,
        name: &ObjectName,
        expires: &str,
        signature: &str,
        limit: u64,
    ) -> Result<Option<(ObjectMeta, Vec<u8>)>, ObjectError>;
}
