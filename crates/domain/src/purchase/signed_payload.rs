//! What Apple signed, as it came.

use std::fmt;

/// A JWS in its compact form (RFC 7515 §7.1): three parts of base64url between
/// two dots. Nothing is known yet about who signed it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SignedPayload(String);

/// The text is no [`SignedPayload`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signed payload must be a JWS of three parts, up to 256 KiB")]
pub struct InvalidSignedPayload;

impl SignedPayload {
    /// Most bytes. A notification carries two payloads and their certificates
    /// within its own: about 15 KiB.
    pub const MAX: usize = 256 * 1024;

    /// Reads one; outer blanks are not forgiven.
    ///
    /// # Errors
    /// [`InvalidSignedPayload`] when it is too long or no three parts of
    /// base64url.
    pub fn parse(text: &str) -> Result<Self, InvalidSignedPayload> {
        let is_base64url = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            !part.is_empty() && part.bytes().all(allowed)
        };
        let has_three_parts = text.split('.').count() == 3;
        if text.len() <= Self::MAX && has_three_parts && text.split('.').all(is_base64url) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSignedPayload)
        }
    }

    /// The text inside.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// It is long, and says what somebody bought: logs get its length alone.
impl fmt::Debug for SignedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedPayload({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_three_parts_of_base64url() {
        assert_eq!(SignedPayload::parse("eyJ9.e30.c2ln").unwrap().as_str(), "eyJ9.e30.c2ln");
        for bad in ["", " ", "a.b", "a..c", "a.b.", "a.b.c.d", "a.b.c ", "a.b+.c", "a.b.c="] {
            assert_eq!(SignedPayload::parse(bad), Err(InvalidSignedPayload), "{bad:?}");
        }
    }

    #[test]
    fn it_is_not_endless() {
        let longest = format!("a.b.{}", "c".repeat(SignedPayload::MAX - 4));
        assert!(SignedPayload::parse(&longest).is_ok());
        assert_eq!(SignedPayload::parse(&format!("{longest}c")), Err(InvalidSignedPayload));
    }

    #[test]
    fn debug_tells_its_length_alone() {
        let payload = SignedPayload::parse("eyJ9.e30.c2ln").unwrap();
        assert_eq!(format!("{payload:?}"), "SignedPayload(13 bytes)");
    }
}
