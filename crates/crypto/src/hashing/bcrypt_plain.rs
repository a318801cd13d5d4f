//! Plain bcrypt, as other systems write it: verified, never made.

use base64::Engine;
use bcrypt::BASE_64;

use super::UnusableHash;
use super::bcrypt_sha256::check_cost;

const SCHEME: &str = "bcrypt";
pub(super) const PREFIXES: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

/// A stored hash whose form has been checked.
pub(super) struct Parts(String);

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let cost = cost(text).ok_or(UnusableHash::Malformed(SCHEME))?;
        check_cost(SCHEME, cost)?;
        Ok(Self(text.to_owned()))
    }

    /// bcrypt reads 72 bytes and stops at a NUL; that is how these were made.
    pub(super) fn matches(&self, password: &[u8]) -> bool {
        bcrypt::verify(password, &self.0).unwrap_or(false)
    }
}

/// The cost of a text that is whole: `$2b$<cost>$<22 of salt><31 of checksum>`.
fn cost(text: &str) -> Option<u32> {
    let (cost, rest) = text.get(4..)?.split_once('$')?;
    let (salt, checksum) = rest.split_at_checked(22)?;
    let is_whole = cost.len() == 2
        && BASE_64.decode(salt).is_ok_and(|bytes| bytes.len() == 16)
        && BASE_64.decode(checksum).is_ok_and(|bytes| bytes.len() == 23);
    cost.parse().ok().filter(|_| is_whole)
}
