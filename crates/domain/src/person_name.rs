//! People's names, whole and in contract B's two parts.

use std::fmt;

use crate::Email;

/// A whole name: 1–255 code points after trimming, without control characters
/// and without characters that change the direction of text around them.
#[derive(Clone, PartialEq, Eq)]
pub struct FullName(String);

/// One of contract B's two parts of a name: 1–50 code points after trimming.
#[derive(Clone, PartialEq, Eq)]
pub struct NamePart(String);

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing is left after trimming.
    #[error("ensure this value has at least 1 characters")]
    Empty,
    /// More code points than the given bound.
    #[error("ensure this value has at most {0} characters")]
    TooLong(usize),
    /// A control character or a bidirectional override.
    #[error("control characters are not allowed")]
    Control,
}

impl FullName {
    /// Most code points (contract §1.1).
    pub const MAX: usize = 255;

    /// Parses and trims a name.
    ///
    /// # Errors
    /// [`InvalidName`] when it is empty, too long or holds control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        bounded(text, Self::MAX).map(Self)
    }

    /// What stands before the `@`: a name for somebody who gave none.
    #[must_use]
    pub fn of_address(email: &Email) -> Self {
        Self(email.local_part().to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NamePart {
    /// Most code points (contract §1.2).
    pub const MAX: usize = 50;

    /// Parses and trims a part of a name.
    ///
    /// # Errors
    /// [`InvalidName`] when it is empty, too long or holds control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        bounded(text, Self::MAX).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn bounded(text: &str, max: usize) -> Result<String, InvalidName> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.chars().count() > max {
        return Err(InvalidName::TooLong(max));
    }
    if text.chars().any(|c| c.is_control() || is_bidi_control(c) || is_line_separator(c)) {
        return Err(InvalidName::Control);
    }
    Ok(text.to_owned())
}

/// Unicode's `Bidi_Control` characters that embed, override or isolate.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// A person's name as both contracts show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonName {
    full: FullName,
    parts: Option<(NamePart, NamePart)>,
}

impl PersonName {
    /// A name given whole: contract A.
    #[must_use]
    pub fn whole(full: FullName) -> Self {
        Self { full, parts: None }
    }

    /// A name given in two parts: contract B. The whole is `First Last`.
    #[must_use]
    pub fn in_parts(first: NamePart, last: NamePart) -> Self {
        let full = FullName(format!("{} {}", first.0, last.0));
        Self { full, parts: Some((first, last)) }
    }

    /// Puts a stored name together again.
    #[must_use]
    pub fn restore(full: FullName, parts: Option<(NamePart, NamePart)>) -> Self {
        Self { full, parts }
    }

    /// The whole name.
    #[must_use]
    pub fn full(&self) -> &FullName {
        &self.full
    }

    /// The two parts, if they were given as such.
    #[must_use]
    pub fn parts(&self) -> Option<(&NamePart, &NamePart)> {
        self.parts.as_ref().map(|(first, last)| (first, last))
    }

    /// The first name; of a name given whole, everything up to the first blank.
    #[must_use]
    pub fn first(&self) -> &str {
        match &self.parts {
            Some((first, _)) => first.as_str(),
            None => self.split().0,
        }
    }

    /// The last name; of a name given whole, the rest, which may be empty.
    #[must_use]
    pub fn last(&self) -> &str {
        match &self.parts {
            Some((_, last)) => last.as_str(),
            None => self.split().1,
        }
    }

    fn split(&self) -> (&str, &str) {
        let full = self.full.as_str();
        full.split_once(char::is_whitespace)
            .map_or((full, ""), |(first, last)| (first, last.trim_start()))
    }
}

impl fmt::Debug for FullName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FullName(…)")
    }
}

impl fmt::Debug for NamePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NamePart(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_counted_in_code_points() {
        assert_eq!(FullName::parse("  Ann  ").unwrap().as_str(), "Ann");
        assert!(FullName::parse(&"é".repeat(255)).is_ok());
        assert_eq!(FullName::parse(&"é".repeat(256)), Err(InvalidName::TooLong(255)));
        assert_eq!(FullName::parse(" \t "), Err(InvalidName::Empty));
        assert_eq!(NamePart::parse(&"x".repeat(51)), Err(InvalidName::TooLong(50)));
    }

    #[test]
    fn characters_that_could_forge_a_header_or_turn_text_around_are_refused() {
        for text in [
            "Eve\r\nBcc: e@example.com",
            "a\0b",
            "a\u{1b}[31m",
            "a\u{202E}b",
            "a\u{2028}b",
            "a\u{85}b",
        ] {
            assert_eq!(FullName::parse(text), Err(InvalidName::Control), "{text:?}");
        }
    }

    #[test]
    fn markup_is_only_text() {
        assert_eq!(FullName::parse("<script>").unwrap().as_str(), "<script>");
    }

    #[test]
    fn a_whole_name_splits_at_its_first_blank() {
        let name = PersonName::whole(FullName::parse("Ann Mary Lee").unwrap());
        assert_eq!((name.first(), name.last()), ("Ann", "Mary Lee"));
        let name = PersonName::whole(FullName::parse("Ann").unwrap());
        assert_eq!((name.first(), name.last()), ("Ann", ""));
    }

    #[test]
    fn parts_make_the_whole() {
        let name = PersonName::in_parts(
            NamePart::parse("Ann Mary").unwrap(),
            NamePart::parse("Lee").unwrap(),
        );
        assert_eq!(name.full().as_str(), "Ann Mary Lee");
        assert_eq!((name.first(), name.last()), ("Ann Mary", "Lee"));
    }
}
