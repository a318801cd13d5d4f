//! Google Cloud Storage, by its JSON API.
//!
//! Not by the `object_store` crate: that speaks the XML API, which none of the
//! emulators does well enough to test against.

mod bucket;
mod failure;
mod resource;
mod settings;
mod signed_url;
mod upload;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portcullis_api_client::{ApiClient, ClientSettings, Method, Repeat};
use portcullis_domain::ports::{Clock, ObjectError};
use portcullis_google::{AccessTokens, Authorization, GoogleApi, Scope};
use url::Url;

use self::failure::{object_error, unreadable};
use self::resource::BucketPage;

pub use bucket::GcsBucket;
pub use settings::{GOOGLE_STORAGE, GcsSettings, InvalidGcsSettings};

/// Google Cloud Storage as one service account sees it. A clone shares its
/// connections and tokens.
#[derive(Clone)]
pub struct Gcs {
    api: GoogleApi,
    tokens: Arc<AccessTokens>,
    clock: Arc<dyn Clock>,
    base: Url,
    deadline: Duration,
}

/// Tells no key and no token.
impl fmt::Debug for Gcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Gcs");
        debug.field("base", &self.base.as_str()).field("tokens", &self.tokens);
        debug.finish_non_exhaustive()
    }
}

impl Gcs {
    /// The service, for that account. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidGcsSettings`] says which setting cannot be used.
    pub fn new(
        settings: GcsSettings,
        tokens: Arc<AccessTokens>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidGcsSettings> {
        let GcsSettings { base_url, deadline } = settings;
        let base = base_url.join(&[]);
        let client = ApiClient::new(ClientSettings { deadline, ..ClientSettings::new(base_url) })?;
        let authorization = Authorization::Account(Arc::clone(&tokens), Scope::STORAGE);
        Ok(Self { api: GoogleApi::new(client, authorization), tokens, clock, base, deadline })
    }

    /// A bucket; whether it is there is not looked at.
    ///
    /// # Errors
    /// [`InvalidGcsSettings::Bucket`] if no bucket can have that name.
    pub fn bucket(&self, name: &str) -> Result<GcsBucket, InvalidGcsSettings> {
        settings::check_bucket(name)?;
        Ok(GcsBucket { gcs: self.clone(), name: name.to_owned() })
    }

    /// The names of all buckets of a project; `None` for the account's own.
    ///
    /// # Errors
    /// [`ObjectError`] if Google does not tell.
    pub async fn list_buckets(&self, project: Option<&str>) -> Result<Vec<String>, ObjectError> {
        let project = project.unwrap_or(self.tokens.account().project_id());
        let (mut names, mut after) = (Vec::new(), None::<String>);
        loop {
            let answer = self
                .api
                .send(Repeat::Safe, |client| {
                    let call = client.call(Method::GET, &["storage", "v1", "b"]);
                    let call = call.query(&[("project", project), ("maxResults", "1000")]);
                    match &after {
                        Some(after) => call.query(&[("pageToken", after)]),
                        None => call,
                    }
                })
                .await
                .map_err(|failure| object_error(failure, None))?;
            let page: BucketPage = answer.json().map_err(unreadable)?;
            names.extend(page.items.into_iter().map(|bucket| bucket.name));
            after = page.next_page_token.filter(|token| !token.is_empty());
            if after.is_none() {
                return Ok(names);
            }
        }
    }
}
