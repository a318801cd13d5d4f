//! Field paths as Firestore reads them:
//! <https://firebase.google.com/docs/firestore/reference/rest/v1/projects.databases.documents#Document>.

use portcullis_domain::document::{Changes, FieldPath, Fields, Value};

/// A path as text: names joined by dots, in backticks unless they are plain.
pub(super) fn written(path: &FieldPath) -> String {
    path.names().iter().map(|name| segment(name)).collect::<Vec<_>>().join(".")
}

fn segment(name: &str) -> String {
    let begins_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins_plain && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return name.to_owned();
    }
    format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))
}

/// The values that changes set, each in the maps that its path leads through.
pub(super) fn nested(changes: Changes) -> Fields {
    let mut fields = Fields::new();
    for (path, value) in changes {
        if let Some(value) = value {
            put(&mut fields, path.names(), value);
        }
    }
    fields
}

fn put(fields: &mut Fields, names: &[String], value: Value) {
    let Some((name, inner)) = names.split_first() else { return };
    if inner.is_empty() {
        fields.insert(name.clone(), value);
        return;
    }
    let map = fields.entry(name.clone()).or_insert_with(|| Value::Map(Fields::new()));
    if let Value::Map(fields) = map {
        put(fields, inner, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_plain_is_quoted() {
        let written = |names: &[&str]| written(&FieldPath::of(names.iter().copied()).unwrap());
        assert_eq!(written(&["address", "_city2"]), "address._city2");
        assert_eq!(written(&["a.b", "c"]), "`a.b`.c");
        assert_eq!(written(&["2nd"]), "`2nd`");
        assert_eq!(written(&["ü", "a-b"]), "`ü`.`a-b`");
        assert_eq!(written(&["back`tick\\slash"]), "`back\\`tick\\\\slash`");
    }

    #[test]
    fn values_lie_in_the_maps_of_their_paths() {
        let path = |text| FieldPath::parse(text).unwrap();
        let changes = [
            (path("a.b.c"), Some(Value::Integer(1))),
            (path("a.d"), Some(Value::Null)),
            (path("gone"), None),
        ];
        let inner = Fields::from([("c".to_owned(), Value::Integer(1))]);
        let outer = [("b".to_owned(), Value::Map(inner)), ("d".to_owned(), Value::Null)];
        let expected = [("a".to_owned(), Value::Map(outer.into()))].into();
        assert_eq!(nested(changes.into()), expected);
    }
}
