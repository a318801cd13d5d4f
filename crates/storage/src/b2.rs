//! Backblaze B2 by its native API, for what S3's manner has no words for: an
//! account's buckets with their types and notes, versions of files by their ids,
//! links by Backblaze's own authorization.
//!
//! Objects themselves are read and written by [`S3`](crate::S3) at
//! [`backblaze_endpoint`](crate::backblaze_endpoint): to both, a bucket is the
//! same. The API:
//! <https://www.backblaze.com/apidocs/introduction-to-the-b2-native-api>.

mod bucket;
mod error;
mod file;
mod session;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use portcullis_api_client::{ApiClient, BaseUrl, ClientSettings, InvalidClientSettings, Repeat};
use portcullis_domain::ObjectName;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use self::bucket::BucketBody;
use self::file::VersionBody;
use self::session::Account;
use crate::escapes::in_query;

pub use bucket::{B2Bucket, BucketInfo, BucketType};
pub use error::B2Error;
pub use file::{FileId, FileVersion, VersionPage};

/// Backblaze's own address.
pub const BACKBLAZE: &str = "https://api.backblazeb2.com";
/// Longest call by default.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(15);

/// An application key, and where Backblaze is. Its debug form tells no key.
#[derive(Clone, Debug)]
pub struct B2Settings {
    /// Where it is: [`BACKBLAZE`], if not somewhere else.
    pub base_url: BaseUrl,
    /// The key's id.
    pub key_id: String,
    /// The key.
    pub key: SecretString,
    /// The longest that a call may take, its repetitions and its authorization
    /// included, up to 10 minutes.
    pub deadline: Duration,
}

impl B2Settings {
    /// A key at that address; calls take 15 seconds at most.
    #[must_use]
    pub fn new(base_url: BaseUrl, key_id: impl Into<String>, key: SecretString) -> Self {
        Self { base_url, key_id: key_id.into(), key, deadline: DEFAULT_DEADLINE }
    }
}

/// Why Backblaze cannot be used. It tells no key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidB2Settings {
    /// A part of the key is empty or does not fit into a header.
    #[error("the application key must be of visible ASCII characters")]
    Key,
    /// The client cannot be set up.
    #[error(transparent)]
    Client(#[from] InvalidClientSettings),
}

/// An account at Backblaze. A clone shares its authorization, which is asked for
/// by the first call that needs it, and again when it has expired.
#[derive(Clone, Debug)]
pub struct B2 {
    account: Arc<Account>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListBuckets<'a> {
    account_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_name: Option<&'a str>,
}

#[derive(Deserialize)]
struct Buckets {
    buckets: Vec<BucketBody>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CreateBucket<'a> {
    account_id: String,
    bucket_name: &'a str,
    bucket_type: &'a str,
    bucket_info: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileById<'a> {
    file_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FileByIdAndName<'a> {
    file_id: &'a str,
    file_name: &'a str,
}

/// Backblaze answers with the two names that it was given.
#[derive(Deserialize)]
struct Deleted {}

impl B2 {
    /// The account of that key. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidB2Settings`] says which setting cannot be used.
    pub fn new(settings: B2Settings) -> Result<Self, InvalidB2Settings> {
        let B2Settings { base_url, key_id, key, deadline } = settings;
        for part in [key_id.as_str(), key.expose_secret()] {
            // A colon ends the id of a login (RFC 7617 §2).
            let is_visible = part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
            if part.is_empty() || !is_visible {
                return Err(InvalidB2Settings::Key);
            }
        }
        let client = ApiClient::new(ClientSettings { deadline, ..ClientSettings::new(base_url) })?;
        Ok(Self { account: Arc::new(Account::new(client, key_id, key, deadline)) })
    }

    /// Makes sure that the key is good, asking Backblaze only if it was not asked
    /// before.
    ///
    /// # Errors
    /// [`B2Error::Denied`] if it is not; others if Backblaze does not tell.
    pub async fn authorize(&self) -> Result<(), B2Error> {
        self.account.session().await.map(|_| ())
    }

