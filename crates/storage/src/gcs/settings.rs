//! Where Google Cloud Storage is, and how long it may take.

use std::time::Duration;

use portcullis_api_client::{BaseUrl, InvalidClientSettings};

/// Google's own address.
pub const GOOGLE_STORAGE: &str = "https://storage.googleapis.com";
/// Longest request by default: a part of an upload, 8 MiB, over a slow line.
const DEFAULT_DEADLINE: Duration = Duration::from_mins(1);

/// How to reach Google Cloud Storage.
#[derive(Clone, Debug)]
pub struct GcsSettings {
    /// Where it is: [`GOOGLE_STORAGE`], if not somewhere else.
    pub base_url: BaseUrl,
    /// The longest that a request may take, its repetitions included; of a
    /// download, the longest that each 8 MiB of it may take. Up to 10 minutes.
    pub deadline: Duration,
}

impl GcsSettings {
    /// At that address, and a minute.
    #[must_use]
    pub fn new(base_url: BaseUrl) -> Self {
        Self { base_url, deadline: DEFAULT_DEADLINE }
    }
}

/// Why Google Cloud Storage cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidGcsSettings {
    /// The bucket's name is none.
    #[error(
        "the bucket's name must be of 3 to 222 characters of a-z, 0-9, '.', '_' and '-', and begin and end with a letter or a number"
    )]
    Bucket,
    /// The client cannot be set up.
    #[error(transparent)]
    Client(#[from] InvalidClientSettings),
}

/// Checks the name of a bucket:
/// <https://cloud.google.com/storage/docs/buckets#naming>.
pub(super) fn check_bucket(name: &str) -> Result<(), InvalidGcsSettings> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_allowed = |byte: u8| is_word(byte) || b".-_".contains(&byte);
    let ends = name.bytes().next().into_iter().chain(name.bytes().next_back());
    let is_name = (3..=222).contains(&name.len())
        && name.bytes().all(is_allowed)
        && ends.into_iter().all(is_word)
        && !name.contains("..");
    if is_name { Ok(()) } else { Err(InvalidGcsSettings::Bucket) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets_are_checked() {
        for good in ["abc", "my-bucket.example.com", "a_1"] {
            assert!(check_bucket(good).is_ok(), "{good}");
        }
        for bad in ["", " ", "ab", "Abc", "a/b", "-ab", "ab.", "a..b", &"x".repeat(223)] {
            assert!(check_bucket(bad).is_err(), "{bad}");
        }
    }
}
