//! Plain bcrypt, as other systems write it: verified, never made.

use super::bcrypt_sha256::COSTS;

/// A stored hash whose form has been checked.
pub(super) struct Parts(String);

impl Parts {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_variant = ["$2a$", "$2b$", "$2y$"].iter().any(|start| text.starts_with(start));
        let cost = text.get(4..6)?.parse().ok()?;
        let is_whole = text.len() == 60 && text.is_ascii() && text.as_bytes()[6] == b'$';
        (is_variant && is_whole && COSTS.contains(&cost)).then(|| Self(text.to_owned()))
    }

    /// bcrypt reads 72 bytes and stops at a NUL; that is how these were made.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, &self.0).unwrap_or(false)
    }
}
