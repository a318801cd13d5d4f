//! A bucket of S3, or of what speaks like it: Backblaze B2, Cloudflare R2, `MinIO`.

mod dialect;
mod failure;
mod head;
mod listing;
mod request;
mod settings;
mod upload;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Attribute, Attributes, BackoffConfig, GetOptions, GetResult, ObjectStore as _,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, RetryConfig,
};
use portcullis_domain::object::{Listing, ObjectAttributes, ObjectMeta, ObjectPage, SignedUrl};
use portcullis_domain::ports::{ContentStream, ObjectError, ObjectStore, check_lifetime};
use portcullis_domain::{Cause, FolderName, ObjectName};
use secrecy::ExposeSecret;

use self::dialect::Dialect;
use self::failure::{Failure, object_error};
use self::request::Signing;
use self::upload::Unfinished;
use self::wire::Wire;
use crate::deletions::one_by_one;
use crate::downloads::Download;
use crate::escapes::in_path;
use crate::parts::{PART, Parts};

pub use settings::{InvalidS3Settings, S3Settings, amazon_endpoint, backblaze_endpoint};

/// How often a download goes on where its connection has ended.
const RESUMPTIONS: usize = 2;
/// How many objects are deleted by one request (S3).
const DELETIONS: usize = 1_000;

/// A bucket of S3. A clone shares its connections.
#[derive(Clone, Debug)]
pub struct S3 {
    store: AmazonS3,
    wire: Wire,
    signing: Arc<Signing>,
    public_base: String,
    dialect: Arc<Dialect>,
}

impl S3 {
    /// The bucket of those settings. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidS3Settings`] says which setting cannot be used.
    pub fn new(settings: &S3Settings) -> Result<Self, InvalidS3Settings> {
        settings::check(settings)?;
        let secret = settings.secret.expose_secret();
        let client = |error: Cause| InvalidS3Settings::Client(error);
        let wire = Wire::new(settings.deadline).map_err(|error| client(error.into()))?;
        let endpoint = settings.endpoint.as_str().trim_end_matches('/');
        // Nothing is taken from the environment.
        let store = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_allow_http(endpoint.starts_with("http:"))
            .with_region(&settings.region)
            .with_bucket_name(&settings.bucket)
            .with_access_key_id(&settings.key_id)
            .with_secret_access_key(secret)
            .with_http_connector(wire.clone())
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RESUMPTIONS,
                retry_timeout: settings.deadline,
            })
            .build()
            .map_err(|error| client(error.into()))?;
        let signing = Signing::new(settings, secret);
        let public_base = match &settings.public_base {
            Some(base) => base.as_str().trim_end_matches('/').to_owned(),
            None => signing.url("").trim_end_matches('/').to_owned(),
        };
        Ok(Self { store, wire, signing: Arc::new(signing), public_base, dialect: Arc::default() })
    }

    /// Stores what fits into one request.
    async fn put_whole(
        &self,
        name: &ObjectName,
        content: Bytes,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let size = content.len() as u64;
        let options = PutOptions { attributes: headers(&attributes), ..PutOptions::default() };
        let put = self.store.put_opts(&path(name)?, PutPayload::from(content), options).await;
        let put = put.map_err(|error| object_error(&error, None))?;
        Ok(stored(name, size, attributes, put))
    }

    async fn opened(&self, name: &ObjectName) -> Result<GetResult, ObjectError> {
        let opened = self.store.get_opts(&path(name)?, GetOptions::default()).await;
        opened.map_err(|error| object_error(&error, Some(name)))
    }

    fn download(&self, opened: GetResult, name: &ObjectName) -> Download {
        let name = name.clone();
        let pieces = opened.into_stream();
        let pieces = pieces.map_err(move |error| object_error(&error, Some(&name)));
        Download::new(pieces, self.wire.deadline())
    }

    /// Asks about an object, and for its checksums if that is wanted.
    async fn head(&self, name: &ObjectName, checksums: bool) -> Result<ObjectMeta, ObjectError> {
        let mode = HeaderValue::from_static("ENABLED");
        let mode = (HeaderName::from_static("x-amz-checksum-mode"), mode);
        let failed = |failure: Failure| failure.into_error(Some(name));
        let headers = HeaderMap::from_iter(checksums.then_some(mode));
        let request = self.signing.object(Method::HEAD, name.as_str(), headers);
        let answer = self.wire.send(request.map_err(failed)?).await.map_err(failed)?;
        head::meta(name, answer.headers())
            .ok_or_else(|| failed(Failure::Unreadable("it tells no length".into())))
    }

    /// Deletes objects by one request; says which of them are gone, and whether
    /// the whole request was refused.
    async fn delete_at_once(&self, names: &[ObjectName]) -> (Vec<bool>, bool) {
        let (mut done, mut is_refused) = (vec![false; names.len()], false);
        let paths: Vec<_> = names.iter().map(|name| Ok(Path::parse(name.as_str())?)).collect();
        let deleted = self.store.delete_stream(stream::iter(paths).boxed());
        for (done, deleted) in done.iter_mut().zip(deleted.collect::<Vec<_>>().await) {
            *done = deleted.is_ok();
            let error = deleted.err().map(|error| object_error(&error, None));
            is_refused |= matches!(error, Some(ObjectError::Refused(_)));
        }
        (done, is_refused)
    }

    /// Whether the bucket is there: an answer to HEAD does not say what is not.
    async fn check_bucket(&self) -> Result<(), ObjectError> {
        let request = self.signing.bucket(Method::GET, &[("list-type", "2"), ("max-keys", "1")]);
        let answered = self.wire.exchange(request.map_err(|failure| failure.into_error(None))?);
        answered.await.map(|_| ()).map_err(|failure| failure.into_error(None))
    }
}

