//! Requests to a provider, and what its answers mean.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use portcullis_domain::error::remark;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Provider, SendError};
use crate::settings::{ApiSettings, InvalidApiSettings, checked};

/// Longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// Longest wait that a provider may ask for.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// A provider's API.
pub(crate) struct Api {
    provider: Provider,
    url: Url,
    client: Client,
}

/// Tells no key: it stands in the client's headers.
impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

/// An answer, as far as it is understood.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) retry_after: Option<Duration>,
    /// What it holds, if that is JSON.
    pub(crate) body: Option<Value>,
}

impl Answer {
    /// A text of the body.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body.as_ref().and_then(|body| body[field].as_str()).unwrap_or_default()
    }

    /// Its status, its code and its message, fit for a log.
    pub(crate) fn told(&self, code: &str) -> String {
        let said = format!("{} {}", self.text(code), self.text("message"));
        remark(&format!("{} {said}", self.status.as_u16()))
    }
}

impl Api {
    /// The API at `default` or where the settings say, with these headers on
    /// each request.
    pub(crate) fn new(
        provider: Provider,
        settings: &ApiSettings,
        default: &str,
        path: &str,
        key: (&'static str, String),
    ) -> Result<Self, InvalidApiSettings> {
        let base = checked(settings, default)?;
        let url = base.join(path).map_err(|_| InvalidApiSettings::BaseUrl)?;
        let mut value = HeaderValue::try_from(key.1).map_err(|_| InvalidApiSettings::Key)?;
        value.set_sensitive(true);
        let client = Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static(key.0),
                value,
            )]))
            .timeout(settings.timeout)
            // A host may have an address that is dead.
            .connect_timeout(settings.timeout / 3)
            // The key goes to nobody else.
            .redirect(Policy::none())
            .build()
            .map_err(|error| InvalidApiSettings::Tls(error.into()))?;
        Ok(Self { provider, url, client })
    }

    /// Posts a body as JSON. An answer of any status is an answer.
    pub(crate) async fn post(
        &self,
        headers: HeaderMap,
        body: &impl Serialize,
    ) -> Result<Answer, SendError> {
        let request = self.client.post(self.url.clone()).headers(headers).json(body);
        let response = request.send().await.map_err(|error| self.unavailable(error))?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let body = self.read(response).await?;
        Ok(Answer { status, retry_after, body: serde_json::from_slice(&body).ok() })
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, SendError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unavailable(error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.unexpected("is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What an answer means that is no success; `told` is what it said.
    pub(crate) fn failure(&self, answer: &Answer, told: String) -> SendError {
        let provider = self.provider;
        match answer.status.as_u16() {
            // About this one message: its content or its size.
            400 | 413 | 422 => SendError::Refused { provider, told },
            // About the key, its credit or its rights.
            401..=403 => SendError::Unauthorized { provider, told },
            429 => SendError::RateLimited { provider, told, retry_after: answer.retry_after },
            408 | 409 | 425 | 500..=599 => SendError::Unavailable { provider, told },
            _ => self.unexpected("has a status that is not published"),
        }
    }

    pub(crate) fn unexpected(&self, what: &'static str) -> SendError {
        SendError::UnexpectedAnswer { provider: self.provider, what }
    }

    fn unavailable(&self, error: reqwest::Error) -> SendError {
        let told = if error.is_timeout() {
            "it did not answer in time".into()
        } else {
            deepest(&error.without_url())
        };
        SendError::Unavailable { provider: self.provider, told }
    }
}

/// In seconds; the other form, a date, would need both clocks to agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    deepest.to_string()
}
