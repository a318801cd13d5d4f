//! Argon2id (RFC 9106), in the PHC string format.
//!
//! Each thread keeps the memory of its hashes. Asked for anew every time, 19 MiB
//! end up scattered over the arenas of glibc's allocator: 300 MiB after a thousand logins.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use portcullis_domain::Cause;
use zeroize::Zeroize;

use super::UnusableHash;
use crate::system::random_bytes;

thread_local! {
    static BLOCKS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

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
        let (Some(salt), Some(expected)) = (&self.hash.salt, &self.hash.hash) else {
            return false;
        };
        let version = self.hash.version.map_or(Ok(Version::default()), Version::try_from);
        let Ok(version) = version else { return false };
        let argon2 = Argon2::new(Algorithm::Argon2id, version, self.params.clone());
        // Outputs are compared in constant time.
        digest(&argon2, password, salt, expected.len()).is_ok_and(|digest| digest == *expected)
    }

    pub(super) fn is_current(&self) -> bool {
        (self.params.m_cost(), self.params.t_cost(), self.params.p_cost()) == (MEMORY, PASSES, 1)
    }
}

/// Hashes with a fresh salt.
pub(super) fn hash(password: &[u8]) -> Result<String, Cause> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|error| error.to_string())?;
    let hash = salted(password, params).map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

fn salted(password: &[u8], params: Params) -> Result<PasswordHash, argon2::password_hash::Error> {
    let salt = Salt::new(&random_bytes::<16>())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let digest = digest(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(digest),
    })
}

/// Computes in the thread's own memory, which is wiped afterwards.
fn digest(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &Salt,
    length: usize,
) -> Result<Output, argon2::password_hash::Error> {
    BLOCKS.with_borrow_mut(|blocks| {
        blocks.resize(argon2.params().block_count(), Block::new());
        let mut digest = [0; Output::MAX_LENGTH];
        let out = digest.get_mut(..length).ok_or(argon2::Error::OutputTooLong)?;
        let computed = argon2.hash_password_into_with_memory(password, salt, out, &mut *blocks);
        blocks.iter_mut().for_each(Zeroize::zeroize);
        // A stored hash may ask for more than new ones do; that is given back.
        blocks.truncate(MEMORY as usize);
        blocks.shrink_to(MEMORY as usize);
        computed?;
        Ok(Output::new(out)?)
    })
}
