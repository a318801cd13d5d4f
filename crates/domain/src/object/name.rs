//! Names that every store takes, and gives back as they were.

use std::fmt;

/// The name of an object: segments divided by slashes, like `avatars/ann.png`.
///
/// No store needs to change such a name: it neither begins nor ends with a
/// slash, has no empty segment and none that means another place in a URL or a
/// file system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

/// The name of a folder, by the same rules; a slash at its end is no part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FolderName(String);

/// How names begin that are looked for; empty for all of them.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct NamePrefix(String);

/// The text names nothing in a store of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidObjectName {
    /// It is empty, or blanks only.
    #[error("a name must not be blank")]
    Blank,
    /// It is longer than [`ObjectName::MAX`] bytes.
    #[error("a name must be at most {} bytes long", ObjectName::MAX)]
    TooLong,
    /// A part between slashes is longer than [`ObjectName::MAX_SEGMENT`] bytes.
    #[error("a part of a name must be at most {} bytes long", ObjectName::MAX_SEGMENT)]
    SegmentTooLong,
    /// A part between slashes is empty, `.` or `..`, or a slash is at an end.
    #[error("a name must not begin or end with '/', nor hold '//', '.' or '..' as a part")]
    Segment,
    /// It holds a control character or a backslash.
    #[error("a name must hold no control character and no backslash")]
    Character,
}

impl ObjectName {
    /// Most bytes, in UTF-8 (S3, Google Cloud Storage, Backblaze B2).
    pub const MAX: usize = 1024;
    /// Most bytes between two slashes (Backblaze B2).
    pub const MAX_SEGMENT: usize = 250;

    /// Parses a name; nothing is trimmed or mended.
    ///
    /// # Errors
    /// [`InvalidObjectName`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidObjectName> {
        check_text(text)?;
        if text.trim().is_empty() {
            return Err(InvalidObjectName::Blank);
        }
        text.split('/').try_for_each(check_segment)?;
        Ok(Self(text.to_owned()))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the last slash.
    #[must_use]
    pub fn base_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(self.0.as_str(), |(_, base)| base)
    }

    /// What stands behind the last dot of the base name; none for `.profile`.
    #[must_use]
    pub fn extension(&self) -> Option<&str> {
        let (stem, extension) = self.base_name().rsplit_once('.')?;
        (!stem.is_empty() && !extension.is_empty()).then_some(extension)
    }

    /// The folder it lies in, if it lies in one.
    #[must_use]
    pub fn folder(&self) -> Option<FolderName> {
        self.0.rsplit_once('/').map(|(folder, _)| FolderName(folder.to_owned()))
    }
}

impl FolderName {
    /// Parses a name; one slash at its end is let go.
    ///
    /// # Errors
    /// [`InvalidObjectName`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidObjectName> {
        let name = ObjectName::parse(text.strip_suffix('/').unwrap_or(text))?;
        // With its slash it is the name of a mark in the store.
        if name.0.len() == ObjectName::MAX {
            return Err(InvalidObjectName::TooLong);
        }
        Ok(Self(name.0))
    }

    /// The name, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An object of that base name in this folder.
    ///
    /// # Errors
    /// [`InvalidObjectName`] if there can be none.
    pub fn object(&self, base_name: &str) -> Result<ObjectName, InvalidObjectName> {
        ObjectName::parse(&format!("{self}/{base_name}"))
    }
}

impl NamePrefix {
    /// Parses how names begin: `avatars/` or `avatars/ann`; empty for all names.
    ///
    /// # Errors
    /// [`InvalidObjectName`] if no name can begin so.
    pub fn parse(text: &str) -> Result<Self, InvalidObjectName> {
        check_text(text)?;
        let mut segments = text.split('/');
        // A name may go on behind the last one.
        let last = segments.next_back().unwrap_or_default();
        if last.len() > ObjectName::MAX_SEGMENT {
            return Err(InvalidObjectName::SegmentTooLong);
        }
        segments.try_for_each(check_segment)?;
        Ok(Self(text.to_owned()))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether that name begins so.
    #[must_use]
    pub fn begins(&self, name: &ObjectName) -> bool {
        name.0.starts_with(&self.0)
    }
}

/// All that lies in the folder.
impl From<&FolderName> for NamePrefix {
    fn from(folder: &FolderName) -> Self {
        Self(format!("{folder}/"))
    }
}

fn check_text(text: &str) -> Result<(), InvalidObjectName> {
    if text.len() > ObjectName::MAX {
        return Err(InvalidObjectName::TooLong);
    }
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err(InvalidObjectName::Character);
    }
    Ok(())
}

