//! Taking the fields of a JSON object, and noting everything that is wrong.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde_json::Value;

use super::object::Object;

/// Longest name of an unknown field that is repeated in a report.
const MAX_SHOWN: usize = 40;

/// Whether it is a name like those that programs give to fields. Anything else may
/// be a hash that slipped out of its place, or writing that a terminal would obey.
fn is_plain(name: &str) -> bool {
    (1..=MAX_SHOWN).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The fields that are not taken yet, and what was wrong with the others.
pub(super) struct Fields {
    left: BTreeMap<String, Value>,
    faults: Vec<String>,
}

impl Fields {
    pub(super) fn of(object: Object) -> Self {
        Self { left: object.0, faults: Vec::new() }
    }

    /// Notes that a field is wrong, and why. The reason holds nothing of its value.
    pub(super) fn refuse(&mut self, name: &str, why: impl Display) {
        self.faults.push(format!("{name}: {why}"));
    }

    /// A field that may be missing or null.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            self.refuse(name, "must be a text");
            return None;
        };
        Some(text)
    }

    /// A text that becomes a value.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, error);
                None
            }
        }
    }

    /// The same, but the text must be there.
    pub(super) fn required<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.left.remove(name);
            self.refuse(name, "is missing");
            return None;
        }
        self.parsed(name, parse)
    }

    /// A whole number from 1 to `max`.
    pub(super) fn count(&mut self, name: &str, max: i64) -> Option<i64> {
        let number = self.take(name)?.as_i64().filter(|number| (1..=max).contains(number));
        if number.is_none() {
            self.refuse(name, format_args!("must be a whole number from 1 to {max}"));
        }
        number
    }

    /// True or false.
    pub(super) fn switch(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?.as_bool();
        if value.is_none() {
            self.refuse(name, "must be true or false");
        }
        value
    }

    /// How much is wrong so far.
    pub(super) fn faults(&self) -> usize {
        self.faults.len()
    }

    /// Everything that is wrong, in one line; fields that nobody took are.
    pub(super) fn finish(mut self) -> Result<(), String> {
        for name in std::mem::take(&mut self.left).into_keys() {
            let shown = if is_plain(&name) { &name } else { "a name that is not repeated here" };
            self.faults.push(format!("{shown}: is no field of an account"));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults.join("; ")) }
    }
}
