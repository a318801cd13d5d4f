//! Requests of our own: for what `object_store` tells less of than S3 does. It
//! takes the mark of a folder for an object, fails on a page with one name that
//! it would not give itself, and leaves out checksums and versions.

use std::fmt;

use http::{HeaderMap, HeaderValue, Method};
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{HttpRequest, HttpRequestBody};

use super::failure::Failure;
use super::settings::S3Settings;
use crate::escapes::{in_path, in_query};

/// Signs requests to one bucket.
pub(super) struct Signing {
    credential: AwsCredential,
    region: String,
    /// Where the bucket is, without a slash at the end.
    bucket_url: String,
}

impl Signing {
    pub(super) fn new(settings: &S3Settings, secret: &str) -> Self {
        Self {
            credential: AwsCredential {
                key_id: settings.key_id.clone(),
                secret_key: secret.to_owned(),
                token: None,
            },
            region: settings.region.clone(),
            bucket_url: format!("{}{}", settings.endpoint, settings.bucket),
        }
    }

    /// Where the object of that key is.
    pub(super) fn url(&self, key: &str) -> String {
        format!("{}/{}", self.bucket_url, in_path(key))
    }

    /// A request without a body for an object, or a mark.
    pub(super) fn object(
        &self,
        method: Method,
        key: &str,
        headers: HeaderMap,
    ) -> Result<HttpRequest, Failure> {
        self.signed(method, &self.url(key), headers)
    }

    /// A request without a body for the bucket itself.
    pub(super) fn bucket(
        &self,
        method: Method,
        query: &[(&str, &str)],
    ) -> Result<HttpRequest, Failure> {
        let query: Vec<_> =
            query.iter().map(|(name, value)| format!("{name}={}", in_query(value))).collect();
        let url = format!("{}?{}", self.bucket_url, query.join("&"));
        self.signed(method, &url, HeaderMap::new())
    }

    fn signed(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
    ) -> Result<HttpRequest, Failure> {
        let unsendable = |error: &dyn fmt::Display| Failure::Unreadable(error.to_string());
        let mut request = http::Request::builder()
            .method(method)
            .uri(url)
            .body(HttpRequestBody::empty())
            .map_err(|error| unsendable(&error))?;
        *request.headers_mut() = headers;
        AwsAuthorizer::new(&self.credential, "s3", &self.region)
            .try_authorize(&mut request, None)
            .map_err(|error| unsendable(&error))?;
        if let Some(authorization) = request.headers_mut().get_mut(http::header::AUTHORIZATION) {
            HeaderValue::set_sensitive(authorization, true);
        }
        Ok(request)
    }
}

/// Tells no secret.
impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("bucket_url", &self.bucket_url).finish_non_exhaustive()
    }
}
