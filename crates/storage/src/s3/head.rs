//! What the headers of an object say.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use portcullis_domain::object::{Checksums, ObjectMeta};
use portcullis_domain::{ContentType, ObjectName, Timestamp};

use crate::checksums::from_hex;

const METADATA: &str = "x-amz-meta-";

/// Reads what S3 answers to HEAD; `None` if it tells no length.
pub(super) fn meta(name: &ObjectName, headers: &HeaderMap) -> Option<ObjectMeta> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let size = text(CONTENT_LENGTH.as_str())?.parse().ok()?;
    let etag = text(ETAG.as_str()).map(unquoted);
    // With a key of the service's own or without any, it is an MD5; with another
    // key it only looks like one.
    let is_digest = text("x-amz-server-side-encryption").is_none_or(|kind| kind == "AES256")
        && text("x-amz-server-side-encryption-customer-algorithm").is_none();
    let modified = text(LAST_MODIFIED.as_str());
    let modified = modified.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
    let version = text("x-amz-version-id").filter(|version| *version != "null");
    let metadata: BTreeMap<_, _> = headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().strip_prefix(METADATA)?, value)))
        .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    Some(ObjectMeta {
        content_type: text(CONTENT_TYPE.as_str()).and_then(|kind| ContentType::parse(kind).ok()),
        checksums: Checksums {
            md5: etag.as_deref().filter(|_| is_digest).and_then(from_hex),
            sha1: text("x-amz-checksum-sha1").and_then(from_base64),
            sha256: text("x-amz-checksum-sha256").and_then(from_base64),
            crc32c: text("x-amz-checksum-crc32c").and_then(from_base64).map(u32::from_be_bytes),
        },
        etag,
        modified: modified.map(|date| Timestamp::from_micros(date.timestamp_micros())),
        metadata,
        version: version.map(str::to_owned),
        ..ObjectMeta::new(name.clone(), size)
    })
}

/// An `ETag` without its quotation marks.
pub(super) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// The checksum of a whole; one of parts has a number behind it.
fn from_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksums::hex;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn what_s3_tells_is_read() {
        let name = ObjectName::parse("a/b").unwrap();
        let found = meta(
            &name,
            &headers(&[
                ("content-length", "43"),
                ("content-type", "text/plain"),
                ("etag", "\"9e107d9d372bb6826bd81d3542a419d6\""),
                ("last-modified", "Sun, 22 Nov 2026 14:00:00 GMT"),
                ("x-amz-version-id", "v1"),
                ("x-amz-meta-scanned", "true"),
                ("x-amz-checksum-crc32c", "ImIEBA=="),
                ("x-amz-checksum-sha256", "AAAA-3"),
            ]),
        )
        .unwrap();
        assert_eq!((found.size, found.version.as_deref()), (43, Some("v1")));
        assert_eq!(hex(&found.checksums.md5.unwrap()), "9e107d9d372bb6826bd81d3542a419d6");
        assert_eq!(found.checksums.crc32c, Some(0x2262_0404));
        assert_eq!(found.checksums.sha256, None);
        assert_eq!(found.modified.unwrap().to_string(), "2026-11-22T14:00:00.000000Z");
        assert_eq!(found.metadata, [("scanned".to_owned(), "true".to_owned())].into());
    }

    #[test]
    fn what_only_looks_like_a_digest_is_none() {
        let name = ObjectName::parse("a").unwrap();
        let length = ("content-length", "1");
        let etag = ("etag", "\"9e107d9d372bb6826bd81d3542a419d6\"");
        let in_parts = ("etag", "\"9e107d9d372bb6826bd81d3542a419d6-2\"");
        let kms = ("x-amz-server-side-encryption", "aws:kms");
        for pairs in [&[length, etag, kms][..], &[length, in_parts]] {
            let found = meta(&name, &headers(pairs)).unwrap();
            assert!(found.checksums.md5.is_none() && found.etag.is_some(), "{pairs:?}");
        }
        assert_eq!(meta(&name, &headers(&[etag])), None);
    }
}
