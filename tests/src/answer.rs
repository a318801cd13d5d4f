//! What the server answered, and what may be said about it.

use std::collections::BTreeSet;

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::Problem;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as JSON; null if it is none.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// Sends a request and waits for its whole answer.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::if_any(request).await.expect("the server answers")
    }

    /// The same, where no answer is possible too: the server may be killed.
    pub async fn if_any(request: RequestBuilder) -> Result<Self, reqwest::Error> {
        let answer = request.send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await?;
        let is_json = headers
            .get("content-type")
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let body = if is_json && !text.is_empty() {
            serde_json::from_str(&text).expect("a body that says it is JSON is JSON")
        } else {
            Value::Null
        };
        Ok(Self { status, headers, body, text })
    }

    /// A header's text, if it came.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("headers are ASCII"))
    }

    /// A header that holds a number.
    #[must_use]
    #[track_caller]
    pub fn number(&self, name: &str) -> u64 {
        let text = self.header(name).unwrap_or_else(|| panic!("{name} is missing: {self:?}"));
        text.parse().unwrap_or_else(|_| panic!("{name} is no whole number: {text}"))
    }

    /// The text at a JSON pointer.
    #[must_use]
    #[track_caller]
    pub fn str(&self, pointer: &str) -> &str {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no text at {pointer}: {self:?}"))
    }

    /// Insists on a status.
    #[must_use = "or say `.is(status)` if only the status matters"]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        self.is(status);
        self
    }

    /// Insists on a status and is done.
    #[track_caller]
    pub fn is(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
    }

    /// Insists on exactly these keys in the body.
    #[track_caller]
    pub fn has_exactly(&self, keys: &[&str]) {
        keys_are(&self.body, keys);
    }

    /// Insists on an instant at a JSON pointer: RFC 3339 in UTC with a `Z`.
    #[track_caller]
    pub fn is_instant_at(&self, pointer: &str) {
        is_instant(self.str(pointer));
    }

    /// Insists on a refusal, whatever its text: the contract's error document.
    #[track_caller]
    pub fn is_refused(&self, status: u16, code: &str) {
        self.is(status);
        assert_eq!(self.str("/error_code"), code, "{self:?}");
        self.has_exactly(&["detail", "error_code", "timestamp"]);
        assert_eq!(self.header("content-type"), Some("application/json"));
        is_instant(self.str("/timestamp"));
        if status == 401 {
            assert_eq!(self.header("www-authenticate"), Some("Bearer"), "{self:?}");
        }
    }

    /// Insists on a refusal to the letter.
    #[track_caller]
    pub fn is_problem(&self, (status, code, detail): Problem) {
        self.is_refused(status, code);
        assert_eq!(self.str("/detail"), detail);
    }

    /// Insists on a 401 of the bearer token, whichever of its codes.
    #[track_caller]
    pub fn is_unauthorized(&self) {
        let code = self.str("/error_code").to_owned();
        self.is_refused(401, &code);
        assert!(["INVALID_TOKEN", "TOKEN_REVOKED"].contains(&code.as_str()), "{self:?}");
    }

    /// Insists on a 422 that names exactly these fields, each of them once.
    #[track_caller]
    pub fn is_invalid(&self, fields: &[&str]) {
        self.is_refused(422, "VALIDATION_ERROR");
        let entries = self.entries();
        assert_eq!(entries.len(), fields.len(), "{self:?}");
        for field in fields {
            assert!(!self.entry(field)["msg"].as_str().unwrap().is_empty(), "{self:?}");
        }
    }

    /// Insists on a 422 that says that these fields are missing.
    #[track_caller]
    pub fn is_missing(&self, fields: &[&str]) {
        self.is_invalid(fields);
        for field in fields {
            let entry = self.entry(field);
            assert_eq!(entry["msg"], "field required", "{self:?}");
            assert_eq!(entry["type"], "value_error.missing", "{self:?}");
        }
    }

    /// Insists on a 422 that says that the body is not JSON.
    #[track_caller]
    pub fn is_malformed(&self) {
        self.is_refused(422, "VALIDATION_ERROR");
        let entries = self.entries();
        assert_eq!(entries.len(), 1, "{self:?}");
        assert_eq!(entries[0]["loc"], serde_json::json!([]), "{self:?}");
        assert_eq!(entries[0]["type"], "value_error.jsondecode", "{self:?}");
    }

    /// The one entry of a 422 about a field.
    #[must_use]
    #[track_caller]
    pub fn entry(&self, field: &str) -> &Value {
        let mut about = self.entries().iter().filter(|entry| entry["loc"][0] == field);
        let found = about.next().unwrap_or_else(|| panic!("nothing about {field}: {self:?}"));
        assert!(about.next().is_none(), "{field} is named twice: {self:?}");
        found
    }

    #[track_caller]
    fn entries(&self) -> &[Value] {
        let entries = self.body["detail"].as_array();
        let entries = entries.unwrap_or_else(|| panic!("detail is no list: {self:?}"));
        for entry in entries {
            keys_are(entry, &["loc", "msg", "type"]);
            assert!(entry["loc"].is_array() && entry["type"].is_string(), "{self:?}");
        }
        entries
    }
}

/// Insists on exactly these keys in an object.
#[track_caller]
fn keys_are(value: &Value, keys: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let found: BTreeSet<_> = object.keys().map(String::as_str).collect();
    assert_eq!(found, keys.iter().copied().collect(), "{value}");
}

/// Insists on RFC 3339 in UTC with a `Z`.
#[track_caller]
fn is_instant(text: &str) {
    let whole = text.get(..19).unwrap_or_default();
    let shape: String = whole.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00", "{text}");
    let rest = text[19..].strip_suffix('Z').unwrap_or_else(|| panic!("{text} is not UTC with Z"));
    let digits = rest.strip_prefix('.').unwrap_or("0");
    assert!(!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()), "{text}");
}
