//! What is written beside an object's content.

use std::collections::BTreeMap;

use super::ContentType;

/// What an object is, and what its owner notes beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectAttributes {
    /// What it is.
    pub content_type: ContentType,
    /// Notes of its owner.
    pub metadata: Metadata,
}

/// A content type, and no notes.
impl From<ContentType> for ObjectAttributes {
    fn from(content_type: ContentType) -> Self {
        Self { content_type, metadata: Metadata::default() }
    }
}

/// Notes beside an object that every store keeps exactly, as names and values.
///
/// They travel as HTTP headers: names are lower case, values are visible ASCII.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

/// A note that some store would lose or change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// A name is not of 1 to [`Metadata::MAX_NAME`] characters of `a-z 0-9 -`.
    #[error("{0:?} is not a name of 1 to {max} characters of a-z, 0-9 and '-'", max = Metadata::MAX_NAME)]
    Name(String),
    /// The value of that name is empty, is no visible ASCII, or has blanks at an end.
    #[error("the value of {0:?} must be visible ASCII without blanks at its ends")]
    Value(String),
    /// There are more than [`Metadata::MAX_ENTRIES`], or they are longer than
    /// [`Metadata::MAX`] bytes together.
    #[error(
        "there must be at most {} notes of {} bytes together",
        Metadata::MAX_ENTRIES,
        Metadata::MAX
    )]
    TooMuch,
}

impl Metadata {
    /// Most notes (Backblaze B2).
    pub const MAX_ENTRIES: usize = 10;
    /// Most characters of a name (Backblaze B2).
    pub const MAX_NAME: usize = 50;
    /// Most bytes of all names and values (S3: 2 KB).
    pub const MAX: usize = 2_048;

    /// Checks notes.
    ///
    /// # Errors
    /// [`InvalidMetadata`], the first rule that they break.
    pub fn new(notes: BTreeMap<String, String>) -> Result<Self, InvalidMetadata> {
        for (name, value) in &notes {
            let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if !(1..=Self::MAX_NAME).contains(&name.len()) || !name.bytes().all(is_allowed) {
                return Err(InvalidMetadata::Name(name.clone()));
            }
            let is_visible = value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
            if value.is_empty() || !is_visible || value.trim() != value {
                return Err(InvalidMetadata::Value(name.clone()));
            }
        }
        let length: usize = notes.iter().map(|(name, value)| name.len() + value.len()).sum();
        if notes.len() > Self::MAX_ENTRIES || length > Self::MAX {
            return Err(InvalidMetadata::TooMuch);
        }
        Ok(Self(notes))
    }

    /// The notes, by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The notes themselves.
    #[must_use]
    pub fn into_inner(self) -> BTreeMap<String, String> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(name: &str, value: &str) -> Result<Metadata, InvalidMetadata> {
        Metadata::new([(name.to_owned(), value.to_owned())].into())
    }

    #[test]
    fn what_headers_keep_is_kept() {
        let notes = metadata("scanned-by", "clamav 1.4; result=\"clean\"").unwrap();
        assert_eq!(notes.iter().next(), Some(("scanned-by", "clamav 1.4; result=\"clean\"")));
    }

    #[test]
    fn what_headers_change_is_refused() {
        for name in ["", "Scanned", "a b", "a_b", "ü", &"x".repeat(51)] {
            let refused = metadata(name, "true");
            assert_eq!(refused, Err(InvalidMetadata::Name(name.into())), "{name:?}");
        }
        for value in ["", " a", "a ", "a\r\nb: c", "ü", "\t"] {
            assert_eq!(metadata("a", value), Err(InvalidMetadata::Value("a".into())), "{value:?}");
        }
        assert_eq!(metadata("a", &"x".repeat(2_048)), Err(InvalidMetadata::TooMuch));
        let eleven = (0..11).map(|number| (format!("n{number}"), "x".to_owned())).collect();
        assert_eq!(Metadata::new(eleven), Err(InvalidMetadata::TooMuch));
    }
}
