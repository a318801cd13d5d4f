//! Versions of files, by their ids.

use std::collections::BTreeMap;
use std::fmt;

use portcullis_domain::Timestamp;
use portcullis_domain::object::Checksums;
use serde::Deserialize;
use url::Url;

use super::error::B2Error;
use crate::checksums::from_hex;

/// Names one version of one file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(String);

impl FileId {
    /// Most characters (Backblaze).
    pub const MAX: usize = 200;

    /// Parses an id; nothing is trimmed.
    ///
    /// # Errors
    /// [`B2Error::FileId`] if it is blank, too long or no visible ASCII.
    pub fn parse(text: &str) -> Result<Self, B2Error> {
        let is_id = (1..=Self::MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_id { Ok(Self(text.to_owned())) } else { Err(B2Error::FileId) }
    }

    /// Takes the id out of a URL like
    /// `https://f004.backblazeb2.com/b2api/v3/b2_download_file_by_id?fileId=…`,
    /// whatever else stands in its query.
    ///
    /// # Errors
    /// [`B2Error::UrlWithoutFileId`] if there is none, or more than one.
    pub fn of_url(url: &str) -> Result<Self, B2Error> {
        let url = Url::parse(url).map_err(|_| B2Error::UrlWithoutFileId)?;
        let mut ids = url.query_pairs().filter(|(name, _)| name == "fileId");
        match (ids.next(), ids.next()) {
            (Some((_, id)), None) => Self::parse(&id).map_err(|_| B2Error::UrlWithoutFileId),
            _ => Err(B2Error::UrlWithoutFileId),
        }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVersion {
    /// Its id.
    pub id: FileId,
    /// The file's name; others may have given one that is no
    /// [`ObjectName`](portcullis_domain::ObjectName).
    pub name: String,
    /// The bucket it lies in.
    pub bucket_id: String,
    /// What it is: `upload`; `hide` for a mark that hides older versions.
    pub action: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its content type, as its owner has told it.
    pub content_type: Option<String>,
    /// What Backblaze has computed.
    pub checksums: Checksums,
    /// What its owner noted beside it.
    pub info: BTreeMap<String, String>,
    /// When it was uploaded.
    pub uploaded: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionBody {
    file_id: String,
    file_name: String,
    bucket_id: String,
    action: String,
    content_length: u64,
    content_type: Option<String>,
    content_sha1: Option<String>,
    content_md5: Option<String>,
    #[serde(default)]
    file_info: BTreeMap<String, String>,
    upload_timestamp: i64,
}

impl From<VersionBody> for FileVersion {
    fn from(body: VersionBody) -> Self {
        Self {
            id: FileId(body.file_id),
            name: body.file_name,
            bucket_id: body.bucket_id,
            action: body.action,
            size: body.content_length,
            content_type: body.content_type,
            checksums: Checksums {
                // `none` for a file that came in parts.
                sha1: body.content_sha1.as_deref().and_then(from_hex),
                md5: body.content_md5.as_deref().and_then(from_hex),
                ..Checksums::default()
            },
            info: body.file_info,
            // In milliseconds.
            uploaded: Timestamp::from_micros(body.upload_timestamp.saturating_mul(1_000)),
        }
    }
}

/// A page of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionPage {
    /// The versions.
    pub versions: Vec<FileVersion>,
    /// With which one the next page begins, unless this is the last.
    pub next: Option<(String, FileId)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionPageBody {
    files: Vec<VersionBody>,
    next_file_name: Option<String>,
    next_file_id: Option<String>,
}

impl From<VersionPageBody> for VersionPage {
    fn from(body: VersionPageBody) -> Self {
        Self {
            versions: body.files.into_iter().map(Into::into).collect(),
            next: body.next_file_name.zip(body.next_file_id.map(FileId)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_taken_out_of_a_url_and_nothing_else() {
        let by_id = "https://f004.example/b2api/v3/b2_download_file_by_id";
        for query in ["?fileId=4_z1_f2", "?fileId=4_z1_f2&b=c#d", "?a=fileId=x&fileId=4_z1_f2"] {
            let id = FileId::of_url(&format!("{by_id}{query}")).unwrap();
            assert_eq!(id.as_str(), "4_z1_f2", "{query}");
        }
        for url in ["", "fileId=4_z1_f2", by_id] {
            assert!(matches!(FileId::of_url(url), Err(B2Error::UrlWithoutFileId)), "{url}");
        }
        for query in ["?fileId=", "?fileId=%20", "?xfileId=1", "?fileId=1&fileId=2"] {
            let found = FileId::of_url(&format!("{by_id}{query}"));
            assert!(matches!(found, Err(B2Error::UrlWithoutFileId)), "{query}");
        }
    }

    #[test]
    fn a_blank_id_is_none() {
        for text in ["", " ", "a b", "ü", &"x".repeat(201)] {
            assert!(matches!(FileId::parse(text), Err(B2Error::FileId)), "{text:?}");
        }
    }
}
