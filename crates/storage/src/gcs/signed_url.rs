//! Signed URLs, version 4:
//! <https://cloud.google.com/storage/docs/authentication/signatures>.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::DateTime;
use portcullis_domain::object::SignedUrl;
use portcullis_domain::{ObjectName, Timestamp};
use portcullis_google::{ServiceAccount, SigningFailed};
use url::Url;

use crate::checksums::hex;
use crate::escapes::{in_path, in_query};

const ALGORITHM: &str = "GOOG4-RSA-SHA256";

/// Where an object is, as the web reaches it.
pub(super) fn path(bucket: &str, name: &ObjectName) -> String {
    format!("/{bucket}/{}", in_path(name.as_str()))
}

/// A URL that opens one object for whole seconds.
pub(super) fn sign(
    account: &ServiceAccount,
    base: &Url,
    path: &str,
    now: Timestamp,
    lifetime: Duration,
) -> Result<SignedUrl, SigningFailed> {
    let moment = DateTime::from_timestamp_micros(now.as_micros()).unwrap_or_default();
    let (day, time) = (moment.format("%Y%m%d"), moment.format("%Y%m%dT%H%M%SZ"));
    let scope = format!("{day}/auto/storage/goog4_request");
    let credential = format!("{}/{scope}", account.client_email());
    let lifetime = lifetime.as_secs();
    // In the order of their names.
    let query = format!(
        "X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={}&X-Goog-Date={time}&X-Goog-Expires={lifetime}&X-Goog-SignedHeaders=host",
        in_query(&credential)
    );
    let host = &base[url::Position::BeforeHost..url::Position::AfterPort];
    let request = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
    let request = hex(digest(&SHA256, request.as_bytes()).as_ref());
    let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{request}");
    let signature = hex(&account.sign(to_sign.as_bytes())?);
    let origin = base.origin().ascii_serialization();
    Ok(SignedUrl::new(format!("{origin}{path}?{query}&X-Goog-Signature={signature}")))
}
