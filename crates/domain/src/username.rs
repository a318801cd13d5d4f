//! Contract B's usernames.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A username: 3–50 of `A–Z a–z 0–9 _ . -`, equal without regard to case.
///
/// It keeps the spelling its owner chose; comparisons and stores use
/// [`Username::canonical`].
#[derive(Clone)]
pub struct Username(String);

/// The text is not a username that Portcullis accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("username must be 3 to 50 characters of A-Z, a-z, 0-9, '_', '.' and '-'")]
pub struct InvalidUsername;

impl Username {
    /// Fewest characters (contract §1.2).
    pub const MIN: usize = 3;
    /// Most characters (contract §1.2).
    pub const MAX: usize = 50;

    /// Parses a username; outer blanks are not forgiven.
    ///
    /// # Errors
    /// [`InvalidUsername`] when the length or a character is outside the bounds.
    pub fn parse(text: &str) -> Result<Self, InvalidUsername> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if (Self::MIN..=Self::MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidUsername)
        }
    }

    /// The spelling its owner chose.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The spelling that comparisons and unique indexes use: ASCII lower case.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Username {}

impl Hash for Username {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Usernames are personal data: the debug form, which ends up in logs, tells none.
impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_does_not_make_another_username() {
        let (upper, lower) = (Username::parse("JohnDoe"), Username::parse("johndoe"));
        assert_eq!(upper, lower);
        assert_eq!(upper.unwrap().as_str(), "JohnDoe");
    }

    #[test]
    fn length_and_alphabet_are_bounded() {
        for good in ["abc", "a.b-c_1", &"x".repeat(50)] {
            assert!(Username::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", " abc", "abc ", "a b", "a@b.c", "äbc", "ab\0c", &"x".repeat(51)] {
            assert_eq!(Username::parse(bad), Err(InvalidUsername), "{bad:?}");
        }
    }
}
