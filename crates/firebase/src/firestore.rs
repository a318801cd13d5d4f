//! Firestore:
//! <https://firebase.google.com/docs/firestore/reference/rest/v1/projects.databases.documents>.

mod failure;
mod field_path;
mod rules;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_api_client::{Answer, Method, Repeat};
use portcullis_domain::document::{
    Changes, CollectionPath, Document, DocumentId, DocumentPage, Fields,
};
use portcullis_domain::ports::{
    DocumentError, DocumentStore, MAX_DOCUMENTS_PER_PAGE, MalformedDocument,
};
use portcullis_google::{AccessTokens, Authorization, Failure, GoogleApi, Scope};
use serde::de::DeserializeOwned;

use crate::settings::{FirebaseSettings, InvalidFirebaseSettings};
use failure::{document_error, is_absence, is_too_long};
use wire::{WireDocument, WirePage};

const FIRESTORE_URL: &str = "https://firestore.googleapis.com";
/// The database that every project has.
const DATABASE: &str = "(default)";

/// The documents of a Firebase project.
pub struct Firestore {
    api: GoogleApi,
    project: String,
}

impl Firestore {
    /// The default database of the account's project. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidFirebaseSettings`] says which setting cannot be used.
    pub fn new(
        tokens: Arc<AccessTokens>,
        settings: &FirebaseSettings,
    ) -> Result<Self, InvalidFirebaseSettings> {
        let url = settings.firestore_url.as_deref();
        let client = settings.client("the address of Firestore", url, FIRESTORE_URL)?;
        let project = tokens.account().project_id().to_owned();
        let api = GoogleApi::new(client, Authorization::Account(tokens, Scope::DATASTORE));
        Ok(Self { api, project })
    }

    /// The path of a collection, or of a document in it.
    fn path<'a>(
        &'a self,
        collection: &'a CollectionPath,
        id: Option<&'a DocumentId>,
    ) -> Vec<&'a str> {
        let root = ["v1", "projects", &self.project, "databases", DATABASE, "documents"];
        root.into_iter().chain(collection.names()).chain(id.map(DocumentId::as_str)).collect()
    }

    /// Writes fields. Each write says the same twice, so it may be repeated.
    async fn patch(
        &self,
        collection: &CollectionPath,
        id: &DocumentId,
        query: &[(&str, &str)],
        fields: &Fields,
    ) -> Result<Document, DocumentError> {
        let path = self.path(collection, Some(id));
        let body = wire::body(fields);
        let written = self
            .api
            .send(Repeat::Safe, |api| api.call(Method::PATCH, &path).query(query).json(&body))
            .await;
        written.and_then(|answer| read::<WireDocument>(&answer)).map_err(document_error)?.document()
    }
}

fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    answer.json().map_err(Failure::from)
}

#[async_trait]
impl DocumentStore for Firestore {
    async fn get(
        &self,
        collection: CollectionPath,
        id: DocumentId,
    ) -> Result<Option<Document>, DocumentError> {
        let path = self.path(&collection, Some(&id));
        match self.api.send(Repeat::Safe, |api| api.call(Method::GET, &path)).await {
            Err(failure) if is_absence(&failure) => Ok(None),
            answer => answer
                .and_then(|answer| read::<WireDocument>(&answer))
                .map_err(document_error)?
                .document()
                .map(Some),
        }
    }

    async fn set(
        &self,
        collection: CollectionPath,
        id: DocumentId,
        fields: Fields,
    ) -> Result<Document, DocumentError> {
        rules::check_fields(&fields).map_err(DocumentError::Malformed)?;
        self.patch(&collection, &id, &[], &fields).await
    }

    async fn update(
        &self,
        collection: CollectionPath,
        id: DocumentId,
        changes: Changes,
    ) -> Result<Document, DocumentError> {
        rules::check_changes(&changes).map_err(DocumentError::Malformed)?;
        // What is named and not given is removed; what is not named stays.
        let named: Vec<String> = changes.keys().map(field_path::written).collect();
        let mut query: Vec<_> =
            named.iter().map(|path| ("updateMask.fieldPaths", path.as_str())).collect();
        query.push(("currentDocument.exists", "true"));
        self.patch(&collection, &id, &query, &field_path::nested(changes)).await
    }

    async fn delete(
        &self,
        collection: CollectionPath,
        id: DocumentId,
    ) -> Result<(), DocumentError> {
        let path = self.path(&collection, Some(&id));
        match self.api.send(Repeat::Safe, |api| api.call(Method::DELETE, &path)).await {
            Err(failure) if !is_absence(&failure) => Err(document_error(failure)),
            _ => Ok(()),
        }
    }

    async fn list(
        &self,
        collection: CollectionPath,
        size: u16,
        after: Option<String>,
    ) -> Result<DocumentPage, DocumentError> {
        if !(1..=MAX_DOCUMENTS_PER_PAGE).contains(&size) {
            return Err(DocumentError::Malformed(MalformedDocument::PageSize));
        }
        let path = self.path(&collection, None);
        let mut size = size;
        loop {
            let page_size = size.to_string();
            let mut query = vec![("pageSize", page_size.as_str())];
            query.extend(after.as_deref().map(|after| ("pageToken", after)));
            let page =
                self.api.send(Repeat::Safe, |api| api.call(Method::GET, &path).query(&query)).await;
            match page.and_then(|answer| read::<WirePage>(&answer)) {
                // A document may have a mebibyte, so a page of them may have more
                // than is read; a page may also be shorter than was asked for.
                Err(failure) if is_too_long(&failure) && size > 1 => size /= 2,
                page => return page.map_err(document_error)?.page(),
            }
        }
    }
}

/// Tells the project.
impl fmt::Debug for Firestore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Firestore").field("project", &self.project).finish_non_exhaustive()
    }
}
