//! What an account at Backblaze holds.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) info: BTreeMap<String, String>,
    pub(super) revision: u64,
}

impl Bucket {
    pub(super) fn json(&self, account_id: &str) -> Value {
        json!({
            "accountId": account_id,
            "bucketId": self.id,
            "bucketName": self.name,
            "bucketType": self.kind,
            "bucketInfo": self.info,
            "corsRules": [],
            "lifecycleRules": [],
            "options": [],
            "revision": self.revision,
        })
    }
}

/// A version of a file.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) bucket_id: String,
    pub(super) content: Vec<u8>,
    pub(super) content_type: String,
    pub(super) uploaded_millis: i64,
}

impl Version {
    pub(super) fn json(&self, account_id: &str) -> Value {
        use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        use std::fmt::Write as _;
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &self.content);
        let sha1 = sha1.as_ref().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("memory");
            hex
        });
        json!({
            "accountId": account_id,
            "action": "upload",
            "bucketId": self.bucket_id,
            "contentLength": self.content.len(),
            "contentSha1": sha1,
            "contentMd5": null,
            "contentType": self.content_type,
            "fileId": self.id,
            "fileInfo": {"scanned": "true"},
            "fileName": self.name,
            "uploadTimestamp": self.uploaded_millis,
        })
    }
}

/// A download authorization that was given out.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) bucket_id: String,
    pub(super) prefix: String,
    pub(super) token: String,
}