#[async_trait]
impl ObjectStore for S3 {
    async fn put(
        &self,
        name: &ObjectName,
        content: Vec<u8>,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        if content.len() > PART {
            let content = stream::once(std::future::ready(Ok(content)));
            return self.put_stream(name, Box::pin(content), attributes).await;
        }
        self.put_whole(name, content.into(), attributes).await
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        content: ContentStream,
        attributes: ObjectAttributes,
    ) -> Result<ObjectMeta, ObjectError> {
        let mut parts = Parts::of(content);
        let first = parts.next().await?.unwrap_or_default();
        if first.len() < PART {
            return self.put_whole(name, first, attributes).await;
        }
        let attributes_of_upload = headers(&attributes);
        let options =
            PutMultipartOptions { attributes: attributes_of_upload, ..Default::default() };
        let (store, path) = (self.store.clone(), path(name)?);
        // Whoever gives up while it begins does not learn its name: then it is ended by
        // the one that does.
        let begun = tokio::spawn(async move {
            store.put_multipart_opts(&path, options).await.map(Unfinished::new)
        });
        let begun = begun.await.map_err(|error| ObjectError::Unavailable(error.into()))?;
        let upload = begun.map_err(|error| object_error(&error, None))?;
        let (size, put) = upload.finish(name, first, parts).await?;
        Ok(stored(name, size, attributes, put))
    }