    /// All buckets that the key may see.
    ///
    /// # Errors
    /// [`B2Error`] if Backblaze does not tell.
    pub async fn list_buckets(&self) -> Result<Vec<BucketInfo>, B2Error> {
        self.buckets(None).await
    }

    async fn buckets(&self, name: Option<&str>) -> Result<Vec<BucketInfo>, B2Error> {
        let listed: Buckets = self
            .account
            .call("b2_list_buckets", Repeat::Safe, |session| ListBuckets {
                account_id: session.account_id.clone(),
                bucket_name: name,
            })
            .await?;
        Ok(listed.buckets.into_iter().map(Into::into).collect())
    }

    /// The bucket of that name.
    ///
    /// # Errors
    /// [`B2Error::BucketNotFound`] if there is none that the key may see; others
    /// if the name is none or Backblaze does not tell.
    pub async fn bucket(&self, name: &str) -> Result<B2Bucket, B2Error> {
        check_bucket_name(name)?;
        // Backblaze does not tell names apart by case.
        let found = self.buckets(Some(name)).await?.into_iter().next();
        let info = found.ok_or_else(|| B2Error::BucketNotFound(name.to_owned()))?;
        Ok(B2Bucket::new(self.clone(), info))
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// [`B2Error::BucketNameTaken`] if anybody has one of that name; others if the
    /// name is none or Backblaze does not do it.
    pub async fn create_bucket(
        &self,
        name: &str,
        kind: BucketType,
        info: BTreeMap<String, String>,
    ) -> Result<B2Bucket, B2Error> {
        check_bucket_name(name)?;
        let created: BucketBody = self
            .account
            .call("b2_create_bucket", Repeat::IfNotDone, |session| CreateBucket {
                account_id: session.account_id.clone(),
                bucket_name: name,
                bucket_type: kind.as_str(),
                bucket_info: &info,
            })
            .await?;
        Ok(B2Bucket::new(self.clone(), created.into()))
    }

    /// What Backblaze tells about a version of a file.
    ///
    /// # Errors
    /// [`B2Error::FileNotFound`] if there is none of that id; others if Backblaze
    /// does not tell.
    pub async fn file(&self, id: &FileId) -> Result<FileVersion, B2Error> {
        let found: VersionBody = self
            .account
            .call("b2_get_file_info", Repeat::Safe, |_| FileById { file_id: id.as_str() })
            .await?;
        Ok(found.into())
    }

    /// Where a version of a file is. If its bucket is private, it takes an
    /// authorization to fetch it.
    ///
    /// # Errors
    /// [`B2Error`] if Backblaze does not tell where files are.
    pub async fn download_url_by_id(&self, id: &FileId) -> Result<String, B2Error> {
        let session = self.account.session().await?;
        let id = in_query(id.as_str());
        Ok(format!("{}b2api/v3/b2_download_file_by_id?fileId={id}", session.download))
    }

    /// Deletes one version of a file; the one before it becomes the newest.
    ///
    /// # Errors
    /// [`B2Error::FileNotFound`] if there is none of that id and name; others if
    /// Backblaze does not do it.
    pub async fn delete_version(&self, id: &FileId, name: &ObjectName) -> Result<(), B2Error> {
        let Deleted {} = self
            .account
            .call("b2_delete_file_version", Repeat::IfNotDone, |_| FileByIdAndName {
                file_id: id.as_str(),
                file_name: name.as_str(),
            })
            .await?;
        Ok(())
    }
}

/// <https://www.backblaze.com/docs/cloud-storage-buckets>.
fn check_bucket_name(name: &str) -> Result<(), B2Error> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if (6..=63).contains(&name.len()) && name.bytes().all(is_allowed) {
        Ok(())
    } else {
        Err(B2Error::BucketName(name.to_owned()))
    }
}
