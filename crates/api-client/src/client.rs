//! A client of one API.

use std::fmt;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request};

use crate::base_url::{BaseUrl, can_be_segment};
use crate::call::Call;

/// Longest call by default.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(15);
/// Longest permitted call.
const MAX_DEADLINE: Duration = Duration::from_mins(10);
/// Longest answer that is read whole, by default: 8 MiB.
const DEFAULT_MAX_ANSWER: usize = 8 * 1024 * 1024;

/// How to reach an API.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Where it is.
    pub base_url: BaseUrl,
    /// The longest that a call may take, its repetitions included; of a stream,
    /// the longest that any piece may take. Up to 10 minutes.
    pub deadline: Duration,
    /// Longest answer that is read whole, in bytes.
    pub max_answer: usize,
}

impl ClientSettings {
    /// 15 seconds and 8 MiB.
    #[must_use]
    pub fn new(base_url: BaseUrl) -> Self {
        Self { base_url, deadline: DEFAULT_DEADLINE, max_answer: DEFAULT_MAX_ANSWER }
    }
}

/// Why a client cannot be made of its settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidClientSettings {
    /// The deadline is zero or too long.
    #[error("the time-out must be up to 10 minutes")]
    Deadline,
    /// The machine's trusted certificates cannot be read.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// A client of one API. A clone shares its connections.
#[derive(Clone)]
pub struct ApiClient {
    pub(crate) http: Client,
    /// No proxy is between it and its API.
    stays_here: bool,
    pub(crate) settings: ClientSettings,
}

impl ApiClient {
    /// A client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidClientSettings`] says which setting cannot be used.
    pub fn new(settings: ClientSettings) -> Result<Self, InvalidClientSettings> {
        if settings.deadline.is_zero() || settings.deadline > MAX_DEADLINE {
            return Err(InvalidClientSettings::Deadline);
        }
        let builder = Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            // A host may have an address that is dead.
            .connect_timeout(settings.deadline / 3)
            .read_timeout(settings.deadline)
            // A key goes to nobody else.
            .redirect(Policy::none());
        // The environment may name a proxy, which is another machine.
        let stays_here = settings.base_url.is_unencrypted();
        let builder = if stays_here { builder.no_proxy() } else { builder };
        let http = builder.build();
        let http = http.map_err(|error| InvalidClientSettings::Tls(error.to_string()))?;
        Ok(Self { http, stays_here, settings })
    }

    /// The same client for an API elsewhere; an account may live on a host of its
    /// own. A client that reaches its API over TLS is led to none without.
    #[must_use]
    pub fn at(&self, base_url: BaseUrl) -> Self {
        let settings = ClientSettings { base_url, ..self.settings.clone() };
        Self { settings, ..self.clone() }
    }

    /// Where the API is.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.settings.base_url
    }

    /// The longest that a call may take, its repetitions included.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.settings.deadline
    }

    /// Begins a call of a path below the base URL, given by its segments. With
    /// `.` or `..` among them, which would lead elsewhere, it is not sent.
    pub fn call(&self, method: Method, segments: &[&str]) -> Call<'_> {
        let base_url = &self.settings.base_url;
        let call = Call::new(self, Request::new(method, base_url.join(segments)));
        if !segments.iter().all(|segment| can_be_segment(segment)) {
            call.with_defect("`.` and `..` name nothing in a URL")
        } else if base_url.is_unencrypted() && !self.stays_here {
            call.with_defect("an API over TLS does not go on without")
        } else {
            call
        }
    }
}

/// Tells where it leads.
impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ApiClient").field(&self.settings.base_url).finish()
    }
}
