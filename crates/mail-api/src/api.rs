//! Requests to a provider, and what its answers mean.

use std::time::Duration;

use portcullis_api_client::{
    ApiClient, CallError, ClientSettings, HeaderMap, HeaderName, HeaderValue,
    InvalidClientSettings, Method, Repeat, StatusCode,
};
use portcullis_domain::error::remark;
use serde::Serialize;
use serde_json::Value;

use crate::error::{Provider, SendError};
use crate::settings::{ApiSettings, InvalidApiSettings, checked};

/// Longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A provider's API. Its debug form tells no key.
#[derive(Debug)]
pub(crate) struct Api {
    provider: Provider,
    path: &'static [&'static str],
    client: ApiClient,
    /// The header that the key stands in.
    key: (HeaderName, HeaderValue),
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
    /// The API at `default` or where the settings say, with the key on each
    /// request.
    pub(crate) fn new(
        provider: Provider,
        settings: &ApiSettings,
        default: &str,
        path: &'static [&'static str],
        key: (&'static str, String),
    ) -> Result<Self, InvalidApiSettings> {
        let base_url = checked(settings, default)?;
        let mut value = HeaderValue::try_from(key.1).map_err(|_| InvalidApiSettings::Key)?;
        value.set_sensitive(true);
        let client = ClientSettings {
            deadline: settings.timeout,
            max_answer: MAX_ANSWER,
            ..ClientSettings::new(base_url)
        };
        let client = ApiClient::new(client).map_err(|error| match error {
            InvalidClientSettings::Deadline => InvalidApiSettings::Timeout,
            InvalidClientSettings::Tls(_) => InvalidApiSettings::Tls(error.into()),
        })?;
        Ok(Self { provider, path, client, key: (HeaderName::from_static(key.0), value) })
    }

    /// Posts a body as JSON, once: the outbox sees to repetitions. An answer of
    /// any status is an answer.
    pub(crate) async fn post(
        &self,
        headers: HeaderMap,
        body: &impl Serialize,
    ) -> Result<Answer, SendError> {
        let (name, key) = self.key.clone();
        let mut call = self.client.call(Method::POST, self.path).header(name, key).json(body);
        for (name, value) in &headers {
            call = call.header(name.clone(), value.clone());
        }
        let answer = call.send(Repeat::Never).await.map_err(|error| self.without(error))?;
        Ok(Answer {
            status: answer.status,
            retry_after: answer.retry_after(),
            body: serde_json::from_slice(&answer.body).ok(),
        })
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

    /// What it means that there is no answer.
    fn without(&self, error: CallError) -> SendError {
        let provider = self.provider;
        let is_outage = error.is_outage();
        let told = match error {
            CallError::TooLong(_) => return self.unexpected("is too long"),
            CallError::Unreadable(_) => return self.unexpected("is not of the published form"),
            CallError::TimedOut(_) => "it did not answer in time".into(),
            CallError::Unreachable(told) | CallError::Unsendable(told) => told,
        };
        if is_outage {
            SendError::Unavailable { provider, told }
        } else {
            // Of this message no request can be made, however often.
            SendError::Refused { provider, told }
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_domain::ports::MailerError;

    use super::*;

    fn resend(url: String) -> Api {
        let settings = ApiSettings {
            base_url: Some(url),
            ..ApiSettings::new("key".into(), "noreply@example.com")
        };
        let key = ("authorization", "Bearer key".to_owned());
        Api::new(Provider::Resend, &settings, "https://api.example", &["emails"], key).unwrap()
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_not_sent_again() {
        let api = resend("http://127.0.0.1:9".into());
        // JSON has no objects whose names are lists.
        let unsendable = std::collections::BTreeMap::from([(vec![1], 2)]);
        let failure = api.post(HeaderMap::new(), &unsendable).await.map(drop).unwrap_err();
        assert!(matches!(failure, SendError::Refused { .. }), "{failure:?}");
        assert!(matches!(failure.into(), MailerError::Permanent(_)));
    }

    #[tokio::test]
    async fn a_provider_that_is_away_is_asked_again() {
        let api = resend(format!("http://127.0.0.1:{}", portcullis_testkit::free_port()));
        let failure = api.post(HeaderMap::new(), &Value::Null).await.map(drop).unwrap_err();
        assert!(matches!(failure.into(), MailerError::Temporary(_)));
    }
}
