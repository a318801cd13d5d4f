//! Bodies of requests, checked field by field.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Refused;

/// A body of which every field is asked for by its name and its type; what is
/// left over in the end was not published.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn of(body: Option<Value>) -> Result<Self, Refused> {
        match body {
            Some(Value::Object(fields)) => Ok(Self(fields)),
            _ => Err(bad("the body is no JSON object")),
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Result<String, Refused> {
        self.optional_text(name)?.ok_or_else(|| bad(&format!("required field {name} is missing")))
    }

    pub(super) fn optional_text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(bad(&format!("{name} is no string"))),
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u64>, Refused> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(number) => {
                number.as_u64().map(Some).ok_or_else(|| bad(&format!("{name} is no number")))
            }
        }
    }

    pub(super) fn map(&mut self, name: &str) -> Result<Option<BTreeMap<String, String>>, Refused> {
        let Some(map) = self.0.remove(name) else { return Ok(None) };
        let map = serde_json::from_value::<BTreeMap<String, String>>(map)
            .map_err(|_| bad(&format!("{name} is no map of strings")))?;
        if map.len() > 10 {
            return Err(bad(&format!("{name} has more than 10 entries")));
        }
        Ok(Some(map))
    }

    /// That there are no others.
    pub(super) fn end(self) -> Result<(), Refused> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(bad(&format!("unknown field in b2 request: {name}"))),
        }
    }
}

pub(super) fn bad(message: &str) -> Refused {
    Refused { status: 400, code: "bad_request", message: message.to_owned() }
}
