//! The keys that sign ID tokens, and the tokens.

use std::collections::VecDeque;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::refusal::refusal;
use super::rsa_key::{RsaKey, message};
use crate::request::{Reply, Request};
use crate::server::Service;

/// Keys that are published at once: the last one, and the one before it.
const PUBLISHED: usize = 2;

/// Publishes the keys that ID tokens are signed with, and signs with them.
pub struct PublicKeys {
    /// Newest first, each with its name.
    keys: VecDeque<(String, Arc<RsaKey>)>,
    count: usize,
    /// For how many seconds an answer may be kept; without it, nothing is said.
    pub max_age: Option<u64>,
}

impl PublicKeys {
    /// The path at Google.
    pub const PATH: &'static str =
        "/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";

    /// One key, and answers that may be kept for five hours.
    #[must_use]
    pub fn new(key: Arc<RsaKey>) -> Self {
        let mut keys = Self { keys: VecDeque::new(), count: 0, max_age: Some(18_000) };
        keys.rotate(key);
        keys
    }

    /// Signs with another key from now on. The one before it is still published,
    /// older ones are not.
    pub fn rotate(&mut self, key: Arc<RsaKey>) {
        self.count += 1;
        self.keys.push_front((format!("key-{}", self.count), key));
        self.keys.truncate(PUBLISHED);
    }

    /// The key that signs, and its name.
    #[must_use]
    pub fn current(&self) -> (&str, &RsaKey) {
        let (id, key) = self.keys.front().expect("there is always a key");
        (id, key)
    }

    /// An ID token with these claims.
    #[must_use]
    pub fn mint(&self, claims: &Value) -> String {
        let (id, key) = self.current();
        key.token(&json!({"alg": "RS256", "typ": "JWT", "kid": id}), claims)
    }

    /// A token that nobody signed (RFC 7519 §6.1), as an emulator makes them.
    #[must_use]
    pub fn unsigned(claims: &Value) -> String {
        format!("{}.", message(&json!({"alg": "none", "typ": "JWT"}), claims))
    }
}

impl Service for PublicKeys {
    fn answer(&mut self, request: &Request) -> Reply {
        let path = Self::PATH.trim_start_matches('/').split('/');
        if request.method != Method::GET || !path.eq(request.segments()) {
            return refusal(404, "Requested entity was not found.").into();
        }
        let keys: Vec<Value> = self.keys.iter().map(|(id, key)| key.jwk(id)).collect();
        let reply = Reply::json(200, &json!({"keys": keys}));
        match self.max_age {
            Some(seconds) => {
                let control = format!("public, max-age={seconds}, must-revalidate, no-transform");
                reply.with("cache-control", &control)
            }
            None => reply,
        }
    }

    fn refusal(&self, status: u16) -> Reply {
        refusal(status, "The service is currently unavailable.").into()
    }
}
