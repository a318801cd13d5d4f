//! One call.

use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Body, Request, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout_at};
use url::form_urlencoded;

use crate::answer::Answer;
use crate::client::ApiClient;
use crate::error::CallError;
use crate::outcome::{Interrupted, Outcome};
use crate::repeat::{ATTEMPTS, Repeat, pause};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A call that is being put together.
#[must_use = "a call is made by `send` or `open`"]
pub struct Call<'a> {
    client: &'a ApiClient,
    request: Request,
    ends: Option<Instant>,
    /// Why it cannot be sent.
    defect: Option<String>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a ApiClient, request: Request) -> Self {
        Self { client, request, ends: None, defect: None }
    }

    /// It cannot be sent, for this.
    pub(crate) fn with_defect(self, defect: &str) -> Self {
        Self { defect: Some(defect.to_owned()), ..self }
    }

    /// Adds to the query.
    pub fn query(mut self, query: &[(&str, &str)]) -> Self {
        self.request.url_mut().query_pairs_mut().extend_pairs(query);
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.request.headers_mut().insert(name, value);
        self
    }

    /// Sets the header `Authorization`, which no debug form shows.
    pub fn authorization(mut self, value: &SecretString) -> Self {
        match HeaderValue::try_from(value.expose_secret()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.request.headers_mut().insert(AUTHORIZATION, value);
            }
            Err(_) => self.defect = Some("the authorization does not fit into a header".into()),
        }
        self
    }

    /// Authorizes by a bearer token.
    pub fn bearer(self, token: &SecretString) -> Self {
        self.authorization(&format!("Bearer {}", token.expose_secret()).into())
    }

    /// Sends a value as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body(JSON, body),
            Err(error) => {
                self.defect = Some(format!("its body is no JSON: {error}"));
                self
            }
        }
    }

    /// Sends a form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body(FORM, body)
    }

    /// Sends bytes, or a stream of them, as they are. A call with a stream is never
    /// repeated.
    pub fn body(mut self, content_type: HeaderValue, body: impl Into<Body>) -> Self {
        let body = body.into();
        // Of an empty body, hyper tells no length, without which many refuse it.
        if body.as_bytes().is_some_and(<[u8]>::is_empty) {
            self.request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        *self.request.body_mut() = Some(body);
        self.header(CONTENT_TYPE, content_type)
    }

    /// Makes this call end by then, if that is before its client's deadline: it is
    /// a step of something longer that has one deadline for all its steps.
    pub fn ending_at(self, ends: Instant) -> Self {
        Self { ends: Some(ends), ..self }
    }

    /// Makes the call and reads its answer, whatever its status. An answer that
    /// asks to wait for longer than the deadline allows is handed on.
    ///
    /// # Errors
    /// [`CallError`] when there is no answer.
    pub async fn send(self, repeat: Repeat) -> Result<Answer, CallError> {
        self.made(repeat).await
    }

    /// Makes the call and hands the body of a success on as it comes. The deadline
    /// is for its beginning; then none of its pieces may take longer. The answer
    /// of a refusal is read whole.
    ///
    /// # Errors
    /// [`CallError`] when there is no answer.
    pub async fn open(self, repeat: Repeat) -> Result<Result<Response, Answer>, CallError> {
        self.made(repeat).await
    }

    async fn made<T: Outcome>(mut self, repeat: Repeat) -> Result<T, CallError> {
        if let Some(defect) = self.defect {
            return Err(CallError::Unsendable(defect));
        }
        let ApiClient { http, settings, .. } = self.client;
        let latest = Instant::now() + settings.deadline;
        let ends = self.ends.map_or(latest, |ends| ends.min(latest));
        let mut attempt = 1;
        loop {
            let spare = self.request.try_clone().filter(|_| attempt < ATTEMPTS);
            let attempted = async {
                let response = http.execute(self.request).await.map_err(Interrupted::Http)?;
                T::of(response, settings.max_answer).await
            };
            let outcome = timeout_at(ends, attempted).await;
            let outcome = outcome.map_err(|_| CallError::TimedOut(settings.deadline))?;
            let (asks_again, asked_wait) = match &outcome {
                Ok(outcome) => outcome.answer().map_or((false, None), |answer| {
                    (repeat.after_status(answer.status), answer.retry_after())
                }),
                Err(Interrupted::TooLong(_)) => (false, None),
                Err(Interrupted::Http(error)) => (repeat.after_failure(error), None),
            };
            attempt += 1;
            let next = Instant::now() + asked_wait.unwrap_or_else(|| pause(attempt));
            match spare {
                Some(request) if asks_again && next < ends => {
                    sleep_until(next).await;
                    self.request = request;
                }
                _ => return outcome.map_err(|it| it.into_error(settings.deadline)),
            }
        }
    }
}
