//! What a client says.

use std::fmt::Write;

use reqwest::Method;
use serde_json::Value;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
/// Of our own choosing, since a client's would be another each time.
const BOUNDARY: &str = "transcript";

/// Longest body that is written down.
const SHOWN: usize = 400;

/// A request that is still to be sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the answer's body is worth reading.
    pub(crate) is_body_shown: bool,
}

/// A GET of that path.
pub(crate) fn get(path: impl Into<String>) -> Request {
    request(Method::GET, path)
}

/// A POST to that path.
pub(crate) fn post(path: impl Into<String>) -> Request {
    request(Method::POST, path)
}

/// A request of that method.
pub(crate) fn request(method: Method, path: impl Into<String>) -> Request {
    let (headers, body) = (Vec::new(), Vec::new());
    Request { method, path: path.into(), headers, body, is_body_shown: true }
}

impl Request {
    /// With that header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With that access token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// As a browser sends it.
    pub(crate) fn browsing(self) -> Self {
        self.header("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
    }

    /// With those bytes, and no word on what they are.
    pub(crate) fn bytes(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// With that text, of that media type.
    pub(crate) fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.header("content-type", media_type).bytes(body)
    }

    /// With JSON.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(JSON, body.to_string())
    }

    /// With text that is called JSON.
    pub(crate) fn raw_json(self, body: &str) -> Self {
        self.body(JSON, body)
    }

    /// With a form, URL-encoded.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<_> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        self.body(FORM, pairs.join("&"))
    }

    /// With text that is called a form.
    pub(crate) fn raw_form(self, body: &str) -> Self {
        self.body(FORM, body)
    }

    /// With a form in parts.
    pub(crate) fn multipart(self, fields: &[(&str, &str)]) -> Self {
        let parts = fields.iter().map(|(name, value)| {
            format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        });
        let body = parts.chain([format!("--{BOUNDARY}--\r\n")]).collect::<String>();
        self.body(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    /// The answer's body is a file of the repository: its head will do.
    pub(crate) fn without_body(self) -> Self {
        Self { is_body_shown: false, ..self }
    }

    /// What it says, a line each. Access tokens are shown by their ends: the
    /// answer that gave them shows them whole.
    pub(crate) fn shown(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.headers {
            let whole = value.chars().count();
            let end: String = value.chars().skip(whole.saturating_sub(12)).collect();
            let value = match *name {
                "authorization" if whole > 60 => format!("Bearer …{end}"),
                _ if whole > SHOWN => format!("({whole} characters)"),
                _ => value.clone(),
            };
            text += &format!("> {name}: {value}\n");
        }
        if !self.body.is_empty() {
            let body = String::from_utf8_lossy(&self.body);
            if self.body.len() > SHOWN {
                let _ = writeln!(text, "> ({} bytes)", self.body.len());
            } else {
                body.lines().for_each(|line| text += &format!("> {line}\n"));
            }
        }
        text
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
