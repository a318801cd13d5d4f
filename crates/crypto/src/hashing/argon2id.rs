//! Argon2id (RFC 9106), in the PHC string format.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use portcullis_domain::Cause;

use super::UnusableHash;

const SCHEME: &str = "argon2id";
pub(super) const PREFIX: &str = "$argon2id$";

/// Memory in KiB and passes, one lane: OWASP's password storage cheat sheet.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;
/// Beyond these a stored hash would be an attack on the server's memory.
const MAX_MEMORY: u32 = 256 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
const BOUND: &str = "m=262144 (256 MiB), t=16 and p=16";

/// A stored hash whose form and bounds have been checked.
pub(super) struct Parts {
    hash: PasswordHash,
    params: Params,
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let malformed = UnusableHash::Malformed(SCHEME);
        let hash = PasswordHash::new(text).map_err(|_| malformed)?;
        let params = Params::try_from(&hash).map_err(|_| malformed)?;
        let is_bounded = params.m_cost() <= MAX_MEMORY
            && params.t_cost() <= MAX_PASSES
            && params.p_cost() <= MAX_LANES;
        if !is_bounded {
            return Err(UnusableHash::TooCostly { scheme: SCHEME, bound: BOUND });
        }
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(malformed);
        }
        Ok(Self { hash, params })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        Argon2::default().verify_password(password, &self.hash).is_ok()
    }

    pub(super) fn is_current(&self) -> bool {
        (self.params.m_cost(), self.params.t_cost(), self.params.p_cost()) == (MEMORY, PASSES, 1)
    }
}

/// Hashes with a fresh salt.
pub(super) fn hash(password: &[u8]) -> Result<String, Cause> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|error| error.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash: PasswordHash = argon2.hash_password(password).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}
