//! Backblaze B2's native API, version 3: buckets, versions of files, download
//! authorizations.
//! <https://www.backblaze.com/apidocs/introduction-to-the-b2-native-api>
//!
//! It is one account with one application key that may do everything. Files are
//! put into it by tests: programs upload in the manner of S3.

mod buckets;
mod fields;
mod files;
mod state;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use self::fields::{Fields, bad};
use self::state::{Bucket, Grant, Version};
use crate::request::{Reply, Request};
use crate::server::Service;

const ACCOUNT: &str = "a0123456789b";
const VERSION: &str = "v3";

/// An account at Backblaze.
pub struct B2 {
    key_id: String,
    key: String,
    buckets: Vec<Bucket>,
    versions: Vec<Version>,
    grants: Vec<Grant>,
    token: u32,
    number: u32,
    authorizations: u32,
}

/// Why a request was refused.
struct Refused {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refused {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    fn reply(&self) -> Reply {
        let body = json!({"status": self.status, "code": self.code, "message": self.message});
        Reply::json(self.status, &body)
    }
}

impl B2 {
    /// An account without buckets, with that application key.
    #[must_use]
    pub fn new(key_id: &str, key: &str) -> Self {
        Self {
            key_id: key_id.to_owned(),
            key: key.to_owned(),
            buckets: Vec::new(),
            versions: Vec::new(),
            grants: Vec::new(),
            token: 1,
            number: 0,
            authorizations: 0,
        }
    }

    /// Uploads a file, as somebody else does; returns the version's id.
    ///
    /// # Panics
    /// When there is no bucket of that name.
    pub fn upload(&mut self, bucket: &str, name: &str, content: &[u8]) -> String {
        let bucket = self.buckets.iter().find(|known| known.name == bucket).expect("the bucket");
        let bucket_id = bucket.id.clone();
        self.number += 1;
        let id = format!("4_z{bucket_id}_f{:08}", self.number);
        self.versions.push(Version {
            id: id.clone(),
            name: name.to_owned(),
            bucket_id,
            content: content.to_vec(),
            content_type: "text/plain".to_owned(),
            uploaded_millis: 1_795_348_800_000 + i64::from(self.number),
        });
        id
    }

    /// Lets every token that was given out expire.
    pub fn expire_tokens(&mut self) {
        self.token += 1;
    }

    /// Changes a bucket's revision, as when somebody else changes it.
    pub fn touch(&mut self, bucket: &str) {
        for bucket in self.buckets.iter_mut().filter(|known| known.name == bucket) {
            bucket.revision += 1;
        }
    }

    /// How often somebody was authorized.
    #[must_use]
    pub fn authorizations(&self) -> u32 {
        self.authorizations
    }

    fn token(&self) -> String {
        format!("4_{ACCOUNT}_token_{}", self.token)
    }

    fn authorize(&mut self, request: &Request) -> Result<Value, Refused> {
        let login = STANDARD.encode(format!("{}:{}", self.key_id, self.key));
        let denied = || Refused::new(401, "unauthorized", "invalid applicationKeyId");
        if request.header("authorization") != Some(&format!("Basic {login}")) {
            return Err(denied());
        }
        self.authorizations += 1;
        let host = format!("http://{}", request.header("host").unwrap_or_default());
        Ok(json!({
            "accountId": ACCOUNT,
            "authorizationToken": self.token(),
            "applicationKeyExpirationTimestamp": null,
            "apiInfo": {"storageApi": {
                "apiUrl": host,
                "downloadUrl": host,
                "s3ApiUrl": host,
                "recommendedPartSize": 100_000_000,
                "absoluteMinimumPartSize": 5_000_000,
                "bucketId": null,
                "bucketName": null,
                "namePrefix": null,
                "capabilities": ["listBuckets", "writeBuckets", "deleteBuckets", "listFiles",
                    "readFiles", "shareFiles", "writeFiles", "deleteFiles"],
                "infoType": "storageApi",
            }},
        }))
    }

    fn check_token(&self, request: &Request) -> Result<(), Refused> {
        match request.header("authorization") {
            None => Err(Refused::new(401, "bad_auth_token", "the Authorization header is missing")),
            Some(token) if token == self.token() => Ok(()),
            Some(token) if token.starts_with("4_") => {
                Err(Refused::new(401, "expired_auth_token", "Authorization token has expired"))
            }
            Some(_) => Err(Refused::new(401, "bad_auth_token", "Invalid authorization token")),
        }
    }

    fn call(&mut self, operation: &str, request: &Request) -> Result<Value, Refused> {
        self.check_token(request)?;
        let fields = Fields::of(request.json())?;
        match operation {
            "b2_list_buckets" => self.list_buckets(fields),
            "b2_create_bucket" => self.create_bucket(fields),
            "b2_update_bucket" => self.update_bucket(fields),
            "b2_delete_bucket" => self.delete_bucket(fields),
            "b2_get_file_info" => self.file_info(fields),
            "b2_delete_file_version" => self.delete_version(fields),
            "b2_list_file_versions" => self.list_versions(fields),
            "b2_get_download_authorization" => self.authorize_download(fields),
            _ => Err(bad(&format!("unknown API: {operation}"))),
        }
    }
}

impl Service for B2 {
    fn answer(&mut self, request: &Request) -> Reply {
        let segments = request.segments();
        let answer = match (&request.method, &segments[..]) {
            (&Method::GET, ["b2api", VERSION, "b2_authorize_account"]) => {
                self.authorize(request).map(|body| Reply::json(200, &body))
            }
            (&Method::GET, ["b2api", VERSION, "b2_download_file_by_id"]) => {
                self.download_by_id(request)
            }
            (&Method::POST, ["b2api", VERSION, operation]) => {
                self.call(operation, request).map(|body| Reply::json(200, &body))
            }
            (&Method::GET, ["file", bucket, name @ ..]) if !name.is_empty() => {
                self.download_by_name(request, bucket, &name.join("/"))
            }
            (_, ["b2api", VERSION, _]) => {
                Err(Refused::new(405, "method_not_allowed", "only GET or POST is supported"))
            }
            _ => Err(Refused::new(404, "not_found", "")),
        };
        answer.unwrap_or_else(|refused| refused.reply())
    }

    fn refusal(&self, status: u16) -> Reply {
        let code = match status {
            401 => "unauthorized",
            403 => "access_denied",
            408 => "request_timeout",
            429 => "too_many_requests",
            500 => "internal_error",
            503 => "service_unavailable",
            _ => "bad_request",
        };
        Refused::new(status, code, "no").reply()
    }
}
