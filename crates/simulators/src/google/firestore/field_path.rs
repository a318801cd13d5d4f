//! Paths to fields: names joined by dots, in backticks where they are not plain.

use serde_json::{Map, Value, json};

/// Where a field lies.
pub(super) struct FieldPath(Vec<String>);

impl FieldPath {
    /// Reads a path; nothing if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut names = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            let mut name = String::new();
            if rest.next_if_eq(&'`').is_some() {
                loop {
                    match rest.next()? {
                        '`' => break,
                        '\\' => name.push(rest.next().filter(|it| ['`', '\\'].contains(it))?),
                        other => name.push(other),
                    }
                }
            } else {
                while let Some(plain) = rest.next_if(|it| it.is_ascii_alphanumeric() || *it == '_')
                {
                    name.push(plain);
                }
                if name.starts_with(|it: char| it.is_ascii_digit()) {
                    return None;
                }
            }
            if name.is_empty() {
                return None;
            }
            names.push(name);
            match rest.next() {
                None => return Some(Self(names)),
                Some('.') => {}
                Some(_) => return None,
            }
        }
    }

    /// Whether the other is this field or lies in it.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Makes the field in `to` what it is in `from`; where it is not there, it is
    /// removed.
    pub(super) fn copy(&self, from: &Map<String, Value>, to: &mut Map<String, Value>) {
        match find(from, &self.0) {
            Some(value) => put(to, &self.0, value.clone()),
            None => remove(to, &self.0),
        }
    }
}

fn find<'a>(fields: &'a Map<String, Value>, names: &[String]) -> Option<&'a Value> {
    let (name, inner) = names.split_first()?;
    let value = fields.get(name)?;
    if inner.is_empty() {
        Some(value)
    } else {
        find(value["mapValue"]["fields"].as_object()?, inner)
    }
}

fn put(fields: &mut Map<String, Value>, names: &[String], value: Value) {
    let Some((name, inner)) = names.split_first() else { return };
    if inner.is_empty() {
        fields.insert(name.clone(), value);
        return;
    }
    let map = fields.entry(name.clone()).or_insert(Value::Null);
    // What is no map gives way to one.
    if !map["mapValue"]["fields"].is_object() {
        *map = json!({"mapValue": {"fields": {}}});
    }
    if let Some(fields) = map["mapValue"]["fields"].as_object_mut() {
        put(fields, inner, value);
    }
}

fn remove(fields: &mut Map<String, Value>, names: &[String]) {
    let Some((name, inner)) = names.split_first() else { return };
    if inner.is_empty() {
        fields.remove(name);
    } else if let Some(Value::Object(fields)) =
        fields.get_mut(name).and_then(|map| map.pointer_mut("/mapValue/fields"))
    {
        remove(fields, inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_and_quoted_names_are_read() {
        let names = |text: &str| FieldPath::parse(text).map(|path| path.0);
        assert_eq!(names("a.b_2"), Some(vec!["a".into(), "b_2".into()]));
        assert_eq!(names("`a.b`.c"), Some(vec!["a.b".into(), "c".into()]));
        assert_eq!(names("`\\`\\\\`"), Some(vec!["`\\".into()]));
        for text in ["", ".", "a.", "a..b", "2a", "a-b", "ü", "`a", "`a`b", "``", "`\\x`"] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
