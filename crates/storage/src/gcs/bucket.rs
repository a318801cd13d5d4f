//! One bucket.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::{TryStreamExt, stream};
use portcullis_api_client::{ApiClient, Call, HeaderValue, Method, Repeat, Response};
use portcullis_domain::object::{
    Depth, Listing, ObjectAttributes, ObjectMeta, ObjectPage, SignedUrl,
};
use portcullis_domain::ports::{ContentStream, ObjectError, ObjectStore, check_lifetime};
use portcullis_domain::{ContentType, FolderName, ObjectName};

use super::failure::{interrupted, object_error, unpublished, unreadable};
use super::resource::{Resource, ResourcePage, Rewrite};
use super::{Gcs, signed_url};
use crate::deletions::one_by_one;
use crate::downloads::Download;
use crate::parts::{PART, Parts};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Where people who are logged in at Google find objects.
const AUTHENTICATED: &str = "https://storage.cloud.google.com";

/// A bucket of Google Cloud Storage.
#[derive(Clone, Debug)]
pub struct GcsBucket {
    pub(super) gcs: Gcs,
    pub(super) name: String,
}

impl GcsBucket {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where people find the object who are logged in at Google and may see it.
    #[must_use]
    pub fn authenticated_url(&self, name: &ObjectName) -> String {
        format!("{AUTHENTICATED}{}", signed_url::path(&self.name, name))
    }

    /// Copies an object with its attributes into a bucket, this or another, in
    /// place of what has the new name there. Onto itself, nothing is done but to
    /// look whether it is there: Google would make another generation of it.
    ///
    /// # Errors
    /// [`ObjectError`] if it cannot be copied.
    pub async fn copy_to(
        &self,
        from: &ObjectName,
        bucket: &GcsBucket,
        to: &ObjectName,
    ) -> Result<(), ObjectError> {
        if self.name == bucket.name && from == to {
            return self.stat(from).await.map(|_| ());
        }
        let path = ["storage", "v1", "b", &self.name, "o", from.as_str(), "rewriteTo", "b"];
        let path = [&path[..], &[bucket.name.as_str(), "o", to.as_str()]].concat();
        let mut token = None::<String>;
        // A long object takes several calls.
        loop {
            let answer = self
                .gcs
                .api
                .send(Repeat::Safe, |client| {
                    // An object without fields would be taken for the copy's
                    // attributes, instead of those of the original.
                    let call = client.call(Method::POST, &path).body(JSON, Vec::new());
                    match &token {
                        Some(token) => call.query(&[("rewriteToken", token)]),
                        None => call,
                    }
                })
                .await
                .map_err(|failure| object_error(failure, Some(from)))?;
            let rewrite: Rewrite = answer.json().map_err(unreadable)?;
            if rewrite.done {
                return Ok(());
            }
            token = Some(rewrite.rewrite_token.ok_or_else(|| unpublished(answer.status))?);
        }
    }

    /// Moves an object into a bucket, this or another: copies it, then deletes
    /// it. If the second fails, it is in both places. To where it is, nothing is
    /// done but to look whether it is there.
    ///
    /// # Errors
    /// [`ObjectError`] if either fails.
    pub async fn move_to(
        &self,
        from: &ObjectName,
        bucket: &GcsBucket,
        to: &ObjectName,
    ) -> Result<(), ObjectError> {
        if self.name == bucket.name && from == to {
            return self.stat(from).await.map(|_| ());
        }
        self.copy_to(from, bucket, to).await?;
        self.delete(from).await
    }

    fn object<'a>(&'a self, client: &'a ApiClient, method: Method, name: &str) -> Call<'a> {
        client.call(method, &["storage", "v1", "b", &self.name, "o", name])
    }

    async fn opened(&self, name: &ObjectName) -> Result<Response, ObjectError> {
        let opened = self.gcs.api.open(Repeat::Safe, |client| {
            self.object(client, Method::GET, name.as_str()).query(&[("alt", "media")])
        });
        opened.await.map_err(|failure| object_error(failure, Some(name)))
    }

