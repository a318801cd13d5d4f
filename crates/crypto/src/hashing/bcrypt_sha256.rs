//! bcrypt over HMAC-SHA256: the published bcrypt-sha256 scheme, version 2.
//!
//! `$bcrypt-sha256$v=2,t=2b,r=<cost>$<salt>$<checksum>`, where the checksum is
//! bcrypt's of `base64(HMAC-SHA256(key = salt as text, password))`. bcrypt reads
//! 72 bytes at most; it is given 44, whatever the password's length.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bcrypt::BASE_64;
use zeroize::Zeroizing;

use super::UnusableHash;
use super::task::Task;
use crate::system::random_bytes;

const SCHEME: &str = "bcrypt-sha256";
pub(super) const PREFIX: &str = "$bcrypt-sha256$";

/// Costs outside of this would be no protection, or block a thread for minutes.
const COSTS: std::ops::RangeInclusive<u32> = 4..=17;
const BOUND: &str = "cost 17";

const SALT_CHARS: usize = 22;
const CHECKSUM_CHARS: usize = 31;
/// What is kept of bcrypt's output.
pub(super) const CHECKSUM_BYTES: usize = 23;

/// Whether bcrypt may be asked for that cost.
pub(super) fn check_cost(scheme: &'static str, cost: u32) -> Result<(), UnusableHash> {
    if COSTS.contains(&cost) {
        Ok(())
    } else if cost > *COSTS.end() {
        Err(UnusableHash::TooCostly { scheme, bound: BOUND })
    } else {
        Err(UnusableHash::Malformed(scheme))
    }
}

/// A stored hash, taken apart.
pub(super) struct Parts {
    cost: u32,
    salt_text: String,
    salt: [u8; 16],
    checksum: String,
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let parts = Self::take_apart(text).ok_or(UnusableHash::Malformed(SCHEME))?;
        check_cost(SCHEME, parts.cost)?;
        Ok(parts)
    }

    fn take_apart(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("$bcrypt-sha256$v=2,t=2b,r=")?;
        let mut fields = rest.split('$');
        let cost = fields.next()?.parse().ok()?;
        let salt_text = fields.next().filter(|salt| salt.len() == SALT_CHARS)?.to_owned();
        let checksum = fields.next().filter(|sum| sum.len() == CHECKSUM_CHARS)?.to_owned();
        let salt = BASE_64.decode(&salt_text).ok()?.try_into().ok()?;
        fields.next().is_none().then_some(Self { cost, salt_text, salt, checksum })
    }

    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    /// Whether it is that password's.
    pub(super) fn check(self, password: &[u8]) -> Task<bool> {
        let task = checksum(password, self.cost, self.salt, &self.salt_text);
        task.map(move |computed| {
            verify_slices_are_equal(computed.as_bytes(), self.checksum.as_bytes()).is_ok()
        })
    }
}

/// Hashes with a fresh salt.
pub(super) fn hash(password: &[u8], cost: u32) -> Task<String> {
    let salt = random_bytes();
    let salt_text = BASE_64.encode(salt);
    let task = checksum(password, cost, salt, &salt_text);
    task.map(move |checksum| format!("$bcrypt-sha256$v=2,t=2b,r={cost}${salt_text}${checksum}"))
}

fn checksum(password: &[u8], cost: u32, salt: [u8; 16], salt_text: &str) -> Task<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, salt_text.as_bytes());
    let input = Zeroizing::new(STANDARD.encode(hmac::sign(&key, password)));
    Task::rounds(input.as_bytes(), salt, cost, |output| BASE_64.encode(&output[..CHECKSUM_BYTES]))
}