fn check_segment(segment: &str) -> Result<(), InvalidObjectName> {
    match segment {
        "" | "." | ".." => Err(InvalidObjectName::Segment),
        _ if segment.len() > ObjectName::MAX_SEGMENT => Err(InvalidObjectName::SegmentTooLong),
        _ => Ok(()),
    }
}

macro_rules! shown_as_text {
    ($($name:ident)+) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(&self.0)
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Debug::fmt(&self.0, f)
                }
            }
        )+
    };
}

shown_as_text! { ObjectName FolderName NamePrefix }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_it_is() {
        let long = format!("{}/x", vec!["y".repeat(249); 4].join("/"));
        for good in ["a", "avatars/ann.png", " a ", "a b/ü/🙂", "a%2Fb?c#d", "...", "~/a", &long]
        {
            assert_eq!(ObjectName::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn what_a_store_would_change_is_no_name() {
        let long = vec!["y".repeat(249); 5].join("/");
        for (bad, why) in [
            ("", InvalidObjectName::Blank),
            (" \u{3000}", InvalidObjectName::Blank),
            ("/a", InvalidObjectName::Segment),
            ("a/", InvalidObjectName::Segment),
            ("a//b", InvalidObjectName::Segment),
            (".", InvalidObjectName::Segment),
            ("a/../b", InvalidObjectName::Segment),
            ("a/./b", InvalidObjectName::Segment),
            ("a\0b", InvalidObjectName::Character),
            ("a\nb", InvalidObjectName::Character),
            ("a\u{85}b", InvalidObjectName::Character),
            ("a\u{7f}b", InvalidObjectName::Character),
            ("a\\b", InvalidObjectName::Character),
            (&"x".repeat(251), InvalidObjectName::SegmentTooLong),
            (&long, InvalidObjectName::TooLong),
        ] {
            assert_eq!(ObjectName::parse(bad), Err(why), "{bad:?}");
        }
    }

    #[test]
    fn a_name_has_parts() {
        let parts = |text| {
            let name = ObjectName::parse(text).unwrap();
            let folder = name.folder().map(|folder| folder.to_string());
            (folder, name.base_name().to_owned(), name.extension().map(str::to_owned))
        };
        assert_eq!(
            parts("a/b/c.tar.gz"),
            (Some("a/b".into()), "c.tar.gz".into(), Some("gz".into()))
        );
        assert_eq!(parts("c"), (None, "c".into(), None));
        assert_eq!(parts(".profile"), (None, ".profile".into(), None));
        assert_eq!(parts("a.b/c."), (Some("a.b".into()), "c.".into(), None));
    }

    #[test]
    fn a_folder_is_named_with_or_without_its_slash() {
        assert_eq!(FolderName::parse("a/b/"), FolderName::parse("a/b"));
        let folder = FolderName::parse("a/b").unwrap();
        assert_eq!(folder.object("c.png").unwrap().as_str(), "a/b/c.png");
        assert_eq!(folder.object(""), Err(InvalidObjectName::Segment));
        for bad in ["", "/", "a//", "../a", "a\\b"] {
            assert!(FolderName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_prefix_may_end_anywhere() {
        for good in ["", "a", "a/", "a/b", "a/.", "a/.."] {
            assert!(NamePrefix::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["/", "a//", "../a", "a\nb"] {
            assert!(NamePrefix::parse(bad).is_err(), "{bad:?}");
        }
        let prefix = NamePrefix::from(&FolderName::parse("a").unwrap());
        assert!(prefix.begins(&ObjectName::parse("a/b").unwrap()));
        assert!(!prefix.begins(&ObjectName::parse("ab").unwrap()));
    }
}
