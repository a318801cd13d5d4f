//! Access tokens, fetched when they are needed and kept while they last.

mod grant;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portcullis_api_client::{ApiClient, ClientSettings, InvalidClientSettings};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::Clock;
use secrecy::{ExposeSecret, SecretString};

use crate::scope::Scope;
use crate::service_account::ServiceAccount;

/// So long before it expires a token is no longer sent: it has to last until
/// the call it is on has arrived.
const MARGIN: Duration = Duration::from_mins(1);

/// Why Google gave out no access token. Of what it said, only plain words are
/// kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The account is unknown, its key is, or it may not do this: an operator can
    /// mend it.
    #[error("the service account was refused: {0}")]
    Denied(String),
    /// Too many requests.
    #[error("no access token was given out: {told}")]
    RateLimited {
        /// What it said.
        told: String,
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
    },
    /// The token endpoint is away, slow or broken.
    #[error("no access token was given out: {0}")]
    Unavailable(String),
    /// The token endpoint answered with something else than is published.
    #[error("no access token was given out: {0}")]
    Unexpected(String),
}

/// The access tokens of a service account, one per scope.
///
/// Whoever comes while a token is being fetched waits for that one, and hears of
/// its failure.
pub struct AccessTokens {
    account: ServiceAccount,
    clock: Arc<dyn Clock>,
    client: ApiClient,
    kept: Mutex<HashMap<Scope, Arc<Slot>>>,
}

/// What is kept for a scope. Whoever fetches holds it.
type Slot = tokio::sync::Mutex<Kept>;

#[derive(Default)]
struct Kept {
    token: Option<KeptToken>,
    /// How the last fetch ended, if it failed.
    failure: Option<TokenError>,
}

struct KeptToken {
    token: SecretString,
    since: Timestamp,
    until: Timestamp,
}

impl KeptToken {
    /// A clock that has stepped back to before the token says nothing of its age.
    fn lasts(&self, now: Timestamp) -> bool {
        (self.since..self.until).contains(&now)
    }
}

impl AccessTokens {
    /// Tokens of this account. Nothing is fetched yet. A fetch takes no longer
    /// than `deadline`.
    ///
    /// # Errors
    /// [`InvalidClientSettings`] when the deadline is out of bounds or TLS
    /// cannot be set up.
    pub fn new(
        account: ServiceAccount,
        clock: Arc<dyn Clock>,
        deadline: Duration,
    ) -> Result<Self, InvalidClientSettings> {
        let base_url = account.token_uri.clone();
        let settings = ClientSettings { deadline, ..ClientSettings::new(base_url) };
        let client = ApiClient::new(settings)?;
        Ok(Self { account, clock, client, kept: Mutex::default() })
    }

    /// Whose tokens these are.
    #[must_use]
    pub fn account(&self) -> &ServiceAccount {
        &self.account
    }

    /// A token that is good for a minute at least.
    ///
    /// # Errors
    /// [`TokenError`] when there is none.
    pub async fn token(&self, scope: Scope) -> Result<SecretString, TokenError> {
        self.token_but(scope, None).await
    }

    /// A token that is not the one that was just refused. Of many callers whose
    /// calls were refused, one fetches.
    ///
    /// # Errors
    /// [`TokenError`] when there is none.
    pub async fn another(
        &self,
        scope: Scope,
        refused: &SecretString,
    ) -> Result<SecretString, TokenError> {
        self.token_but(scope, Some(refused)).await
    }

    async fn token_but(
        &self,
        scope: Scope,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, TokenError> {
        let slot = self.slot(scope);
        // If somebody is fetching, this is a fetch that began before we came.
        let (mut kept, waited) = match slot.try_lock() {
            Ok(kept) => (kept, false),
            Err(_) => (slot.lock().await, true),
        };
        let is_refused = |token: &SecretString| {
            refused.is_some_and(|refused| refused.expose_secret() == token.expose_secret())
        };
        let now = self.clock.now();
        if let Some(good) = &kept.token
            && good.lasts(now)
            && !is_refused(&good.token)
        {
            return Ok(good.token.clone());
        }
        if waited && let Some(failure) = &kept.failure {
            return Err(failure.clone());
        }
        *kept = Kept::default();
        let granted = grant::fetch(&self.client, &self.account, scope, now).await;
        kept.failure = granted.as_ref().err().cloned();
        let grant::Granted { token, lifetime } = granted?;
        let until = now + lifetime.saturating_sub(MARGIN.min(lifetime / 2));
        kept.token = Some(KeptToken { token: token.clone(), since: now, until });
        Ok(token)
    }

    fn slot(&self, scope: Scope) -> Arc<Slot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(kept.entry(scope).or_default())
    }
}

/// Tells whose tokens these are, and no token.
impl fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AccessTokens").field(&self.account).finish()
    }
}
