//! Pages of S3's lists:
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use portcullis_domain::object::{Depth, Listing, ObjectMeta, ObjectPage, PageToken};
use portcullis_domain::{FolderName, ObjectName, Timestamp};
use serde::Deserialize;

use super::failure::Failure;
use super::head::unquoted;

/// The query that asks for a page. XML cannot carry every name as it is: they
/// are asked for as in a URL.
pub(super) fn query<'a>(listing: &'a Listing, limit: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut query = vec![("list-type", "2"), ("encoding-type", "url"), ("max-keys", limit)];
    if !listing.prefix.as_str().is_empty() {
        query.push(("prefix", listing.prefix.as_str()));
    }
    if listing.depth == Depth::OneLevel {
        query.push(("delimiter", "/"));
    }
    if let Some(after) = &listing.after {
        query.push(("continuation-token", after.as_str()));
    }
    query
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    #[serde(default)]
    encoding_type: String,
    #[serde(default)]
    contents: Vec<Contents>,
    #[serde(default)]
    common_prefixes: Vec<CommonPrefix>,
    next_continuation_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents {
    key: String,
    size: u64,
    last_modified: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CommonPrefix {
    prefix: String,
}

/// Reads a page.
pub(super) fn page(body: &[u8]) -> Result<ObjectPage, Failure> {
    let body: Body = quick_xml::de::from_reader(body)
        .map_err(|_| Failure::Unreadable("it is no list of objects".into()))?;
    let is_encoded = body.encoding_type == "url";
    let decoded = |text: &str| if is_encoded { decode(text) } else { text.to_owned() };
    // Marks of folders, which end in a slash, and names that are none of ours
    // have no name.
    let objects = body.contents.into_iter().filter_map(|found| {
        let name = ObjectName::parse(&decoded(&found.key)).ok()?;
        Some(ObjectMeta {
            etag: found.etag.as_deref().map(unquoted),
            modified: found.last_modified.and_then(|at| Timestamp::parse(&at).ok()),
            ..ObjectMeta::new(name, found.size)
        })
    });
    let folders = body.common_prefixes.into_iter();
    let folders = folders.filter_map(|found| FolderName::parse(&decoded(&found.prefix)).ok());
    Ok(ObjectPage {
        objects: objects.collect(),
        folders: folders.collect(),
        next: body.next_continuation_token.map(PageToken::new),
    })
}

/// As forms are written: a plus is a blank.
fn decode(text: &str) -> String {
    let text: Cow<'_, str> = text.replace('+', " ").into();
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_whatever_stands_in_them() {
        let page = page(
            br#"<?xml version="1.0" encoding="UTF-8"?>
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <Name>bucket</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
              <Contents><Key>a+b/100%25%2B.txt</Key><Size>7</Size><ETag>&quot;e1&quot;</ETag>
                <LastModified>2026-11-22T14:00:00.000Z</LastModified></Contents>
              <Contents><Key>a/</Key><Size>0</Size></Contents>
              <Contents><Key>a//b</Key><Size>0</Size></Contents>
              <Contents><Key>a%0Ab</Key><Size>0</Size></Contents>
              <CommonPrefixes><Prefix>%C3%BC/</Prefix></CommonPrefixes>
              <CommonPrefixes><Prefix>/</Prefix></CommonPrefixes>
              <NextContinuationToken>t0ken==</NextContinuationToken>
            </ListBucketResult>"#,
        )
        .unwrap();
        let [object] = &page.objects[..] else { panic!("{page:?}") };
        assert_eq!((object.name.as_str(), object.size), ("a b/100%+.txt", 7));
        assert_eq!(object.etag.as_deref(), Some("e1"));
        assert_eq!(object.modified.unwrap().to_string(), "2026-11-22T14:00:00.000000Z");
        assert_eq!(page.folders, [FolderName::parse("ü").unwrap()]);
        assert_eq!(page.next, Some(PageToken::new("t0ken==".into())));
    }

    #[test]
    fn what_is_no_list_is_no_empty_list() {
        for body in ["", "<html>", "{}", "<ListBucketResult><Contents/></ListBucketResult>"] {
            assert!(page(body.as_bytes()).is_err(), "{body}");
        }
    }
}
