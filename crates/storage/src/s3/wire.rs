//! Requests to S3: one place where each is made, repeated and judged, those of
//! the `object_store` crate as well as our own.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use portcullis_api_client::{ATTEMPTS, Repeat, pause};
use reqwest::redirect::Policy;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::failure::{self, Failure, Refusal};

/// Longest answer that is read whole, in bytes: a page of a thousand names of a
/// kilobyte each, written as XML.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Longest wait that S3 may ask for.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// The connections to one service.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    http: reqwest::Client,
    deadline: Duration,
}

impl Wire {
    pub(super) fn new(deadline: Duration) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("portcullis/", env!("CARGO_PKG_VERSION")))
            // A host may have an address that is dead.
            .connect_timeout(deadline / 3)
            .read_timeout(deadline)
            // A signature goes to nobody else.
            .redirect(Policy::none())
            .build()?;
        Ok(Self { http, deadline })
    }

    /// The longest that a request may take.
    pub(super) fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Makes a request until it is answered, or cannot be. Its answer is a
    /// success, and whole; only the body of an answer to GET, which may be an
    /// object's content, still comes.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let until = if request.method() == Method::GET { Until::Head } else { Until::End };
        self.carry_out(request, until).await
    }

    /// The same, and the body is whole in any case.
    pub(super) async fn exchange(&self, request: HttpRequest) -> Result<Bytes, Failure> {
        let answer = self.carry_out(request, Until::End).await?;
        answer.into_body().bytes().await.map_err(|error| Failure::of(&error))
    }

    async fn carry_out(
        &self,
        mut request: HttpRequest,
        until: Until,
    ) -> Result<HttpResponse, Failure> {
        let has_body = [Method::PUT, Method::POST].contains(request.method());
        if has_body && request.body().content_length() == 0 {
            // Of an empty body, hyper tells no length, without which S3 refuses it.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let ends = Instant::now() + self.deadline;
        // All others say the same twice. Those that begin and end an upload in
        // parts are POST.
        let repeat = match *request.method() {
            Method::POST => Repeat::IfNotDone,
            _ => Repeat::Safe,
        };
        let mut attempt = 1;
        loop {
            let answered = timeout_at(ends, self.attempt(request.clone(), until)).await;
            let answered = answered.map_err(|_| Failure::TimedOut(self.deadline))?;
            let asked_wait = match &answered {
                Err(Attempt::Refused(status, refusal)) if repeat.after_status(*status) => {
                    refusal.retry_after()
                }
                Err(Attempt::Failed { may_repeat, .. })
                    if *may_repeat || repeat == Repeat::Safe =>
                {
                    None
                }
                _ => return answered.map_err(Attempt::into_failure),
            };
            attempt += 1;
            let next = Instant::now() + asked_wait.unwrap_or_else(|| pause(attempt));
            if attempt > ATTEMPTS || next >= ends {
                return answered.map_err(Attempt::into_failure);
            }
            sleep_until(next).await;
        }
    }

    async fn attempt(&self, request: HttpRequest, until: Until) -> Result<HttpResponse, Attempt> {
        let answer = self.http.call(request).await.map_err(|error| Attempt::Failed {
            may_repeat: error.kind() == HttpErrorKind::Connect,
            failure: Failure::of(&error),
        })?;
        let is_success = answer.status().is_success();
        if is_success && until == Until::Head {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_ANSWER).collect().await.map(Collected::to_bytes);
        if is_success {
            let body = body.map_err(|error| Attempt::of_body(&*error))?;
            match failure::status_within(&body) {
                None => Ok(HttpResponse::from_parts(head, body.into())),
                Some(status) => {
                    let refusal = Refusal::new(status.as_u16(), retry_after(&head.headers), &body);
                    Err(Attempt::Refused(status, refusal))
                }
            }
        } else {
            // What cannot be read is not needed: the status says enough.
            let refusal = Refusal::new(
                head.status.as_u16(),
                retry_after(&head.headers),
                &body.unwrap_or_default(),
            );
            Err(Attempt::Refused(head.status, refusal))
        }
    }
}

/// How much of a successful answer is waited for, which is all that a deadline
/// covers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Head,
    End,
}

/// An attempt that brought nothing.
enum Attempt {
    Refused(StatusCode, Refusal),
    Failed {
        may_repeat: bool,
        failure: Failure,
    },
    /// Another would bring the same.
    TooLong,
}

impl Attempt {
    /// The head of the answer was a success; its body cannot be had.
    fn of_body(error: &(dyn Error + 'static)) -> Self {
        if error.is::<LengthLimitError>() {
            return Self::TooLong;
        }
        Self::Failed { may_repeat: false, failure: Failure::of(error) }
    }

    fn into_failure(self) -> Failure {
        match self {
            Self::Refused(_, refusal) => Failure::Refusal(refusal),
            Self::Failed { failure, .. } => failure,
            Self::TooLong => Failure::Unreadable(format!("it is longer than {MAX_ANSWER} bytes")),
        }
    }
}

/// In seconds; the other form, a date, would need both clocks to agree.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}

/// For `object_store`: a kind of error that it does not repeat, since that is
/// done here.
#[async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_download = request.method() == Method::GET;
        let answered = self.send(request).await;
        let answer = answered.map_err(|failure| HttpError::new(HttpErrorKind::Unknown, failure))?;
        if is_download {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        Ok(HttpResponse::from_parts(head, without_words_of_errors(body.bytes().await?).into()))
    }
}

/// `object_store` takes an answer for a failure in which one of two words stands
/// anywhere, as in an object's name. Failures are told from answers here already:
/// it gets the same XML, with the first letter of each such word written by its
/// number.
fn without_words_of_errors(body: Bytes) -> Bytes {
    let words = [("InternalError", "&#73;nternalError"), ("SlowDown", "&#83;lowDown")];
    match std::str::from_utf8(&body) {
        Ok(text) if words.iter().any(|(word, _)| text.contains(word)) => {
            let written = |text: String, (word, same): (&str, &str)| text.replace(word, same);
            words.into_iter().fold(text.to_owned(), written).into()
        }
        _ => body,
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}
