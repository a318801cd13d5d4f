//! One JSON object, each field once.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

/// The fields of a JSON object.
#[derive(Debug)]
pub(super) struct Object(pub(super) BTreeMap<String, Value>);

/// The bytes are not one JSON object.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAnObject {
    /// They are not JSON.
    #[error("is not JSON: {reason} (column {column})")]
    Syntax {
        /// What is wrong. It holds nothing of the text.
        reason: String,
        /// Where.
        column: usize,
    },
    /// They are JSON of another kind.
    #[error("is not a JSON object with each field once")]
    Shape,
}

impl Object {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, NotAnObject> {
        serde_json::from_slice(bytes).map_err(|error| {
            // Errors of shape quote the value, which may be a hash.
            if error.is_data() {
                return NotAnObject::Shape;
            }
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
            NotAnObject::Syntax { reason, column: error.column() }
        })
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a field stands there twice"));
            }
        }
        Ok(Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Object::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_object_is_told_without_quoting_it() {
        for text in ["\"hunter2\"", "[\"hunter2\"]", "42", "null", r#"{"a":"hunter2","a":1}"#] {
            assert_eq!(refused(text), "is not a JSON object with each field once", "{text}");
        }
        for text in ["hunter2", "{\"a\": hunter2}", "{\"a\":\"hunter2", "{} {}", "{\"hunter2\" 1}"]
        {
            let said = refused(text);
            assert!(said.starts_with("is not JSON: "), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert_eq!(
            Object::parse(b"{\"a\":\"\xff\"}").unwrap_err(),
            NotAnObject::Syntax { reason: "invalid unicode code point".into(), column: 7 }
        );
    }
}
