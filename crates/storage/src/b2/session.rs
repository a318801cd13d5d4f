//! Authorization: asked for when it is needed, kept until it is refused.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_api_client::{ApiClient, BaseUrl, CallError, Method, Repeat, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use super::error::{B2Error, Refusal};

/// An application key, and what it was given in exchange.
pub(super) struct Account {
    client: ApiClient,
    key_id: String,
    key: SecretString,
    /// The longest that a call may take, with all that it takes.
    deadline: Duration,
    /// How many requests for a session have come to their end.
    outcomes: AtomicU64,
    latest: Mutex<Latest>,
}

/// What the latest request for a session brought, unless it was let go of.
#[derive(Default)]
struct Latest {
    session: Option<Arc<Session>>,
    failure: Option<B2Error>,
}

/// What is good for a day.
pub(super) struct Session {
    pub(super) account_id: String,
    /// Where files are.
    pub(super) download: BaseUrl,
    api: ApiClient,
    token: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorized {
    account_id: String,
    authorization_token: String,
    api_info: ApiInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ApiInfo {
    storage_api: StorageApi,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StorageApi {
    api_url: String,
    download_url: String,
}

impl Account {
    pub(super) fn new(
        client: ApiClient,
        key_id: String,
        key: SecretString,
        deadline: Duration,
    ) -> Self {
        let (outcomes, latest) = (AtomicU64::new(0), Mutex::default());
        Self { client, key_id, key, deadline, outcomes, latest }
    }

    /// The session; of many who want one, one asks for it, and what it gets is
    /// what all get who waited meanwhile.
    pub(super) async fn session(&self) -> Result<Arc<Session>, B2Error> {
        self.session_by(self.ends(), None).await
    }

    fn ends(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// The session, until then; another one than that which was refused.
    async fn session_by(
        &self,
        ends: Instant,
        refused: Option<&Arc<Session>>,
    ) -> Result<Arc<Session>, B2Error> {
        let before = self.outcomes.load(Ordering::Acquire);
        let mut latest =
            timeout_at(ends, self.latest.lock()).await.map_err(|_| self.timed_out())?;
        // Unless somebody has let go of it already.
        latest
            .session
            .take_if(|session| refused.is_some_and(|refused| Arc::ptr_eq(session, refused)));
        if let Some(session) = &latest.session {
            return Ok(Arc::clone(session));
        }
        if let Some(failure) = &latest.failure
            && self.outcomes.load(Ordering::Acquire) != before
        {
            return Err(failure.told_again());
        }
        // For no longer than this call may take; others have their own time to wait
        // for it.
        let answered = match self.authorize(ends).await {
            Ok(session) => {
                let session = Arc::new(session);
                *latest = Latest { session: Some(Arc::clone(&session)), failure: None };
                Ok(session)
            }
            Err(error) => {
                *latest = Latest { session: None, failure: Some(error.told_again()) };
                Err(error)
            }
        };
        self.outcomes.fetch_add(1, Ordering::Release);
        answered
    }

    fn timed_out(&self) -> B2Error {
        CallError::TimedOut(self.deadline).into()
    }

    async fn authorize(&self, ends: Instant) -> Result<Session, B2Error> {
        let login = STANDARD.encode(format!("{}:{}", self.key_id, self.key.expose_secret()));
        let call = self.client.call(Method::GET, &["b2api", "v3", "b2_authorize_account"]);
        let call = call.authorization(&format!("Basic {login}").into()).ending_at(ends);
        let answer = call.send(Repeat::Safe).await?;
        if answer.status != StatusCode::OK {
            return Err(B2Error::of(&answer));
        }
        let authorized: Authorized = answer.json()?;
        let StorageApi { api_url, download_url } = authorized.api_info.storage_api;
        let base = |url: String| {
            url.parse::<BaseUrl>().map_err(|error| B2Error::UnexpectedAnswer(error.into()))
        };
        Ok(Session {
            account_id: authorized.account_id,
            download: base(download_url)?,
            api: self.client.at(base(api_url)?),
            token: authorized.authorization_token.into(),
        })
    }

    /// Makes a call; a token that has expired is replaced once. All of that takes
    /// as long as a call may take. `body` is made for the session that the call is
    /// made in.
    pub(super) async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        operation: &str,
        repeat: Repeat,
        body: impl Fn(&Session) -> B + Send,
    ) -> Result<T, B2Error> {
        let (ends, mut refused) = (self.ends(), None);
        loop {
            let session = self.session_by(ends, refused.as_ref()).await?;
            let body = body(&session);
            let call = session.api.call(Method::POST, &["b2api", "v3", operation]);
            let call = call.authorization(&session.token).json(&body).ending_at(ends);
            let answer = call.send(repeat).await?;
            if answer.status == StatusCode::OK {
                return Ok(answer.json()?);
            }
            let has_expired = answer.status == StatusCode::UNAUTHORIZED
                && ["expired_auth_token", "bad_auth_token"]
                    .contains(&Refusal::of(&answer).code.as_str());
            if !has_expired || refused.is_some() {
                return Err(B2Error::of(&answer));
            }
            refused = Some(session);
        }
    }
}

/// Tells neither key nor token.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("client", &self.client).finish_non_exhaustive()
    }
}
