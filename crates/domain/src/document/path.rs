//! Where a document lies, and where a field lies in it.

use std::fmt;

/// Longest name of a collection, a document or a field, in bytes (Firestore).
const MAX_NAME_BYTES: usize = 1_500;
/// Most collections within each other (Firestore).
const MAX_DEPTH: usize = 100;

/// The text does not name a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// A name in it is empty.
    #[error("a name is empty")]
    Empty,
    /// A name in it is longer than 1500 bytes.
    #[error("a name has more than 1500 bytes")]
    TooLong,
    /// A name in it means something else to the store: `.`, `..`, `__…__`, or
    /// one with a slash.
    #[error("a name is `.`, `..`, `__…__`, or holds a slash")]
    Reserved,
    /// It ends with a document, or is nested too deeply.
    #[error("a collection's path has an odd number of names, at most 199")]
    NotACollection,
}

fn name(text: &str) -> Result<(), InvalidPath> {
    if text.is_empty() {
        return Err(InvalidPath::Empty);
    }
    if text.len() > MAX_NAME_BYTES {
        return Err(InvalidPath::TooLong);
    }
    let is_dunder = text.len() >= 4 && text.starts_with("__") && text.ends_with("__");
    if text == "." || text == ".." || text.contains('/') || is_dunder {
        return Err(InvalidPath::Reserved);
    }
    Ok(())
}

/// A collection: `users`, or one within a document: `users/ann/devices`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CollectionPath(String);

impl CollectionPath {
    /// Takes names joined by slashes, collections and documents in turn.
    ///
    /// # Errors
    /// [`InvalidPath`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        text.split('/').try_for_each(name)?;
        let depth = text.split('/').count();
        if depth.is_multiple_of(2) || depth >= 2 * MAX_DEPTH {
            return Err(InvalidPath::NotACollection);
        }
        Ok(Self(text.to_owned()))
    }

    /// The names, outermost first; their number is odd.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl fmt::Display for CollectionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document's name in its collection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId(String);

impl DocumentId {
    /// Takes a name.
    ///
    /// # Errors
    /// [`InvalidPath`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        name(text).map(|()| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a field lies: its name, after the names of the maps that it lies in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// Takes names joined by dots: `address.city`.
    ///
    /// # Errors
    /// [`InvalidPath`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        Self::of(text.split('.'))
    }

    /// Takes the names one by one, so that a name may hold a dot.
    ///
    /// # Errors
    /// [`InvalidPath`] says what is wrong with them.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPath> {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(InvalidPath::Empty);
        }
        for name in &names {
            field_name(name)?;
        }
        Ok(Self(names))
    }

    /// The names, outermost first; there is one at least.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether `other` is this field or lies within it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

/// A field's name: not empty, not too long, not one that the store keeps for
/// itself. Slashes and single dots are allowed.
fn field_name(text: &str) -> Result<(), InvalidPath> {
    match name(&text.replace(['/', '.'], "_")) {
        // Dots and slashes in a field's name are only text, and no part of `__…__`.
        Err(InvalidPath::Reserved) if !(text.starts_with("__") && text.ends_with("__")) => Ok(()),
        judged => judged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_lies_at_an_odd_depth() {
        let names = |text: &str| {
            CollectionPath::parse(text).map(|path| path.names().map(str::to_owned).collect())
        };
        assert_eq!(names("users"), Ok(vec!["users".to_owned()]));
        assert_eq!(names("users/ann/devices").map(|names: Vec<_>| names.len()), Ok(3));
        assert_eq!(names("users/ann"), Err(InvalidPath::NotACollection));
        assert_eq!(names(&vec!["a"; 201].join("/")), Err(InvalidPath::NotACollection));
        for text in ["", "/", "/users", "users/", "users//devices"] {
            assert_eq!(names(text), Err(InvalidPath::Empty), "{text}");
        }
    }

    #[test]
    fn no_name_leads_elsewhere() {
        for text in [".", "..", "a/b", "__x__", "____", "__name__"] {
            assert_eq!(DocumentId::parse(text), Err(InvalidPath::Reserved), "{text}");
        }
        assert!(CollectionPath::parse("users/../secrets").is_err());
        assert_eq!(DocumentId::parse(&"x".repeat(1_501)), Err(InvalidPath::TooLong));
        for text in ["ann", "a.b", "...", "__x", "ü 你", "%2F", "?a=b#c"] {
            assert!(DocumentId::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn dots_lead_into_maps() {
        let path = FieldPath::parse("address.city").unwrap();
        assert_eq!(path.names(), ["address", "city"]);
        assert_eq!(FieldPath::of(["address.city"]).unwrap().names(), ["address.city"]);
        for text in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(FieldPath::parse(text), Err(InvalidPath::Empty), "{text}");
        }
        assert_eq!(FieldPath::of([]), Err(InvalidPath::Empty));
        assert_eq!(FieldPath::parse("__name__"), Err(InvalidPath::Reserved));
        assert!(FieldPath::of(["..", "/", "`", "a b"]).is_ok());
    }

    #[test]
    fn a_map_holds_its_fields() {
        let path = |text| FieldPath::parse(text).unwrap();
        assert!(path("a").holds(&path("a.b")));
        assert!(path("a").holds(&path("a")));
        assert!(!path("a.b").holds(&path("a")));
        assert!(!path("a").holds(&path("ab")));
    }
}
