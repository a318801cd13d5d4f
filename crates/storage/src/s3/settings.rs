//! Which bucket, where, and as whom.

use std::time::Duration;

use portcullis_api_client::BaseUrl;
use portcullis_domain::Cause;
use secrecy::{ExposeSecret, SecretString};

/// Longest request by default: a part of an upload, 8 MiB, over a slow line.
const DEFAULT_DEADLINE: Duration = Duration::from_mins(1);
/// Longest permitted request.
const MAX_DEADLINE: Duration = Duration::from_mins(10);

/// A bucket of S3, or of what speaks like it. Its debug form tells no secret.
#[derive(Clone, Debug)]
pub struct S3Settings {
    /// Where the service is. The bucket's name becomes the first segment of the
    /// path.
    pub endpoint: BaseUrl,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// The access key's name.
    pub key_id: String,
    /// The secret access key.
    pub secret: SecretString,
    /// Below what address all may find the objects, if that is not the bucket's
    /// own: a content delivery network.
    pub public_base: Option<BaseUrl>,
    /// The longest that a request may take, its repetitions included; of a
    /// download, the longest that each 8 MiB of it may take. Up to 10 minutes.
    pub deadline: Duration,
}

impl S3Settings {
    /// A bucket at that endpoint; requests take a minute at most.
    #[must_use]
    pub fn new(
        endpoint: BaseUrl,
        region: impl Into<String>,
        bucket: impl Into<String>,
        key_id: impl Into<String>,
        secret: SecretString,
    ) -> Self {
        Self {
            endpoint,
            region: region.into(),
            bucket: bucket.into(),
            key_id: key_id.into(),
            secret,
            public_base: None,
            deadline: DEFAULT_DEADLINE,
        }
    }
}

/// Where Backblaze B2 serves a region, like `us-west-004`, in the manner of S3.
///
/// # Errors
/// [`InvalidS3Settings::Region`] if the region cannot be part of a host's name.
pub fn backblaze_endpoint(region: &str) -> Result<BaseUrl, InvalidS3Settings> {
    endpoint(region, "backblazeb2.com")
}

/// Where Amazon serves a region, like `eu-central-1`.
///
/// # Errors
/// [`InvalidS3Settings::Region`] if the region cannot be part of a host's name.
pub fn amazon_endpoint(region: &str) -> Result<BaseUrl, InvalidS3Settings> {
    endpoint(region, "amazonaws.com")
}

fn endpoint(region: &str, host: &str) -> Result<BaseUrl, InvalidS3Settings> {
    check_region(region)?;
    format!("https://s3.{region}.{host}").parse().map_err(|_| InvalidS3Settings::Region)
}

/// Why a bucket cannot be used. It tells no secret.
#[derive(Debug, thiserror::Error)]
pub enum InvalidS3Settings {
    /// The region is empty or has other characters than regions have.
    #[error("the region must be of a-z, 0-9 and '-'")]
    Region,
    /// The bucket's name is none.
    #[error("the bucket's name must be of 3 to 63 characters of a-z, 0-9, '.' and '-'")]
    Bucket,
    /// A part of the key is empty or does not fit into a header.
    #[error("the access key must be of visible ASCII characters")]
    Key,
    /// The time-out is zero or too long.
    #[error("the time-out must be up to 10 minutes")]
    Deadline,
    /// The client cannot be set up.
    #[error("the client of S3 cannot be set up")]
    Client(#[source] Cause),
}

fn check_region(region: &str) -> Result<(), InvalidS3Settings> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_allowed) {
        return Err(InvalidS3Settings::Region);
    }
    Ok(())
}

pub(super) fn check(settings: &S3Settings) -> Result<(), InvalidS3Settings> {
    check_region(&settings.region)?;
    // Backblaze has upper case, too.
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let bucket = &settings.bucket;
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_allowed) || bucket.contains("..")
    {
        return Err(InvalidS3Settings::Bucket);
    }
    for part in [settings.key_id.as_str(), settings.secret.expose_secret()] {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidS3Settings::Key);
        }
    }
    if settings.deadline.is_zero() || settings.deadline > MAX_DEADLINE {
        return Err(InvalidS3Settings::Deadline);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> S3Settings {
        let endpoint = backblaze_endpoint("us-west-004").unwrap();
        S3Settings::new(endpoint, "us-west-004", "bucket", "key-id", "s3cret".into())
    }

    #[test]
    fn each_setting_that_is_wrong_is_named() {
        assert!(check(&settings()).is_ok());
        for region in ["", "us west", "a/b", "evil.example/"] {
            let wrong = S3Settings { region: region.into(), ..settings() };
            assert!(matches!(check(&wrong), Err(InvalidS3Settings::Region)), "{region}");
            assert!(backblaze_endpoint(region).is_err(), "{region}");
        }
        for bucket in ["", " ", "ab", "a/b", "..", "a..b", &"x".repeat(64)] {
            let wrong = S3Settings { bucket: bucket.into(), ..settings() };
            assert!(matches!(check(&wrong), Err(InvalidS3Settings::Bucket)), "{bucket}");
        }
        for key in ["", "a b", "ü"] {
            let wrong = S3Settings { key_id: key.into(), ..settings() };
            assert!(matches!(check(&wrong), Err(InvalidS3Settings::Key)), "{key}");
            let wrong = S3Settings { secret: key.into(), ..settings() };
            assert!(matches!(check(&wrong), Err(InvalidS3Settings::Key)), "{key}");
        }
        let wrong = S3Settings { deadline: Duration::ZERO, ..settings() };
        assert!(matches!(check(&wrong), Err(InvalidS3Settings::Deadline)));
    }

    #[test]
    fn regions_have_their_hosts() {
        let aws = amazon_endpoint("eu-central-1").unwrap();
        assert_eq!(aws.as_str(), "https://s3.eu-central-1.amazonaws.com/");
        assert_eq!(settings().endpoint.as_str(), "https://s3.us-west-004.backblazeb2.com/");
    }

    #[test]
    fn debug_tells_no_secret() {
        assert!(!format!("{:?}", settings()).contains("s3cret"));
    }
}