    async fn get(&self, name: &ObjectName, limit: u64) -> Result<Vec<u8>, ObjectError> {
        let opened = self.opened(name).await?;
        if opened.meta.size > limit {
            return Err(ObjectError::TooLarge { name: name.clone(), limit });
        }
        self.download(opened, name).whole(name, limit).await
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<ContentStream, ObjectError> {
        Ok(self.download(self.opened(name).await?, name).stream())
    }

    async fn stat(&self, name: &ObjectName) -> Result<ObjectMeta, ObjectError> {
        // Backblaze refuses to be asked for checksums.
        let checksums = self.dialect.checksums.is_understood();
        let mut answered = self.head(name, checksums).await;
        if checksums && matches!(answered, Err(ObjectError::Refused(_))) {
            answered = self.head(name, false).await;
            if matches!(answered, Ok(_) | Err(ObjectError::NotFound { .. })) {
                self.dialect.checksums.is_not_understood();
            }
        }
        if let Err(ObjectError::NotFound { .. }) = answered {
            self.check_bucket().await?;
        }
        answered
    }

    async fn list(&self, listing: Listing) -> Result<ObjectPage, ObjectError> {
        let failed = |failure: Failure| failure.into_error(None);
        let limit = listing.bounded_limit().to_string();
        let request = self.signing.bucket(Method::GET, &listing::query(&listing, &limit));
        let body = self.wire.exchange(request.map_err(failed)?).await.map_err(failed)?;
        listing::page(&body).map_err(failed)
    }

    async fn create_folder(&self, folder: &FolderName) -> Result<(), ObjectError> {
        let failed = |failure: Failure| failure.into_error(None);
        let kind = HeaderValue::from_static("application/x-directory");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        let request = self.signing.object(Method::PUT, &format!("{folder}/"), headers);
        self.wire.exchange(request.map_err(failed)?).await.map(|_| ()).map_err(failed)
    }

    /// S3 refuses to copy an object onto itself.
    async fn copy(&self, from: &ObjectName, to: &ObjectName) -> Result<(), ObjectError> {
        if from == to {
            return self.stat(from).await.map(|_| ());
        }
        let copied = self.store.copy(&path(from)?, &path(to)?).await;
        copied.map_err(|error| object_error(&error, Some(from)))
    }

    /// By a request of its own: `object_store` asks for the deletion of many also
    /// for one.
    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let failed = |failure: Failure| failure.into_error(Some(name));
        let request = self.signing.object(Method::DELETE, name.as_str(), HeaderMap::new());
        let deleted = self.wire.exchange(request.map_err(failed)?).await;
        match deleted.map_err(failed) {
            Ok(_) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// By one request for a thousand, unless the service understands none.
    /// Whatever it did not delete is asked for again by itself, which also says
    /// why not.
    async fn delete_many(&self, names: Vec<ObjectName>) -> Vec<Result<(), ObjectError>> {
        let (mut done, mut is_refused) = (Vec::with_capacity(names.len()), false);
        if self.dialect.deletions.is_understood() {
            for chunk in names.chunks(DELETIONS) {
                let (of_chunk, chunk_is_refused) = self.delete_at_once(chunk).await;
                is_refused |= chunk_is_refused;
                let none_is_done = !of_chunk.contains(&true);
                done.extend(of_chunk);
                if none_is_done {
                    // The next would come to the same.
                    break;
                }
            }
        }
        done.resize(names.len(), false);
        let left = names.into_iter().zip(&done).filter(|(_, is_done)| !**is_done);
        let left = left.map(|(name, _)| name).collect();
        let delete = |name: ObjectName| async move { self.delete(&name).await };
        let left = one_by_one(left, delete).await;
        if is_refused && left.iter().any(Result::is_ok) {
            self.dialect.deletions.is_not_understood();
        }
        let mut left = left.into_iter();
        let result = |is_done| if is_done { Some(Ok(())) } else { left.next() };
        done.into_iter().filter_map(result).collect()
    }

    async fn sign_download(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, ObjectError> {
        check_lifetime(lifetime)?;
        let url = self.store.signed_url(Method::GET, &path(name)?, lifetime).await;
        let url = url.map_err(|error| object_error(&error, Some(name)))?;
        Ok(SignedUrl::new(url.into()))
    }

    fn public_url(&self, name: &ObjectName) -> Option<String> {
        Some(format!("{}/{}", self.public_base, in_path(name.as_str())))
    }
}

/// A name keeps every rule of a path.
fn path(name: &ObjectName) -> Result<Path, ObjectError> {
    Path::parse(name.as_str()).map_err(|error| ObjectError::Refused(error.into()))
}

fn headers(attributes: &ObjectAttributes) -> Attributes {
    let kind = (Attribute::ContentType, attributes.content_type.to_string());
    let notes = attributes.metadata.iter();
    let notes =
        notes.map(|(name, value)| (Attribute::Metadata(name.to_owned().into()), value.to_owned()));
    notes.chain([kind]).collect()
}

/// What is known when an upload has ended.
fn stored(
    name: &ObjectName,
    size: u64,
    attributes: ObjectAttributes,
    put: PutResult,
) -> ObjectMeta {
    ObjectMeta {
        content_type: Some(attributes.content_type),
        etag: put.e_tag.as_deref().map(head::unquoted),
        metadata: attributes.metadata.into_inner(),
        version: put.version.filter(|version| version != "null"),
        ..ObjectMeta::new(name.clone(), size)
    }
}
