//! Objects and lists as Google writes them:
//! <https://cloud.google.com/storage/docs/json_api/v1/objects#resource>.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_domain::object::{Checksums, ObjectAttributes, ObjectMeta, ObjectPage, PageToken};
use portcullis_domain::{ContentType, FolderName, ObjectName, Timestamp};
use serde::{Deserialize, Serialize};

/// An object as Google tells it; all numbers are texts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    name: String,
    size: String,
    content_type: Option<String>,
    etag: Option<String>,
    md5_hash: Option<String>,
    crc32c: Option<String>,
    time_created: Option<String>,
    updated: Option<String>,
    generation: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

impl Resource {
    /// `None` for the mark of a folder, and for a name that is none of ours.
    pub(super) fn into_meta(self) -> Option<ObjectMeta> {
        let name = ObjectName::parse(&self.name).ok()?;
        let time = |text: Option<String>| Timestamp::parse(&text?).ok();
        Some(ObjectMeta {
            content_type: self.content_type.and_then(|kind| ContentType::parse(&kind).ok()),
            etag: self.etag,
            checksums: Checksums {
                md5: self.md5_hash.as_deref().and_then(from_base64),
                crc32c: self.crc32c.as_deref().and_then(from_base64).map(u32::from_be_bytes),
                ..Checksums::default()
            },
            created: time(self.time_created),
            modified: time(self.updated),
            metadata: self.metadata,
            version: self.generation,
            ..ObjectMeta::new(name, self.size.parse().ok()?)
        })
    }
}

/// What an upload says of its object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewResource<'a> {
    name: &'a str,
    content_type: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'a str, &'a str>,
    /// Google refuses a content that has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    md5_hash: Option<String>,
}

impl<'a> NewResource<'a> {
    pub(super) fn new(name: &'a str, attributes: &'a ObjectAttributes) -> Self {
        Self {
            name,
            content_type: attributes.content_type.as_str(),
            metadata: attributes.metadata.iter().collect(),
            md5_hash: None,
        }
    }

    pub(super) fn with_md5(self, md5: [u8; 16]) -> Self {
        Self { md5_hash: Some(STANDARD.encode(md5)), ..self }
    }
}

/// A page of a list of objects.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResourcePage {
    #[serde(default)]
    items: Vec<Resource>,
    #[serde(default)]
    prefixes: Vec<String>,
    next_page_token: Option<String>,
}

impl ResourcePage {
    pub(super) fn into_page(self) -> ObjectPage {
        let folders = self.prefixes.iter().filter_map(|name| FolderName::parse(name).ok());
        ObjectPage {
            objects: self.items.into_iter().filter_map(Resource::into_meta).collect(),
            folders: folders.collect(),
            next: self.next_page_token.filter(|token| !token.is_empty()).map(PageToken::new),
        }
    }
}

/// How far a copy has come.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rewrite {
    pub(super) done: bool,
    pub(super) rewrite_token: Option<String>,
}

/// A page of a list of buckets.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BucketPage {
    #[serde(default)]
    pub(super) items: Vec<BucketResource>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BucketResource {
    pub(super) name: String,
}

pub(super) fn from_base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksums::hex;

    #[test]
    fn what_google_tells_is_read() {
        let page: ResourcePage = serde_json::from_str(
            r#"{"kind": "storage#objects", "nextPageToken": "t",
                "items": [
                  {"name": "a/fox.txt", "size": "43", "contentType": "text/plain", "etag": "CAE=",
                   "md5Hash": "nhB9nTcrtoJr2B01QqQZ1g==", "crc32c": "ImIEBA==",
                   "timeCreated": "2026-11-22T14:00:00.123Z", "updated": "2026-11-22T15:00:00Z",
                   "generation": "17", "metadata": {"scanned": "true"}},
                  {"name": "a/", "size": "0"},
                  {"name": "a//b", "size": "1"}],
                "prefixes": ["a/b/", "/"]}"#,
        )
        .unwrap();
        let page = page.into_page();
        let [fox] = &page.objects[..] else { panic!("{page:?}") };
        assert_eq!((fox.name.as_str(), fox.size), ("a/fox.txt", 43));
        assert_eq!(hex(&fox.checksums.md5.unwrap()), "9e107d9d372bb6826bd81d3542a419d6");
        assert_eq!(fox.checksums.crc32c, Some(0x2262_0404));
        assert_eq!(fox.created.unwrap().to_string(), "2026-11-22T14:00:00.123000Z");
        assert_eq!(fox.version.as_deref(), Some("17"));
        assert_eq!(page.folders, [FolderName::parse("a/b").unwrap()]);
        assert_eq!(page.next, Some(PageToken::new("t".into())));
    }
}