    fn download(&self, response: Response) -> Download {
        let pieces = response.bytes_stream().map_err(|_| interrupted());
        Download::new(pieces, self.gcs.deadline)
    }
}

#[async_trait]
impl ObjectStore for GcsBucket {
    async fn put(
        &self,
        name: &ObjectName,
        content: Vec<u8>,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let content = stream::once(std::future::ready(Ok(content)));
        self.put_stream(name, Box::pin(content), attributes).await
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        content: ContentStream,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let mut parts = Parts::of(content);
        let first = parts.next().await?.unwrap_or_default();
        if first.len() == PART {
            return self.put_in_parts(name, first, parts, &attributes).await;
        }
        let stored = self.put_whole(name.as_str(), &first, &attributes).await?;
        stored.into_meta().ok_or_else(|| unpublished(http::StatusCode::OK))
    }

    async fn get(&self, name: &ObjectName, limit: u64) -> Result<Vec<u8>, ObjectError> {
        let response = self.opened(name).await?;
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(ObjectError::TooLarge { name: name.clone(), limit });
        }
        self.download(response).whole(name, limit).await
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<ContentStream, ObjectError> {
        Ok(self.download(self.opened(name).await?).stream())
    }

    async fn stat(&self, name: &ObjectName) -> Result<ObjectMeta, ObjectError> {
        let answer = self
            .gcs
            .api
            .send(Repeat::Safe, |client| self.object(client, Method::GET, name.as_str()))
            .await
            .map_err(|failure| object_error(failure, Some(name)))?;
        let found: Resource = answer.json().map_err(unreadable)?;
        found.into_meta().ok_or_else(|| unpublished(answer.status))
    }

    async fn list(&self, listing: Listing) -> Result<ObjectPage, ObjectError> {
        let limit = listing.bounded_limit().to_string();
        let mut query = vec![("maxResults", limit.as_str()), ("prefix", listing.prefix.as_str())];
        if listing.depth == Depth::OneLevel {
            query.push(("delimiter", "/"));
        }
        if let Some(after) = &listing.after {
            query.push(("pageToken", after.as_str()));
        }
        let answer = self
            .gcs
            .api
            .send(Repeat::Safe, |client| {
                client.call(Method::GET, &["storage", "v1", "b", &self.name, "o"]).query(&query)
            })
            .await
            .map_err(|failure| object_error(failure, None))?;
        let page: ResourcePage = answer.json().map_err(unreadable)?;
        Ok(page.into_page())
    }

    async fn create_folder(&self, folder: &FolderName) -> Result<(), ObjectError> {
        let attributes = ContentType::unknown().into();
        self.put_whole(&format!("{folder}/"), &[], &attributes).await.map(|_| ())
    }

    async fn copy(&self, from: &ObjectName, to: &ObjectName) -> Result<(), ObjectError> {
        self.copy_to(from, self, to).await
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let deleted = self
            .gcs
            .api
            .send(Repeat::Safe, |client| self.object(client, Method::DELETE, name.as_str()))
            .await;
        match deleted.map_err(|failure| object_error(failure, Some(name))) {
            Ok(_) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn delete_many(&self, names: Vec<ObjectName>) -> Vec<Result<(), ObjectError>> {
        one_by_one(names, |name| async move { self.delete(&name).await }).await
    }

    async fn sign_download(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, ObjectError> {
        check_lifetime(lifetime)?;
        let (account, now) = (self.gcs.tokens.account(), self.gcs.clock.now());
        let path = signed_url::path(&self.name, name);
        signed_url::sign(account, &self.gcs.base, &path, now, lifetime)
            .map_err(|error| ObjectError::Unavailable(error.into()))
    }

    fn public_url(&self, name: &ObjectName) -> Option<String> {
        let origin = self.gcs.base.origin().ascii_serialization();
        Some(format!("{origin}{}", signed_url::path(&self.name, name)))
    }
}
