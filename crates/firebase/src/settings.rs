//! Where Firebase is, and how long it may take.

use std::time::Duration;

use portcullis_api_client::{
    ApiClient, BaseUrl, ClientSettings, InvalidBaseUrl, InvalidClientSettings,
};

/// Longest call by default.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(15);
/// Notifications that are under way at once, by default.
const DEFAULT_CONCURRENCY: u16 = 32;
/// Most notifications that may be under way at once. Google counts messages per
/// minute; more at a time only brings the limit nearer.
const MAX_CONCURRENCY: u16 = 256;

/// How to reach Firebase. `None` is Google's own address.
#[derive(Clone, Debug)]
pub struct FirebaseSettings {
    /// Identity Toolkit, which keeps the users.
    pub identity_url: Option<String>,
    /// The public keys of ID tokens, as a JSON Web Key Set.
    pub keys_url: Option<String>,
    /// Cloud Messaging.
    pub messaging_url: Option<String>,
    /// Firestore.
    pub firestore_url: Option<String>,
    /// The longest that a call may take, its repetitions included: up to 10
    /// minutes.
    pub deadline: Duration,
    /// How many notifications may be under way at once: 1 to 256.
    pub concurrency: u16,
}

impl Default for FirebaseSettings {
    /// Google, 15 seconds, 32 notifications at once.
    fn default() -> Self {
        Self {
            identity_url: None,
            keys_url: None,
            messaging_url: None,
            firestore_url: None,
            deadline: DEFAULT_DEADLINE,
            concurrency: DEFAULT_CONCURRENCY,
        }
    }
}

/// Why an adapter cannot be made of the settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidFirebaseSettings {
    /// An address would not keep private what is sent to it.
    #[error("{0} cannot be used")]
    Url(&'static str, #[source] InvalidBaseUrl),
    /// The deadline is out of bounds, or TLS cannot be set up.
    #[error(transparent)]
    Client(#[from] InvalidClientSettings),
    /// The concurrency is out of bounds.
    #[error("the number of notifications at once must be 1 to 256")]
    Concurrency,
}

impl FirebaseSettings {
    /// A client of the API that the setting names, or of Google's.
    pub(crate) fn client(
        &self,
        name: &'static str,
        url: Option<&str>,
        default: &str,
    ) -> Result<ApiClient, InvalidFirebaseSettings> {
        let base_url: BaseUrl = url
            .unwrap_or(default)
            .parse()
            .map_err(|error| InvalidFirebaseSettings::Url(name, error))?;
        let settings = ClientSettings { deadline: self.deadline, ..ClientSettings::new(base_url) };
        Ok(ApiClient::new(settings)?)
    }

    /// The bound of notifications under way.
    pub(crate) fn checked_concurrency(&self) -> Result<usize, InvalidFirebaseSettings> {
        if (1..=MAX_CONCURRENCY).contains(&self.concurrency) {
            Ok(self.concurrency.into())
        } else {
            Err(InvalidFirebaseSettings::Concurrency)
        }
    }
}
