//! What an object is, for those who fetch it.

use std::fmt;

/// A media type like `image/png` or `text/plain; charset=utf-8` (RFC 9110
/// §8.3.1).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ContentType(String);

/// The text is no media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be a media type like image/png, of at most {} visible ASCII characters",
    ContentType::MAX
)]
pub struct InvalidContentType;

impl ContentType {
    /// Most characters: a type and a subtype of 127 each (RFC 6838 §4.2) and
    /// the slash; parameters share that room.
    pub const MAX: usize = 255;

    /// Parses a media type; parameters are kept as they are.
    ///
    /// # Errors
    /// [`InvalidContentType`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidContentType> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let has_two_parts = essence
            .trim_end_matches(' ')
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
        let is_visible = parameters.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let is_trimmed = text.trim() == text;
        if text.len() <= Self::MAX && has_two_parts && is_visible && is_trimmed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidContentType)
        }
    }

    /// Bytes of which nothing is known: `application/octet-stream`.
    #[must_use]
    pub fn unknown() -> Self {
        Self("application/octet-stream".to_owned())
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_mark = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_kept_as_it_is() {
        for good in ["image/png", "image/svg+xml", "text/plain; charset=utf-8", "a/b;c=\"d e\""] {
            assert_eq!(ContentType::parse(good).unwrap().as_str(), good);
        }
        assert_eq!(ContentType::parse("application/octet-stream"), Ok(ContentType::unknown()));
    }

    #[test]
    fn it_adds_no_header_and_no_second_type() {
        let long = format!("a/{}", "b".repeat(254));
        for bad in
            ["", "png", "/png", "image/", "a/b/c", "a/b, c/d", "a/b\r\nc: d", "a/ü", " a/b", &long]
        {
            assert_eq!(ContentType::parse(bad), Err(InvalidContentType), "{bad:?}");
        }
    }
}
