//! Buckets of Backblaze.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use portcullis_api_client::Repeat;
use portcullis_domain::ObjectName;
use portcullis_domain::object::SignedUrl;
use portcullis_domain::ports::SIGNED_LIFETIMES;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::B2;
use super::error::B2Error;
use super::file::{FileId, FileVersion, VersionPage, VersionPageBody};
use crate::escapes::in_path;

/// Who may read a bucket's files, and what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BucketType {
    /// Anybody may read them.
    AllPublic,
    /// Who is authorized may read them.
    #[default]
    AllPrivate,
    /// Snapshots that Backblaze itself has made.
    Snapshot,
    /// Files that are shared from a computer's backup.
    Share,
    /// Backblaze lets nobody have them.
    Restricted,
    /// Another that was not known when this was written.
    Other(String),
}

impl BucketType {
    /// As Backblaze writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AllPublic => "allPublic",
            Self::AllPrivate => "allPrivate",
            Self::Snapshot => "snapshot",
            Self::Share => "share",
            Self::Restricted => "restricted",
            Self::Other(other) => other,
        }
    }

    fn of(text: String) -> Self {
        let known =
            [Self::AllPublic, Self::AllPrivate, Self::Snapshot, Self::Share, Self::Restricted];
        let found = known.into_iter().find(|known| known.as_str() == text);
        found.unwrap_or(Self::Other(text))
    }
}

/// What a bucket was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who may read its files.
    pub kind: BucketType,
    /// What its owner noted.
    pub info: BTreeMap<String, String>,
    /// Grows with each change.
    pub revision: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BucketBody {
    bucket_id: String,
    bucket_name: String,
    bucket_type: String,
    #[serde(default)]
    bucket_info: BTreeMap<String, String>,
    revision: u64,
}

impl From<BucketBody> for BucketInfo {
    fn from(body: BucketBody) -> Self {
        Self {
            id: body.bucket_id,
            name: body.bucket_name,
            kind: BucketType::of(body.bucket_type),
            info: body.bucket_info,
            revision: body.revision,
        }
    }
}

/// A bucket that was there when it was looked up.
#[derive(Clone)]
pub struct B2Bucket {
    b2: B2,
    info: BucketInfo,
}

impl fmt::Debug for B2Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("B2Bucket").field("info", &self.info).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Update<'a> {
    account_id: String,
    bucket_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_info: Option<&'a BTreeMap<String, String>>,
    if_revision_is: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Delete<'a> {
    account_id: String,
    bucket_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Authorize<'a> {
    bucket_id: &'a str,
    file_name_prefix: &'a str,
    valid_duration_in_seconds: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DownloadAuthorization {
    authorization_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListVersions<'a> {
    bucket_id: &'a str,
    max_file_count: u32,
    prefix: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_file_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_file_id: Option<&'a str>,
}

impl B2Bucket {
    pub(super) fn new(b2: B2, info: BucketInfo) -> Self {
        Self { b2, info }
    }

    /// What it was when it was looked at.
    #[must_use]
    pub fn info(&self) -> &BucketInfo {
        &self.info
    }

    /// Changes who may read it, and what is noted about it; `None` leaves it as it
    /// is.
    ///
    /// # Errors
    /// [`B2Error::BucketChanged`] if somebody else changed it since it was looked
    /// at; others if Backblaze does not do it.
    pub async fn update(
        self,
        kind: Option<BucketType>,
        info: Option<BTreeMap<String, String>>,
    ) -> Result<Self, B2Error> {
        let updated: BucketBody = self
            .b2
            .account
            .call("b2_update_bucket", Repeat::IfNotDone, |session| Update {
                account_id: session.account_id.clone(),
                bucket_id: &self.info.id,
                bucket_type: kind.as_ref().map(BucketType::as_str),
                bucket_info: info.as_ref(),
                if_revision_is: self.info.revision,
            })
            .await?;
        Ok(Self { info: updated.into(), ..self })
    }

    /// Deletes it, if it is empty.
    ///
    /// # Errors
    /// [`B2Error::BucketNotEmpty`] if it is not; others if Backblaze does not do
    /// it.
    pub async fn delete(self) -> Result<(), B2Error> {
        let _: BucketBody = self
            .b2
            .account
            .call("b2_delete_bucket", Repeat::IfNotDone, |session| Delete {
                account_id: session.account_id.clone(),
                bucket_id: &self.info.id,
            })
            .await?;
        Ok(())
    }

    /// A page of all versions of its files whose names begin so, by their names,
    /// the newest of a name first; at most `limit`, which is 1 to 1,000.
    ///
    /// # Errors
    /// [`B2Error`] if Backblaze does not tell.
    pub async fn list_versions(
        &self,
        prefix: &str,
        limit: u32,
        after: Option<&(String, FileId)>,
    ) -> Result<VersionPage, B2Error> {
        let page: VersionPageBody = self
            .b2
            .account
            .call("b2_list_file_versions", Repeat::Safe, |_| ListVersions {
                bucket_id: &self.info.id,
                max_file_count: limit.clamp(1, 1_000),
                prefix,
                start_file_name: after.map(|(name, _)| name.as_str()),
                start_file_id: after.map(|(_, id)| id.as_str()),
            })
            .await?;
        Ok(page.into())
    }

    /// Where the newest version of a file is. If the bucket is private, it takes
    /// an authorization to fetch it.
    ///
    /// # Errors
    /// [`B2Error`] if Backblaze does not tell where files are.
    pub async fn download_url(&self, name: &ObjectName) -> Result<String, B2Error> {
        let session = self.b2.account.session().await?;
        Ok(format!("{}file/{}/{}", session.download, self.info.name, in_path(name.as_str())))
    }

    /// A URL with which anybody can fetch the newest version of a file, for a
    /// second to 7 days. It opens every file whose name begins with this one's.
    ///
    /// # Errors
    /// [`B2Error::Lifetime`] for longer or shorter; others if Backblaze does not
    /// authorize it.
    pub async fn temporary_url(
        &self,
        name: &ObjectName,
        lifetime: Duration,
    ) -> Result<SignedUrl, B2Error> {
        if !SIGNED_LIFETIMES.contains(&lifetime) {
            return Err(B2Error::Lifetime);
        }
        let granted: DownloadAuthorization = self
            .b2
            .account
            .call("b2_get_download_authorization", Repeat::Safe, |_| Authorize {
                bucket_id: &self.info.id,
                file_name_prefix: name.as_str(),
                valid_duration_in_seconds: lifetime.as_secs(),
            })
            .await?;
        let url = self.download_url(name).await?;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("Authorization", &granted.authorization_token)
            .finish();
        Ok(SignedUrl::new(format!("{url}?{query}")))
    }

    /// The same for a file by its id, which must lie in this bucket. The link is
    /// to the name, so to its newest version: Backblaze authorizes nobody for an
    /// id.
    ///
    /// # Errors
    /// [`B2Error::FileNotFound`] if it is not there; others as above.
    pub async fn temporary_url_by_id(
        &self,
        id: &FileId,
        lifetime: Duration,
    ) -> Result<SignedUrl, B2Error> {
        if !SIGNED_LIFETIMES.contains(&lifetime) {
            return Err(B2Error::Lifetime);
        }
        let version: FileVersion = self.b2.file(id).await?;
        if version.bucket_id != self.info.id {
            return Err(B2Error::FileNotFound("it lies in another bucket".into()));
        }
        let name = ObjectName::parse(&version.name)
            .map_err(|error| B2Error::UnexpectedAnswer(error.into()))?;
        self.temporary_url(&name, lifetime).await
    }
}
