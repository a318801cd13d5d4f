//! What Firestore would refuse, refused before it is asked:
//! <https://firebase.google.com/docs/firestore/quotas#limits>.

use portcullis_domain::Timestamp;
use portcullis_domain::document::{Changes, FieldPath, Fields, Value};
use portcullis_domain::ports::MalformedDocument;

/// Deepest nesting of maps and arrays.
const MAX_DEPTH: usize = 20;
/// The first second of the year 1, and of the year 10000.
const YEARS: std::ops::Range<i64> = -62_135_596_800..253_402_300_800;

/// Whether a document can hold these fields.
pub(super) fn check_fields(fields: &Fields) -> Result<(), MalformedDocument> {
    fields_at(fields, 0)
}

/// Whether a document can be changed so.
pub(super) fn check_changes(changes: &Changes) -> Result<(), MalformedDocument> {
    if changes.is_empty() {
        return Err(MalformedDocument::NoChange);
    }
    // In their order a map stands right before the first of what lies in it.
    let paths: Vec<&FieldPath> = changes.keys().collect();
    if paths.windows(2).any(|pair| pair[0].holds(pair[1])) {
        return Err(MalformedDocument::Overlap);
    }
    for (path, value) in changes {
        let depth = path.names().len() - 1;
        if depth > MAX_DEPTH {
            return Err(MalformedDocument::TooDeep);
        }
        value.iter().try_for_each(|value| value_at(value, depth))?;
    }
    Ok(())
}

fn fields_at(fields: &Fields, depth: usize) -> Result<(), MalformedDocument> {
    for (name, value) in fields {
        FieldPath::of([name.as_str()]).map_err(|_| MalformedDocument::FieldName)?;
        value_at(value, depth)?;
    }
    Ok(())
}

fn value_at(value: &Value, depth: usize) -> Result<(), MalformedDocument> {
    match value {
        Value::Array(_) | Value::Map(_) if depth == MAX_DEPTH => Err(MalformedDocument::TooDeep),
        Value::Array(values) if values.iter().any(|value| matches!(value, Value::Array(_))) => {
            Err(MalformedDocument::NestedArray)
        }
        Value::Array(values) => values.iter().try_for_each(|value| value_at(value, depth + 1)),
        Value::Map(fields) => fields_at(fields, depth + 1),
        Value::GeoPoint { latitude, longitude } => {
            let is_on_earth =
                (-90.0..=90.0).contains(latitude) && (-180.0..=180.0).contains(longitude);
            if is_on_earth { Ok(()) } else { Err(MalformedDocument::GeoPoint) }
        }
        Value::Timestamp(at) => check_time(*at),
        Value::Null
        | Value::Bool(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Reference(_) => Ok(()),
    }
}

fn check_time(at: Timestamp) -> Result<(), MalformedDocument> {
    if YEARS.contains(&at.as_seconds()) { Ok(()) } else { Err(MalformedDocument::Timestamp) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(value: Value) -> Option<MalformedDocument> {
        check_fields(&[("a".to_owned(), value)].into()).err()
    }

    fn map(value: Value) -> Value {
        Value::Map([("m".to_owned(), value)].into())
    }

    #[test]
    fn what_firestore_cannot_hold_is_named() {
        let nested = Value::Array(vec![Value::Array(vec![])]);
        assert_eq!(refusal(nested), Some(MalformedDocument::NestedArray));
        assert_eq!(refusal(Value::Array(vec![map(Value::Array(vec![]))])), None);
        for (latitude, longitude) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0)] {
            let place = Value::GeoPoint { latitude, longitude };
            assert_eq!(refusal(place), Some(MalformedDocument::GeoPoint));
        }
        let unnamed = Value::Map([(String::new(), Value::Null)].into());
        assert_eq!(refusal(unnamed), Some(MalformedDocument::FieldName));
        let reserved = check_fields(&[("__a__".to_owned(), Value::Null)].into());
        assert_eq!(reserved, Err(MalformedDocument::FieldName));
    }

    #[test]
    fn time_has_an_end() {
        let at = |text: &str| Value::Timestamp(Timestamp::parse(text).unwrap());
        assert_eq!(refusal(at("0001-01-01T00:00:00Z")), None);
        assert_eq!(refusal(at("9999-12-31T23:59:59.999999Z")), None);
        let after = Timestamp::from_seconds(253_402_300_800);
        assert_eq!(refusal(Value::Timestamp(after)), Some(MalformedDocument::Timestamp));
    }

    #[test]
    fn maps_lie_in_each_other_twenty_deep() {
        let deep = |levels| (0..levels).fold(Value::Null, |inner, _| map(inner));
        assert_eq!(refusal(deep(20)), None);
        assert_eq!(refusal(deep(21)), Some(MalformedDocument::TooDeep));
    }

    #[test]
    fn an_update_names_every_field_once() {
        let changes = |paths: &[&str]| -> Changes {
            paths.iter().map(|path| (FieldPath::parse(path).unwrap(), None)).collect()
        };
        assert_eq!(check_changes(&changes(&[])), Err(MalformedDocument::NoChange));
        assert_eq!(check_changes(&changes(&["a.b", "a.c", "ab"])), Ok(()));
        for paths in [["a", "a.b"], ["a.b.c", "a"], ["a.b", "a.b.c.d"]] {
            assert_eq!(check_changes(&changes(&paths)), Err(MalformedDocument::Overlap));
        }
        let between = changes(&["a", "a-b", "a.b"]);
        assert_eq!(check_changes(&between), Err(MalformedDocument::Overlap));
    }
}
