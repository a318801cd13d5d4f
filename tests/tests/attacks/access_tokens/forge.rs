//! Signing whatever one likes, with whatever key.

use std::net::TcpListener;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portcullis_tests::{claims, header};
use serde_json::Value;

/// The secret of every instance whose tokens are forged.
pub(super) const SECRET: &str = "a canary secret that signs true and forged tokens";
/// The origin of every such instance, so that all tokens have one length.
pub(super) const ORIGIN: &str = "https://auth.example.com";

/// Forged tokens that have one idea in common.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) tokens: Vec<String>,
}

impl Kind {
    pub(super) fn new(name: &'static str, tokens: impl IntoIterator<Item = String>) -> Self {
        Self { name, tokens: tokens.into_iter().collect() }
    }
}

/// A genuine token, and what is needed to make others like it.
pub(super) struct Model {
    pub(super) token: String,
    pub(super) header: Value,
    pub(super) claims: Value,
    /// A genuine token of somebody else.
    pub(super) other: String,
    /// An address at which nobody should call.
    pub(super) trap: String,
}

impl Model {
    pub(super) fn new(token: &str, other: &str, trap: &str) -> Self {
        Self {
            header: header(token),
            claims: claims(token),
            token: token.to_owned(),
            other: other.to_owned(),
            trap: trap.to_owned(),
        }
    }

    /// The header with another value of one parameter.
    pub(super) fn header_with(&self, name: &str, value: impl Into<Value>) -> Value {
        with(&self.header, name, value)
    }

    /// The claims with another value of one.
    pub(super) fn claims_with(&self, name: &str, value: impl Into<Value>) -> Value {
        with(&self.claims, name, value)
    }

    /// The genuine claims under another header, signed with the true secret.
    pub(super) fn headed(&self, name: &str, value: impl Into<Value>) -> String {
        truly(&self.header_with(name, value), &self.claims)
    }

    /// Another claim under the genuine header, signed with the true secret.
    pub(super) fn claiming(&self, name: &str, value: impl Into<Value>) -> String {
        truly(&self.header, &self.claims_with(name, value))
    }

    /// The text of the claims in place of the genuine ones, truly signed.
    pub(super) fn telling(&self, claims: &str) -> String {
        sign(hmac::HMAC_SHA256, SECRET, self.header.to_string(), claims)
    }

    pub(super) fn parts(&self) -> [&str; 3] {
        parts(&self.token)
    }
}

pub(super) fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

fn with(object: &Value, name: &str, value: impl Into<Value>) -> Value {
    let mut object = object.clone();
    object[name] = value.into();
    object
}

/// The object without one of its members.
pub(super) fn without(object: &Value, name: &str) -> Value {
    let mut object = object.clone();
    object.as_object_mut().unwrap().remove(name);
    object
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A token that is signed with the instance's own secret.
pub(super) fn truly(header: &Value, claims: &Value) -> String {
    sign(hmac::HMAC_SHA256, SECRET, header.to_string(), claims.to_string())
}

/// A token with that HMAC under that key.
pub(super) fn sign(
    algorithm: hmac::Algorithm,
    key: impl AsRef<[u8]>,
    header: impl AsRef<[u8]>,
    claims: impl AsRef<[u8]>,
) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let tag = hmac::sign(&hmac::Key::new(algorithm, key.as_ref()), signed.as_bytes());
    format!("{signed}.{}", encode(tag))
}

/// A socket at which nobody should call.
pub(super) struct Trap(TcpListener);

impl Trap {
    pub(super) fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/keys", self.0.local_addr().unwrap())
    }

    pub(super) fn was_visited(&self) -> bool {
        self.0.accept().is_ok()
    }
}
