//! Which app, in which environment, and how to reach Apple.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_api_client::{BaseUrl, InvalidBaseUrl, InvalidClientSettings};
use portcullis_domain::Cause;
use portcullis_domain::purchase::{AppStoreEnvironment, InvalidBundleId};
use secrecy::SecretString;

/// Longest call by default.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(15);

/// An app at the App Store. Its debug form tells no key.
#[derive(Clone, Debug)]
pub struct AppStoreSettings {
    /// The private key for in-app purchases, from App Store Connect: the text of
    /// the .p8 file (`APP_STORE_PRIVATE_KEY`). Its lines may be parted by `\n`
    /// in two characters, as environments write them.
    pub private_key: Option<SecretString>,
    /// The .p8 file itself (`APP_STORE_PRIVATE_KEY_PATH`); it wins.
    pub private_key_path: Option<PathBuf>,
    /// The key's id (`APP_STORE_KEY_ID`).
    pub key_id: String,
    /// The issuer's id (`APP_STORE_ISSUER_ID`).
    pub issuer_id: String,
    /// The app's bundle id (`APP_STORE_BUNDLE_ID`).
    pub bundle_id: String,
    /// The app's number at Apple (`APP_STORE_APP_ID`); needed in production,
    /// where notifications carry it.
    pub app_id: Option<i64>,
    /// Which of the two stores (`APP_STORE_ENVIRONMENT`).
    pub environment: AppStoreEnvironment,
    /// Another address of the API (`APP_STORE_BASE_URL`): `https://…`, or
    /// `http://…` to this machine.
    pub base_url: Option<String>,
    /// A file of other roots than Apple's (`APP_STORE_ROOT_CERTIFICATES`), DER
    /// or PEM, for a simulator: whoever holds their keys can sign purchases.
    pub root_certificates_path: Option<PathBuf>,
    /// The longest that a call may take, its repetitions included; up to 10
    /// minutes.
    pub deadline: Duration,
}

impl AppStoreSettings {
    /// Apple's own address and root, and 15 seconds. The key is still to be set.
    #[must_use]
    pub fn new(
        environment: AppStoreEnvironment,
        bundle_id: impl Into<String>,
        issuer_id: impl Into<String>,
        key_id: impl Into<String>,
    ) -> Self {
        Self {
            private_key: None,
            private_key_path: None,
            key_id: key_id.into(),
            issuer_id: issuer_id.into(),
            bundle_id: bundle_id.into(),
            app_id: None,
            environment,
            base_url: None,
            root_certificates_path: None,
            deadline: DEFAULT_DEADLINE,
        }
    }
}

/// Why an [`AppStore`](crate::AppStore) cannot be made of its settings. It tells
/// no key.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAppStoreSettings {
    /// There is neither a key nor a file of it.
    #[error("a private key of the App Store is needed, or the path of its .p8 file")]
    MissingPrivateKey,
    /// The file of the key cannot be read.
    #[error("the App Store's private key cannot be read from {path}")]
    PrivateKeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no key of the kind that Apple gives out.
    #[error("the App Store's private key must be a P-256 key in PKCS #8 PEM, as in a .p8 file")]
    PrivateKey,
    /// The key's id is blank.
    #[error("the App Store's key id must be visible ASCII characters")]
    KeyId,
    /// The issuer's id is blank.
    #[error("the App Store's issuer id must be visible ASCII characters")]
    IssuerId,
    /// The bundle id cannot be one.
    #[error("the App Store's {0}")]
    BundleId(#[from] InvalidBundleId),
    /// Without the app's number a notification of another app cannot be told.
    #[error("the app's id at the App Store is needed in production")]
    MissingAppId,
    /// The token would go to nowhere, or over the network in the clear.
    #[error("of the App Store, {0}")]
    BaseUrl(#[from] InvalidBaseUrl),
    /// The deadline is not usable, or TLS is not.
    #[error("of the App Store, {0}")]
    Client(#[from] InvalidClientSettings),
    /// The root that is built in cannot be read: a defect of ours.
    #[error("Apple's root certificate cannot be read")]
    AppleRoot(#[source] Cause),
    /// The file of other roots cannot be read.
    #[error("the App Store's root certificates cannot be read from {path}")]
    RootCertificates {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Cause,
    },
}

/// Where the API is.
pub(crate) fn base_url(settings: &AppStoreSettings) -> Result<BaseUrl, InvalidBaseUrl> {
    let apples = match settings.environment {
        AppStoreEnvironment::Production => "https://api.storekit.apple.com",
        AppStoreEnvironment::Sandbox => "https://api.storekit-sandbox.apple.com",
    };
    settings.base_url.as_deref().unwrap_or(apples).parse()
}

/// Whether it can stand in a token: something, and nothing invisible.
pub(crate) fn is_visible(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_environment_has_an_address_of_its_own() {
        let url = |environment| {
            base_url(&AppStoreSettings::new(environment, "a", "b", "c")).unwrap().to_string()
        };
        assert_eq!(url(AppStoreEnvironment::Production), "https://api.storekit.apple.com/");
        assert_eq!(url(AppStoreEnvironment::Sandbox), "https://api.storekit-sandbox.apple.com/");
    }

    #[test]
    fn debug_tells_no_key() {
        let private_key = Some("s3cret".into());
        let settings = AppStoreSettings::new(AppStoreEnvironment::Sandbox, "a", "b", "c");
        let told = format!("{:?}", AppStoreSettings { private_key, ..settings });
        assert!(!told.contains("s3cret"), "{told}");
    }
}
