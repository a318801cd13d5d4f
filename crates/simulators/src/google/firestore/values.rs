//! Values as they are published:
//! <https://firebase.google.com/docs/firestore/reference/rest/v1/Value>.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Map, Value};

use crate::google::refusal::{Refusal, bad_field, refusal, unknown_field};

/// Deepest nesting of maps and arrays.
const MAX_DEPTH: usize = 20;

/// Whether it can name a collection or a document.
pub(super) fn is_name(name: &str) -> bool {
    let is_reserved = name == "." || name == ".." || is_dunder(name);
    !name.is_empty() && name.len() <= 1_500 && !name.contains('/') && !is_reserved
}

fn is_dunder(name: &str) -> bool {
    name.len() >= 4 && name.starts_with("__") && name.ends_with("__")
}

/// Refuses fields that are not as published.
pub(super) fn check_fields(fields: &Map<String, Value>, place: &str) -> Result<(), Refusal> {
    fields_at(fields, place, 0)
}

fn fields_at(fields: &Map<String, Value>, place: &str, depth: usize) -> Result<(), Refusal> {
    for (name, value) in fields {
        if name.is_empty() || name.len() > 1_500 || is_dunder(name) {
            return Err(refusal(400, &format!("Invalid field name \"{name}\".")));
        }
        check(value, &format!("{place}[{name}]"), depth)?;
    }
    Ok(())
}

fn check(value: &Value, place: &str, depth: usize) -> Result<(), Refusal> {
    let wrong = || bad_field(place, &format!("Invalid value at '{place}'"));
    let kinds = value.as_object().ok_or_else(wrong)?;
    let Some((kind, value)) = kinds.iter().next().filter(|_| kinds.len() == 1) else {
        return Err(refusal(400, "A value has exactly one kind."));
    };
    let is_right = match kind.as_str() {
        "nullValue" => value.is_null() || value == "NULL_VALUE",
        "booleanValue" => value.is_boolean(),
        "integerValue" => {
            value.is_i64() || value.as_str().is_some_and(|it| it.parse::<i64>().is_ok())
        }
        "doubleValue" => {
            value.is_number() || ["NaN", "Infinity", "-Infinity"].iter().any(|it| value == it)
        }
        "stringValue" => value.is_string(),
        "bytesValue" => value
            .as_str()
            .is_some_and(|it| STANDARD.decode(it).is_ok() || URL_SAFE.decode(it).is_ok()),
        "timestampValue" => value.as_str().is_some_and(is_time),
        "referenceValue" => value.as_str().is_some_and(|it| it.starts_with("projects/")),
        "geoPointValue" => is_place(value),
        "arrayValue" => return check_array(value, place, depth),
        "mapValue" => {
            let map = value.as_object().ok_or_else(wrong)?;
            only(map, "fields", place)?;
            deeper(depth)?;
            return match map.get("fields") {
                None => Ok(()),
                Some(fields) => fields_at(fields.as_object().ok_or_else(wrong)?, place, depth + 1),
            };
        }
        other => return Err(unknown_field(other, place)),
    };
    if is_right { Ok(()) } else { Err(wrong()) }
}

fn check_array(value: &Value, place: &str, depth: usize) -> Result<(), Refusal> {
    let wrong = || bad_field(place, &format!("Invalid value at '{place}'"));
    let array = value.as_object().ok_or_else(wrong)?;
    only(array, "values", place)?;
    deeper(depth)?;
    let Some(values) = array.get("values") else { return Ok(()) };
    for value in values.as_array().ok_or_else(wrong)? {
        if value.get("arrayValue").is_some() {
            return Err(refusal(400, "Cannot convert an array value in an array value."));
        }
        check(value, place, depth + 1)?;
    }
    Ok(())
}

fn deeper(depth: usize) -> Result<(), Refusal> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(refusal(400, "Nested too deeply.")) }
}

fn only(object: &Map<String, Value>, known: &str, place: &str) -> Result<(), Refusal> {
    match object.keys().find(|name| *name != known) {
        Some(name) => Err(unknown_field(name, place)),
        None => Ok(()),
    }
}

/// RFC 3339, as protocol buffers read it: `2026-01-31T12:00:00.5Z`.
fn is_time(text: &str) -> bool {
    let shape: String = text.chars().map(|it| if it.is_ascii_digit() { '0' } else { it }).collect();
    let fraction = shape.strip_prefix("0000-00-00T00:00:00").and_then(|it| it.strip_suffix('Z'));
    fraction.is_some_and(|it| {
        it.is_empty()
            || it.strip_prefix('.').is_some_and(|digits| {
                (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte == b'0')
            })
    })
}

fn is_place(value: &Value) -> bool {
    let within = |name: &str, bound: f64| {
        value.get(name).is_none_or(|it| it.as_f64().is_some_and(|it| it.abs() <= bound))
    };
    let is_known = |name: &String| name == "latitude" || name == "longitude";
    value.as_object().is_some_and(|it| it.keys().all(is_known))
        && within("latitude", 90.0)
        && within("longitude", 180.0)
}
