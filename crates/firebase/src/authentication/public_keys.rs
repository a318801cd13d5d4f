//! The keys that sign ID tokens, which change about once a day.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use portcullis_api_client::{Answer, ApiClient, CallError, Method, Repeat};
use portcullis_domain::ports::Clock;
use portcullis_domain::{Cause, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// The keys are fetched no more often, whatever key a stranger's token names.
const PAUSE: Duration = Duration::from_secs(10);
/// For how long keys are good if the answer does not say.
const DEFAULT_AGE: Duration = Duration::from_mins(5);
/// For how long they are good at most.
const MAX_AGE: Duration = Duration::from_hours(24);
/// For how long they are used beyond that, while no newer ones are to be had.
/// Google signs with a key for days after it has published the next.
const MAX_OVERDUE: Duration = Duration::from_hours(24);

/// Why there is no key.
#[derive(Debug)]
pub(super) enum NoKey {
    /// There is none of that name.
    Unknown,
    /// The keys are not to be had.
    Unavailable(Cause),
}

/// The keys, fetched when they are needed and kept while they are good.
pub(super) struct PublicKeys {
    source: Arc<Source>,
    /// Held by the task that fetches.
    fetching: Arc<tokio::sync::Mutex<()>>,
}

/// Where keys come from, and those that came.
struct Source {
    client: ApiClient,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

#[derive(Clone, Default)]
struct Known {
    keys: Option<Arc<Keys>>,
    /// When a fetch last ended, and why it failed if it did.
    tried: Option<(Timestamp, Option<String>)>,
}

struct Keys {
    by_id: HashMap<String, DecodingKey>,
    since: Timestamp,
    until: Timestamp,
}

impl Keys {
    /// A clock that stepped back to before them says nothing of their age.
    fn are_fresh(&self, now: Timestamp) -> bool {
        (self.since..self.until).contains(&now)
    }

    fn are_usable(&self, now: Timestamp) -> bool {
        now < self.until + MAX_OVERDUE
    }
}

impl Known {
    fn fresh(&self, id: &str, now: Timestamp) -> Option<DecodingKey> {
        self.keys.as_ref().filter(|keys| keys.are_fresh(now))?.by_id.get(id).cloned()
    }

    fn usable(&self, id: &str, now: Timestamp) -> Option<DecodingKey> {
        self.keys.as_ref().filter(|keys| keys.are_usable(now))?.by_id.get(id).cloned()
    }

    /// What can be said of a key without asking.
    fn say(&self, id: &str, now: Timestamp) -> Result<DecodingKey, NoKey> {
        match (self.usable(id, now), &self.tried) {
            (Some(key), _) => Ok(key),
            (None, Some((_, Some(failure)))) => Err(NoKey::Unavailable(failure.clone().into())),
            (None, _) => Err(NoKey::Unknown),
        }
    }

    fn tried_just_now(&self, now: Timestamp) -> bool {
        self.tried.as_ref().is_some_and(|(at, _)| *at <= now && now < *at + PAUSE)
    }
}

impl PublicKeys {
    /// The keys at the client's address.
    pub(super) fn new(client: ApiClient, clock: Arc<dyn Clock>) -> Self {
        let source = Arc::new(Source { client, clock, known: Mutex::default() });
        Self { source, fetching: Arc::default() }
    }

    /// The key of that name.
    pub(super) async fn find(&self, id: &str) -> Result<DecodingKey, NoKey> {
        let source = &self.source;
        let now = source.clock.now();
        if let Some(key) = source.known().fresh(id, now) {
            return Ok(key);
        }
        let turn = match Arc::clone(&self.fetching).try_lock_owned() {
            Ok(turn) => turn,
            Err(_) => match source.known().usable(id, now) {
                // Somebody is fetching; this key is good enough to go on with.
                Some(key) => return Ok(key),
                None => Arc::clone(&self.fetching).lock_owned().await,
            },
        };
        // The one before may have taken a while.
        let now = source.clock.now();
        let known = source.known();
        if let Some(key) = known.fresh(id, now) {
            return Ok(key);
        }
        if known.tried_just_now(now) {
            return known.say(id, now);
        }
        // A task of its own comes to its end and writes it down even if whoever
        // asked hangs up: else strangers who do would cost a fetch each.
        let renewing = Arc::clone(source);
        let renewed = tokio::spawn(async move {
            renewing.renew(now).await;
            drop(turn);
        });
        renewed.await.map_err(|error| NoKey::Unavailable(error.into()))?;
        source.known().say(id, source.clock.now())
    }
}

impl Source {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Fetches the keys, and keeps them or why there are none.
    async fn renew(&self, now: Timestamp) {
        let fetched = self.fetch(now).await;
        let ended = self.clock.now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(keys) => *known = Known { keys: Some(Arc::new(keys)), tried: Some((ended, None)) },
            Err(failure) => known.tried = Some((ended, Some(failure))),
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Keys, String> {
        let answer = self.client.call(Method::GET, &[]).send(Repeat::Safe).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if !answer.status.is_success() {
            return Err(format!("the keys are answered with {}", answer.status.as_u16()));
        }
        let by_id = keys_of(&answer).map_err(|error| error.to_string())?;
        if by_id.is_empty() {
            return Err("there is no key among the keys".into());
        }
        Ok(Keys { by_id, since: now, until: now + max_age(&answer) })
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// The RSA keys with a name; others cannot have signed an ID token.
fn keys_of(answer: &Answer) -> Result<HashMap<String, DecodingKey>, CallError> {
    let KeySet { keys } = answer.json()?;
    let keys = keys.into_iter().filter_map(|json| {
        let jwk: Jwk = serde_json::from_value(json).ok()?;
        let is_rsa = matches!(jwk.algorithm, AlgorithmParameters::RSA(_));
        let key = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_rsa)?;
        Some((jwk.common.key_id?, key))
    });
    Ok(keys.collect())
}

/// How long an answer may be kept (RFC 9111 §5.2.2.1).
fn max_age(answer: &Answer) -> Duration {
    let control = answer.headers.get("cache-control").and_then(|value| value.to_str().ok());
    let mut directives = control.unwrap_or_default().split(',').map(str::trim);
    let seconds = directives.find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let seconds = value.trim_matches('"').parse().ok()?;
        name.eq_ignore_ascii_case("max-age").then(|| Duration::from_secs(seconds))
    });
    seconds.unwrap_or(DEFAULT_AGE).min(MAX_AGE)
}

impl fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKeys").field(self.source.client.base_url()).finish()
    }
}
