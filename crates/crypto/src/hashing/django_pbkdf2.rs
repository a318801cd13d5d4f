//! PBKDF2 with HMAC-SHA256 (RFC 8018) as Django writes it: verified, never made.
//!
//! `pbkdf2_sha256$<iterations>$<salt>$<hash>`, where the salt is used as it is
//! written and the hash is 32 bytes of padded Base64.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;

use super::UnusableHash;
use super::base64_text::decode;

const SCHEME: &str = "pbkdf2_sha256";
pub(super) const PREFIX: &str = "pbkdf2_sha256$";

/// Django 5.2 takes a million, and a fifth more each version.
const MAX_ITERATIONS: u32 = 10_000_000;
const BOUND: &str = "10,000,000 iterations";

const HASH_BYTES: usize = 32;
const MAX_SALT: usize = 128;

/// A stored hash whose form and bounds have been checked.
pub(super) struct Parts {
    iterations: NonZeroU32,
    salt: String,
    hash: Vec<u8>,
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let parts = Self::take_apart(text).ok_or(UnusableHash::Malformed(SCHEME))?;
        if parts.iterations.get() > MAX_ITERATIONS {
            return Err(UnusableHash::TooCostly { scheme: SCHEME, bound: BOUND });
        }
        Ok(parts)
    }

    fn take_apart(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix(PREFIX)?.split('$');
        let iterations = fields.next()?.parse().ok()?;
        let salt = fields.next().filter(|salt| is_salt(salt))?.to_owned();
        let hash = decode(fields.next()?, HASH_BYTES..=HASH_BYTES)?;
        fields.next().is_none().then_some(Self { iterations, salt, hash })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let (algorithm, salt) = (pbkdf2::PBKDF2_HMAC_SHA256, self.salt.as_bytes());
        pbkdf2::verify(algorithm, self.iterations, salt, password, &self.hash).is_ok()
    }
}

fn is_salt(text: &str) -> bool {
    (1..=MAX_SALT).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Django 5.2's `PBKDF2PasswordHasher`; Python's `hashlib.pbkdf2_hmac`.
    #[test]
    fn hashes_of_independent_makers_verify() {
        for (password, text) in [
            (
                "lètmein",
                "pbkdf2_sha256$1000000$seasalt2$egbhFghgsJVDo5Tpg/k9ZnfbySKQ1UQnBYXhR97a7sk=",
            ),
            ("lètmein", "pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY="),
            (
                "correct horse battery staple",
                "pbkdf2_sha256$1000$vhp5ZLkYTX0zIqy2aWnvFB$pM7287lwWrP3R2TY9inY2yn+7Q/k6XatBLx483oOokY=",
            ),
        ] {
            let parts = Parts::parse(text).unwrap();
            assert!(parts.matches(password.as_bytes()), "{text}");
            assert!(!parts.matches(b"wrong"), "{text}");
        }
    }

    #[test]
    fn a_hash_may_ask_for_so_many_iterations_and_no_more() {
        let hash = format!("{}=", "A".repeat(43));
        let parsed = |start: &str| Parts::parse(&format!("{start}${hash}")).map(drop);
        assert_eq!(parsed("pbkdf2_sha256$10000000$salt"), Ok(()));
        let too_costly = UnusableHash::TooCostly { scheme: SCHEME, bound: BOUND };
        assert_eq!(parsed("pbkdf2_sha256$10000001$salt"), Err(too_costly));
        for odd in ["0$salt", "-1$salt", "4294967296$salt", "1000$", "1000$a b", "1000$a\0b"] {
            let refused = parsed(&format!("pbkdf2_sha256${odd}"));
            assert_eq!(refused, Err(UnusableHash::Malformed(SCHEME)), "{odd}");
        }
    }
}
