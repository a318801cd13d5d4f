//! A request that is good, and can be spoilt.

use portcullis_tests::Random;
use serde_json::Value;

use crate::routes::{Reads, Route};

/// A request on its way to be spoilt.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) method: Vec<u8>,
    pub(super) target: Vec<u8>,
    pub(super) version: Vec<u8>,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// The end of a line.
    pub(super) end: &'static [u8],
    /// Whether the length is told as it is at the end.
    pub(super) tells_length: bool,
}

impl Draft {
    pub(super) fn of(route: &Route, bearer: Option<&str>) -> Self {
        let mut headers = vec![
            (b"Host".to_vec(), b"localhost".to_vec()),
            (b"Connection".to_vec(), b"close".to_vec()),
        ];
        if route.reads != Reads::Nothing {
            headers.push((b"Content-Type".to_vec(), route.media_type().into()));
        }
        if let Some(bearer) = bearer {
            headers.push((b"Authorization".to_vec(), format!("Bearer {bearer}").into()));
        }
        Self {
            method: route.method.into(),
            target: route.path.into(),
            version: b"HTTP/1.1".to_vec(),
            headers,
            body: route.body().into(),
            end: b"\r\n",
            tells_length: route.reads != Reads::Nothing,
        }
    }

    pub(super) fn written(&self) -> Vec<u8> {
        let mut bytes =
            [&self.method[..], b" ", &self.target, b" ", &self.version, self.end].concat();
        for (name, value) in &self.headers {
            bytes.extend([&name[..], b": ", value, self.end].concat());
        }
        if self.tells_length {
            bytes.extend(
                [format!("Content-Length: {}", self.body.len()).as_bytes(), self.end].concat(),
            );
        }
        bytes.extend(self.end);
        bytes.extend(&self.body);
        bytes
    }

    pub(super) fn header(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.headers.push((name.into(), value.into()));
    }

    /// Puts something into the place of one value of a JSON object.
    pub(super) fn value(&mut self, dice: &mut Random, value: &Value) {
        let Ok(Value::Object(mut fields)) = serde_json::from_slice(&self.body) else { return };
        let names: Vec<String> = fields.keys().cloned().collect();
        if let Some(name) = names.get(dice.below(names.len().max(1))) {
            fields[name] = value.clone();
            self.body = Value::Object(fields).to_string().into_bytes();
        }
    }

    /// Puts a text into the place of one value, of JSON or of a form.
    pub(super) fn text(&mut self, dice: &mut Random, text: &str) {
        if self.body.starts_with(b"{") {
            self.value(dice, &text.into());
        } else if let Ok(form) = String::from_utf8(self.body.clone()) {
            let mut pairs: Vec<_> = form.split('&').map(str::to_owned).collect();
            let chosen = dice.below(pairs.len());
            let name = pairs[chosen].split('=').next().unwrap_or_default().to_owned();
            let encoded: String =
                text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
            pairs[chosen] = format!("{name}={encoded}");
            self.body = pairs.join("&").into_bytes();
        }
    }
}
