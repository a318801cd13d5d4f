//! Who may call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::refusal::{Refusal, refusal};
use crate::request::Request;

/// The access tokens that were given out and are good. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Bearers(Arc<Mutex<Issued>>);

#[derive(Debug, Default)]
struct Issued {
    count: u32,
    good: HashMap<String, Bearer>,
}

#[derive(Debug)]
struct Bearer {
    scopes: Vec<String>,
    /// When its time is over, if ever.
    until: Option<Instant>,
}

impl Bearers {
    /// Gives out a token for these scopes, separated by blanks.
    #[must_use]
    pub fn issue(&self, scopes: &str) -> String {
        self.issue_until(scopes, None)
    }

    /// The same, good for so long.
    #[must_use]
    pub fn issue_for(&self, scopes: &str, lifetime: Duration) -> String {
        self.issue_until(scopes, Instant::now().checked_add(lifetime))
    }

    fn issue_until(&self, scopes: &str, until: Option<Instant>) -> String {
        let mut issued = self.issued();
        issued.count += 1;
        let token = format!("ya29.simulated-{}", issued.count);
        let scopes = scopes.split_whitespace().map(str::to_owned).collect();
        issued.good.insert(token.clone(), Bearer { scopes, until });
        token
    }

    /// How many were given out.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.issued().count
    }

    /// Makes all tokens void, as if their time were over.
    pub fn expire_all(&self) {
        self.issued().good.clear();
    }

    /// Refuses a request with 401 that has no good token, and with 403 one whose
    /// token is for neither this scope nor all of Google Cloud.
    pub(super) fn check(&self, request: &Request, scope: &str) -> Result<(), Refusal> {
        let issued = self.issued();
        let known = request.bearer().and_then(|token| issued.good.get(token));
        let lasts = |bearer: &&Bearer| bearer.until.is_none_or(|until| Instant::now() < until);
        let Some(Bearer { scopes, .. }) = known.filter(lasts) else {
            let told = "Request had invalid authentication credentials. Expected OAuth 2 access \
                token, login cookie or other valid authentication credential.";
            return Err(refusal(401, told));
        };
        let all = "https://www.googleapis.com/auth/cloud-platform";
        let is_allowed = scopes.iter().any(|held| held == scope || held == all);
        let told = "Request had insufficient authentication scopes.";
        if is_allowed { Ok(()) } else { Err(refusal(403, told)) }
    }

    fn issued(&self) -> MutexGuard<'_, Issued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
