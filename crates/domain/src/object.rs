//! Objects of a store of files: their names, and what is told about them.

mod attributes;
mod content_type;
mod listing;
mod name;

use std::collections::BTreeMap;
use std::fmt;

pub use attributes::{InvalidMetadata, Metadata, ObjectAttributes};
pub use content_type::{ContentType, InvalidContentType};
pub use listing::{Depth, Entry, Listing, ObjectPage, PageToken};
pub use name::{FolderName, InvalidObjectName, NamePrefix, ObjectName};

use crate::Timestamp;

/// What a store tells about an object. Stores differ in what they keep, and
/// their lists tell less than [`stat`](crate::ports::ObjectStore::stat) does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its name.
    pub name: ObjectName,
    /// Its length in bytes.
    pub size: u64,
    /// What it is, where the store tells that and it is well-formed.
    pub content_type: Option<ContentType>,
    /// Changes with the content; its form is the store's affair.
    pub etag: Option<String>,
    /// What the store itself has computed.
    pub checksums: Checksums,
    /// When this version was written first, in the store's own time.
    pub created: Option<Timestamp>,
    /// When it was changed last, in the store's own time.
    pub modified: Option<Timestamp>,
    /// What its owner noted beside it. Others may have noted what
    /// [`Metadata`] would not take.
    pub metadata: BTreeMap<String, String>,
    /// Which of several versions of that name it is, where a store keeps them.
    pub version: Option<String>,
}

impl ObjectMeta {
    /// A name and a size, nothing else.
    #[must_use]
    pub fn new(name: ObjectName, size: u64) -> Self {
        Self {
            name,
            size,
            content_type: None,
            etag: None,
            checksums: Checksums::default(),
            created: None,
            modified: None,
            metadata: BTreeMap::new(),
            version: None,
        }
    }
}

/// Digests of an object's content, as far as its store tells them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    /// MD5 (RFC 1321): finds accidents, not attacks.
    pub md5: Option<[u8; 16]>,
    /// SHA-1 (FIPS 180-4), which Backblaze counts in.
    pub sha1: Option<[u8; 20]>,
    /// SHA-256 (FIPS 180-4).
    pub sha256: Option<[u8; 32]>,
    /// CRC-32C (RFC 3720 §12.1), which Google counts in.
    pub crc32c: Option<u32>,
}

/// A URL with which anybody can fetch one object until it expires.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl(String);

impl SignedUrl {
    /// Wraps a URL.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self(url)
    }

    /// The URL, for whoever may have the object.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whoever has it has the object: the debug form, which ends up in logs, tells
/// none.
impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedUrl(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_no_signature() {
        let url = SignedUrl::new("https://store.example/a?signature=s3cret".into());
        assert_eq!(format!("{url:?}"), "SignedUrl(…)");
        assert!(url.expose().ends_with("s3cret"));
    }
}
