//! How to reach a provider.

use std::time::Duration;

use portcullis_api_client::{BaseUrl, InvalidBaseUrl};
use portcullis_domain::Cause;
use secrecy::{ExposeSecret, SecretString};

use crate::address::NamedAddress;

/// Longest request by default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest permitted request: half the time that a worker holds a letter.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// An account at a provider, and how to reach it. Its debug form tells no key.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// The API key (`RESEND_API_KEY`, `BREVO_API_KEY`).
    pub key: SecretString,
    /// The sender of the outbox's mails (`MAIL_FROM`): `Name <user@example.com>`
    /// or `user@example.com`.
    pub sender: String,
    /// Another address of the API (`RESEND_BASE_URL`, `BREVO_BASE_URL`):
    /// `https://…`, or `http://…` to this machine.
    pub base_url: Option<String>,
    /// The longest that a request may take, up to 30 seconds.
    pub timeout: Duration,
}

impl ApiSettings {
    /// The provider's own address, and 15 seconds.
    #[must_use]
    pub fn new(key: SecretString, sender: impl Into<String>) -> Self {
        Self { key, sender: sender.into(), base_url: None, timeout: DEFAULT_TIMEOUT }
    }
}

/// Why a client cannot be made of its settings. It tells no key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidApiSettings {
    /// The key is empty, or does not fit into a header.
    #[error("the API key must be of visible ASCII characters")]
    Key,
    /// The sender has no address.
    #[error("{0:?} is not a sender; write `Name <user@example.com>` or `user@example.com`")]
    Sender(String),
    /// The key and the mails would go to nowhere, or over the network in the
    /// clear.
    #[error(transparent)]
    BaseUrl(#[from] InvalidBaseUrl),
    /// The time-out is zero or too long.
    #[error("the time-out must be up to 30 seconds")]
    Timeout,
    /// The machine's trusted certificates cannot be read.
    #[error("TLS cannot be set up")]
    Tls(#[source] Cause),
}

/// Checks all but the TLS; gives the base URL.
pub(crate) fn checked(
    settings: &ApiSettings,
    default: &str,
) -> Result<BaseUrl, InvalidApiSettings> {
    let key = settings.key.expose_secret();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(InvalidApiSettings::Key);
    }
    let has_control = settings.sender.contains(char::is_control);
    if has_control || !NamedAddress::of(&settings.sender).is_plausible() {
        return Err(InvalidApiSettings::Sender(settings.sender.clone()));
    }
    if settings.timeout.is_zero() || settings.timeout > MAX_TIMEOUT {
        return Err(InvalidApiSettings::Timeout);
    }
    Ok(settings.base_url.as_deref().unwrap_or(default).parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(key: &str, sender: &str, base_url: Option<&str>) -> ApiSettings {
        let base_url = base_url.map(str::to_owned);
        ApiSettings { base_url, ..ApiSettings::new(key.into(), sender) }
    }

    #[test]
    fn a_base_url_keeps_the_key_private() {
        let checked = |url| checked(&settings("re_key", "a@example.com", Some(url)), "https://a.b");
        assert_eq!(
            checked("https://proxy.example/resend").unwrap().as_str(),
            "https://proxy.example/resend/"
        );
        for url in ["http://api.example", ""] {
            assert!(matches!(checked(url), Err(InvalidApiSettings::BaseUrl(_))), "{url}");
        }
    }

    #[test]
    fn the_providers_own_address_is_the_default() {
        let url = checked(&settings("re_key", "a@example.com", None), "https://api.example");
        assert_eq!(url.unwrap().as_str(), "https://api.example/");
    }

    #[test]
    fn a_key_fits_into_a_header() {
        for key in ["", "re key", "re\r\nkey", "re_ü"] {
            let checked = checked(&settings(key, "a@example.com", None), "https://api.example");
            assert!(matches!(checked, Err(InvalidApiSettings::Key)), "{key:?}");
        }
    }

    #[test]
    fn what_is_no_sender_is_named() {
        for sender in ["", "Portcullis", "A <a@b>\r\nBcc: c@d"] {
            let checked = checked(&settings("re_key", sender, None), "https://api.example");
            let error = checked.unwrap_err().to_string();
            assert!(error.starts_with(&format!("{sender:?} is not a sender")), "{error}");
        }
    }

    #[test]
    fn a_request_ends_before_the_worker_gives_up() {
        for seconds in [0, 31] {
            let timeout = Duration::from_secs(seconds);
            let settings = ApiSettings { timeout, ..settings("re_key", "a@example.com", None) };
            let checked = checked(&settings, "https://api.example");
            assert!(matches!(checked, Err(InvalidApiSettings::Timeout)));
        }
    }

    #[test]
    fn debug_tells_no_key() {
        let told = format!("{:?}", settings("re_s3cret", "a@example.com", None));
        assert!(!told.contains("s3cret"), "{told}");
    }
}
