//! What stands in a file in front of an object's content.
//!
//! One file for both, so that one rename replaces both. The block is of one
//! length and is written last: digests are known when the content has passed.

use std::collections::BTreeMap;

use portcullis_domain::object::{Checksums, ObjectMeta};
use portcullis_domain::{ContentType, ObjectName};
use serde::{Deserialize, Serialize};

use crate::checksums::{from_hex, hex};

/// How long the block is: far more than attributes may be.
pub(super) const LENGTH: usize = 8 * 1024;

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Header {
    content_type: String,
    metadata: BTreeMap<String, String>,
    md5: String,
    sha1: String,
    sha256: String,
    crc32c: u32,
}

impl Header {
    pub(super) fn of(meta: &ObjectMeta) -> Self {
        let Checksums { md5, sha1, sha256, crc32c } = meta.checksums;
        let content_type = meta.content_type.as_ref().map(ContentType::to_string);
        Self {
            content_type: content_type.unwrap_or_default(),
            metadata: meta.metadata.clone(),
            md5: hex(&md5.unwrap_or_default()),
            sha1: hex(&sha1.unwrap_or_default()),
            sha256: hex(&sha256.unwrap_or_default()),
            crc32c: crc32c.unwrap_or_default(),
        }
    }

    pub(super) fn into_meta(self, name: ObjectName, size: u64) -> ObjectMeta {
        ObjectMeta {
            content_type: ContentType::parse(&self.content_type).ok(),
            checksums: Checksums {
                md5: from_hex(&self.md5),
                sha1: from_hex(&self.sha1),
                sha256: from_hex(&self.sha256),
                crc32c: Some(self.crc32c),
            },
            etag: Some(self.sha256),
            metadata: self.metadata,
            ..ObjectMeta::new(name, size)
        }
    }

    /// The block: JSON, blanks, the end of a line.
    pub(super) fn to_block(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut block = serde_json::to_vec(self)?;
        block.resize(LENGTH - 1, b' ');
        block.push(b'\n');
        Ok(block)
    }

    pub(super) fn from_block(block: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(block)
    }
}

#[cfg(test)]
mod tests {
    use portcullis_domain::object::Metadata;

    use super::*;
    use crate::checksums::Digests;

    #[test]
    fn the_longest_attributes_fit() {
        let name = ObjectName::parse("a").unwrap();
        // A quotation mark is written as two.
        let value = "\"".repeat(Metadata::MAX - 1);
        let metadata = Metadata::new([("n".to_owned(), value)].into()).unwrap();
        let parameter = "\"".repeat(ContentType::MAX - "a/b;".len());
        let mut digests = Digests::new();
        digests.update(b"content");
        let meta = ObjectMeta {
            content_type: Some(ContentType::parse(&format!("a/b;{parameter}")).unwrap()),
            checksums: digests.finish().1,
            metadata: metadata.into_inner(),
            ..ObjectMeta::new(name.clone(), 7)
        };
        let block = Header::of(&meta).to_block().unwrap();
        assert_eq!(block.len(), LENGTH);
        let mut read = Header::from_block(&block).unwrap().into_meta(name, 7);
        assert_eq!(read.etag.take(), Some(hex(&meta.checksums.sha256.unwrap())));
        assert_eq!(read, meta);
    }
}
