//! Passwords as typed, and hashes as stored.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// A password as somebody typed it, in Unicode normal form C.
///
/// Not trimmed, not shortened; it does not print and is wiped when dropped.
/// Whether it is a *good* one is the question of
/// [`PasswordPolicy`](crate::PasswordPolicy).
#[derive(Clone)]
pub struct Password(SecretString);

/// The text can't be a password at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// More than [`Password::MAX_BYTES`].
    #[error("ensure this value has at most {} bytes", Password::MAX_BYTES)]
    TooLong,
}

impl Password {
    /// Most bytes, before and after normalisation (contract §3).
    pub const MAX_BYTES: usize = 1024;

    /// Takes a password as typed and normalises it, so that the same keys on
    /// two keyboards give the same password (RFC 8265 §4.2).
    ///
    /// # Errors
    /// [`InvalidPassword::TooLong`] past [`Password::MAX_BYTES`].
    pub fn parse(text: &str) -> Result<Self, InvalidPassword> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        let normalised: SecretString = text.nfc().collect::<String>().into();
        if normalised.expose_secret().len() > Self::MAX_BYTES {
            return Err(InvalidPassword::TooLong);
        }
        Ok(Self(normalised))
    }

    /// The text, for hashing and for the policy.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A salted password hash in its scheme's text form (`$bcrypt-sha256$…`,
/// `$argon2id$…`, `$2b$…`, or another maker's). It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// What is stored for an account that has no password: it matches nothing,
    /// and only a password reset gives its owner one.
    const NONE: &str = "!";

    /// The hash of an account that has no password.
    #[must_use]
    pub fn none() -> Self {
        Self(Self::NONE.to_owned())
    }

    /// Whether the account has no password.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0 == Self::NONE
    }

    /// Wraps a hash made by a hasher or read from a store.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text form, for verifying and for storing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pw_07_it_is_kept_as_typed_but_for_normalisation() {
        assert_eq!(Password::parse("  a b\0 ").unwrap().expose(), "  a b\0 ");
        assert_eq!(
            Password::parse("e\u{301}").unwrap().expose(),
            Password::parse("é").unwrap().expose()
        );
    }

    #[test]
    fn its_bytes_are_bounded_after_normalisation_too() {
        assert!(Password::parse(&"a".repeat(1024)).is_ok());
        assert!(Password::parse(&"a".repeat(1025)).is_err());
        // U+FB2C grows from three bytes to six in NFC.
        assert!(Password::parse(&"\u{FB2C}".repeat(300)).is_err());
    }

    #[test]
    fn it_does_not_print() {
        let password = Password::parse("hunter2hunter2").unwrap();
        assert!(!format!("{password:?}").contains("hunter2"));
    }
}
