//! Plain bcrypt, as other systems write it: verified, never made.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use bcrypt::BASE_64;

use super::UnusableHash;
use super::bcrypt_sha256::{CHECKSUM_BYTES, check_cost};
use super::task::Task;

const SCHEME: &str = "bcrypt";
pub(super) const PREFIXES: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

/// A stored hash, taken apart.
pub(super) struct Parts {
    cost: u32,
    salt: [u8; 16],
    checksum: [u8; CHECKSUM_BYTES],
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let parts = Self::take_apart(text).ok_or(UnusableHash::Malformed(SCHEME))?;
        check_cost(SCHEME, parts.cost)?;
        Ok(parts)
    }

    /// `$2b$<cost>$<22 of salt><31 of checksum>`
    fn take_apart(text: &str) -> Option<Self> {
        let (cost, rest) = text.get(4..)?.split_once('$')?;
        let (salt, checksum) = rest.split_at_checked(22)?;
        Some(Self {
            cost: cost.parse().ok().filter(|_| cost.len() == 2)?,
            salt: BASE_64.decode(salt).ok()?.try_into().ok()?,
            checksum: BASE_64.decode(checksum).ok()?.try_into().ok()?,
        })
    }

    /// Whether it is that password's. bcrypt reads 72 bytes; that is how these
    /// were made.
    pub(super) fn check(self, password: &[u8]) -> Task<bool> {
        Task::rounds(password, self.salt, self.cost, move |output| {
            verify_slices_are_equal(&output[..CHECKSUM_BYTES], &self.checksum).is_ok()
        })
    }
}
