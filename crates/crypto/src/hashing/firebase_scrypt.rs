//! Firebase Authentication's variant of scrypt: verified, never made.
//!
//! `$firebase-scrypt$mem=<memory cost>,rounds=<rounds>,sep=<salt separator>,key=<signer key>$<salt>$<hash>`:
//! a form of our own that holds, beside the salt and the hash of one user, the
//! four password hash parameters of the Firebase project. All but the two
//! numbers are Base64, as Firebase exports them.
//!
//! scrypt over the password, with the salt followed by the separator and
//! N = 2^memory cost, r = rounds, p = 1, gives an AES-256 key. The hash is the
//! signer key under that key in counter mode, counting from zero.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use scrypt::Params;

use super::UnusableHash;
use super::base64_text::decode;
use super::scrypt::{Costs, bounded};

const SCHEME: &str = "firebase-scrypt";
pub(super) const PREFIX: &str = "$firebase-scrypt$";

/// Lengths in bytes.
const SALT: std::ops::RangeInclusive<usize> = 1..=128;
const SEPARATOR: std::ops::RangeInclusive<usize> = 0..=16;
const KEY: std::ops::RangeInclusive<usize> = 32..=128;

/// What scrypt derives; the first half of it is the AES key.
const DERIVED: usize = 64;
const AES_KEY: usize = 32;

/// A stored hash whose form and bounds have been checked.
pub(super) struct Parts {
    params: Params,
    /// The user's salt and the project's separator.
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    hash: Vec<u8>,
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let (costs, salt, signer_key, hash) =
            take_apart(text).ok_or(UnusableHash::Malformed(SCHEME))?;
        Ok(Self { params: bounded(SCHEME, costs)?, salt, signer_key, hash })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut derived = [0; DERIVED];
        let is_derived = scrypt::scrypt(password, &self.salt, &self.params, &mut derived).is_ok();
        let sealed = seal(&self.signer_key, &derived[..AES_KEY]);
        is_derived
            && sealed.is_some_and(|sealed| verify_slices_are_equal(&sealed, &self.hash).is_ok())
    }
}

/// AES-256 in counter mode from zero.
fn seal(plain: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let mut text = plain.to_vec();
    let from_zero = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    key.less_safe_encrypt(&mut text, from_zero).ok()?;
    Some(text)
}

type Fields = (Costs, Vec<u8>, Vec<u8>, Vec<u8>);

fn take_apart(text: &str) -> Option<Fields> {
    let mut fields = text.strip_prefix(PREFIX)?.split('$');
    let (project, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let mut project = project.split(',');
    let mut of_project = |name: &str| project.next()?.strip_prefix(name)?.strip_prefix('=');
    let log_n = of_project("mem")?.parse().ok()?;
    let r = of_project("rounds")?.parse().ok()?;
    let separator = decode(of_project("sep")?, SEPARATOR)?;
    let signer_key = decode(of_project("key")?, KEY)?;
    let mut salt = decode(salt, SALT)?;
    salt.extend(separator);
    let hash = decode(hash, signer_key.len()..=signer_key.len())?;
    let is_whole = project.next().is_none() && fields.next().is_none();
    is_whole.then_some((Costs { log_n, r, p: 1 }, salt, signer_key, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
    const HASH: &str =
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

    fn with(project: &str) -> String {
        format!("$firebase-scrypt${project}$42xEC+ixf3L2lw==${HASH}")
    }

    /// The README of Firebase's own scrypt.
    #[test]
    fn firebases_own_vector_verifies() {
        let parts = Parts::parse(&with(&format!("mem=14,rounds=8,sep=Bw==,key={KEY}"))).unwrap();
        assert!(parts.matches(b"user1password"));
        assert!(!parts.matches(b"user2password"));
    }

    #[test]
    fn every_parameter_of_the_project_counts() {
        let other_key = KEY.replacen('j', "k", 1);
        for project in [
            format!("mem=13,rounds=8,sep=Bw==,key={KEY}"),
            format!("mem=14,rounds=7,sep=Bw==,key={KEY}"),
            format!("mem=14,rounds=8,sep=,key={KEY}"),
            format!("mem=14,rounds=8,sep=Bw==,key={other_key}"),
        ] {
            let parts = Parts::parse(&with(&project)).unwrap();
            assert!(!parts.matches(b"user1password"), "{project}");
        }
    }

    #[test]
    fn what_is_not_whole_or_asks_for_too_much_is_refused() {
        for project in [
            String::new(),
            "mem=14,rounds=8,sep=Bw==".to_owned(),
            format!("rounds=8,mem=14,sep=Bw==,key={KEY}"),
            format!("mem=14,rounds=8,sep=Bw==,key={KEY},more=1"),
            format!("mem=300,rounds=8,sep=Bw==,key={KEY}"),
            "mem=14,rounds=8,sep=Bw==,key=AAAA".to_owned(),
        ] {
            let refused = Parts::parse(&with(&project)).map(drop);
            assert_eq!(refused, Err(UnusableHash::Malformed(SCHEME)), "{project}");
        }
        let costly = Parts::parse(&with(&format!("mem=20,rounds=8,sep=Bw==,key={KEY}"))).map(drop);
        assert!(matches!(costly, Err(UnusableHash::TooCostly { .. })), "{costly:?}");
    }
}
