//! A store of documents without a schema.

use std::time::Duration;

use async_trait::async_trait;

use crate::Cause;
use crate::document::{Changes, CollectionPath, Document, DocumentId, DocumentPage, Fields};

/// Most documents of one page.
pub const MAX_DOCUMENTS_PER_PAGE: u16 = 300;

/// What of a request cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedDocument {
    /// A field's name is empty, longer than 1500 bytes or `__…__`.
    #[error("a field's name is empty, too long or reserved")]
    FieldName,
    /// An array holds an array.
    #[error("an array holds an array")]
    NestedArray,
    /// Maps and arrays lie within each other more than 20 deep.
    #[error("maps are nested more than 20 deep")]
    TooDeep,
    /// A place is not on Earth.
    #[error("a place is not on Earth")]
    GeoPoint,
    /// A point in time is not in the years 1 to 9999.
    #[error("a point in time is not in the years 1 to 9999")]
    Timestamp,
    /// An update names a field twice, by itself and by a map that it lies in.
    #[error("an update names a field twice")]
    Overlap,
    /// An update changes nothing.
    #[error("an update changes nothing")]
    NoChange,
    /// A page has 1 to 300 documents.
    #[error("a page has 1 to 300 documents")]
    PageSize,
}

/// Why a document store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The request cannot be meant. Nothing was sent.
    #[error("{0}")]
    Malformed(MalformedDocument),
    /// The document that was to be updated is not there.
    #[error("the document was not found")]
    NotFound,
    /// The store refused the request for good: too large, or against its rules.
    #[error("the document store refused the request")]
    Refused(#[source] Cause),
    /// Our own credentials were refused: an operator can mend it.
    #[error("the document store refused our credentials")]
    Denied(#[source] Cause),
    /// Too many requests.
    #[error("the document store asks for patience")]
    RateLimited {
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
        /// What it said.
        #[source]
        cause: Cause,
    },
    /// The store is away, slow or broken. Whether something was written is not
    /// known; all writes of this port may be repeated.
    #[error("the document store is unavailable")]
    Unavailable(#[source] Cause),
    /// The store answered with something else than it publishes.
    #[error("the document store answered unexpectedly")]
    Unexpected(#[source] Cause),
}

/// Keeps documents in collections.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// A document.
    async fn get(
        &self,
        collection: CollectionPath,
        id: DocumentId,
    ) -> Result<Option<Document>, DocumentError>;

    /// Writes a whole document, over one that is there.
    async fn set(
        &self,
        collection: CollectionPath,
        id: DocumentId,
        fields: Fields,
    ) -> Result<Document, DocumentError>;

    /// Changes some fields of a document that is there; a path leads into maps,
    /// and those that are missing on the way are made.
    ///
    /// # Errors
    /// [`DocumentError::NotFound`] when the document is not there; nothing is
    /// written then.
    async fn update(
        &self,
        collection: CollectionPath,
        id: DocumentId,
        changes: Changes,
    ) -> Result<Document, DocumentError>;

    /// Deletes a document; one that is not there is no error.
    async fn delete(&self, collection: CollectionPath, id: DocumentId)
    -> Result<(), DocumentError>;

    /// Up to `size` documents (1–[`MAX_DOCUMENTS_PER_PAGE`]), from the beginning,
    /// or `after` the page whose [`DocumentPage::next`] this is.
    async fn list(
        &self,
        collection: CollectionPath,
        size: u16,
        after: Option<String>,
    ) -> Result<DocumentPage, DocumentError>;
}

/// All documents of a collection, page by page.
///
/// # Errors
/// The first [`DocumentError`] of a page.
pub async fn all_documents(
    store: &dyn DocumentStore,
    collection: &CollectionPath,
) -> Result<Vec<Document>, DocumentError> {
    let mut documents = Vec::new();
    let mut after = None;
    loop {
        let page = store.list(collection.clone(), MAX_DOCUMENTS_PER_PAGE, after).await?;
        documents.extend(page.documents);
        after = page.next;
        if after.is_none() {
            return Ok(documents);
        }
    }
}
