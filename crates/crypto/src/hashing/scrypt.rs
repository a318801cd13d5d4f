//! scrypt (RFC 7914) in the PHC string format, as passlib and others write it:
//! verified, never made.
//!
//! `$scrypt$ln=<log2 N>,r=<block size>,p=<lanes>$<salt>$<hash>`

use aws_lc_rs::constant_time::verify_slices_are_equal;
use scrypt::Params;

use super::UnusableHash;
use super::base64_text::decode;

const SCHEME: &str = "scrypt";
pub(super) const PREFIX: &str = "$scrypt$";

/// Most memory that one verification takes: twice what OWASP's strongest
/// setting (N = 2^17, r = 8) needs.
const MAX_MEMORY: u64 = 256 << 20;
/// Most memory that it fills in all its lanes, one after the other: some
/// three seconds of a core.
const MAX_WORK: u64 = 1 << 30;
const BOUND: &str = "128·N·r may be 256 MiB and 128·N·r·p may be 1 GiB";

/// Longest salt and hash in bytes.
const SALT: std::ops::RangeInclusive<usize> = 1..=128;
const HASH: std::ops::RangeInclusive<usize> = 16..=64;

/// A stored hash whose form and bounds have been checked.
pub(super) struct Parts {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Parts {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        let (costs, salt, hash) = take_apart(text).ok_or(UnusableHash::Malformed(SCHEME))?;
        Ok(Self { params: bounded(SCHEME, costs)?, salt, hash })
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut computed = vec![0; self.hash.len()];
        scrypt::scrypt(password, &self.salt, &self.params, &mut computed).is_ok()
            && verify_slices_are_equal(&computed, &self.hash).is_ok()
    }
}

/// What a hash asks for.
#[derive(Clone, Copy)]
pub(super) struct Costs {
    pub(super) log_n: u8,
    pub(super) r: u32,
    pub(super) p: u32,
}

/// Those costs as parameters, unless they are beyond what a login may take.
pub(super) fn bounded(scheme: &'static str, costs: Costs) -> Result<Params, UnusableHash> {
    let Costs { log_n, r, p } = costs;
    let memory = 1_u64
        .checked_shl(log_n.into())
        .and_then(|n| n.checked_mul(128))
        .and_then(|memory| memory.checked_mul(r.into()))
        .filter(|memory| *memory <= MAX_MEMORY);
    let work = memory.and_then(|memory| memory.checked_mul(p.into()));
    if work.is_none_or(|work| work > MAX_WORK) {
        return Err(UnusableHash::TooCostly { scheme, bound: BOUND });
    }
    if log_n == 0 {
        return Err(UnusableHash::Malformed(scheme));
    }
    Params::new(log_n, r, p).map_err(|_| UnusableHash::Malformed(scheme))
}

fn take_apart(text: &str) -> Option<(Costs, Vec<u8>, Vec<u8>)> {
    let mut fields = text.strip_prefix(PREFIX)?.split('$');
    let (costs, salt, hash) = (fields.next()?, fields.next()?, fields.next()?);
    let mut costs = costs.split(',');
    let (log_n, r, p) = (costs.next()?, costs.next()?, costs.next()?);
    let costs_are_whole = costs.next().is_none() && fields.next().is_none();
    let costs = Costs {
        log_n: log_n.strip_prefix("ln=")?.parse().ok()?,
        r: r.strip_prefix("r=")?.parse().ok()?,
        p: p.strip_prefix("p=")?.parse().ok()?,
    };
    let (salt, hash) = (decode(salt, SALT)?, decode(hash, HASH)?);
    costs_are_whole.then_some((costs, salt, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(password: &str, text: &str) -> bool {
        Parts::parse(text).unwrap().matches(password.as_bytes())
    }

    /// RFC 7914 §12; passlib 1.7; Python's `hashlib.scrypt`.
    #[test]
    fn hashes_of_independent_makers_verify() {
        for (password, text) in [
            (
                "password",
                "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA",
            ),
            (
                "pleaseletmein",
                "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
            ),
            (
                "SecurePass123!",
                "$scrypt$ln=10,r=8,p=1$YWFhYWJiYmJjY2NjZGRkZA$1qBkx0xHoDykSjj4CYPj3wHSBjpX18b7f3nPkd+LdaE",
            ),
            (
                "pässwörd 🦀",
                "$scrypt$ln=12,r=8,p=2$AAECAwQFBgcICQoLDA0ODw$Vf6NuockGtrXg0IRG2V8js/HTHxveLDbiM/Tx3JSOSY",
            ),
        ] {
            assert!(matches(password, text), "{text}");
            assert!(!matches("wrong", text), "{text}");
        }
    }

    #[test]
    fn a_hash_may_ask_for_so_much_and_no_more() {
        let parsed = |costs: &str| {
            let text = format!("$scrypt${costs}$c2FsdHNhbHQ${}", "A".repeat(43));
            Parts::parse(&text).map(drop)
        };
        let too_costly = Err(UnusableHash::TooCostly { scheme: SCHEME, bound: BOUND });
        for good in ["ln=17,r=8,p=1", "ln=18,r=8,p=4", "ln=1,r=1,p=1"] {
            assert_eq!(parsed(good), Ok(()), "{good}");
        }
        for costly in [
            "ln=19,r=8,p=1",
            "ln=18,r=9,p=1",
            "ln=18,r=8,p=5",
            "ln=63,r=8,p=1",
            "ln=64,r=8,p=1",
            "ln=255,r=4294967295,p=4294967295",
            "ln=1,r=4294967295,p=1",
            "ln=1,r=1,p=4294967295",
        ] {
            assert_eq!(parsed(costly), too_costly, "{costly}");
        }
        for odd in ["ln=0,r=8,p=1", "ln=10,r=0,p=1", "ln=10,r=8,p=0", "ln=10,p=1,r=8", "ln=10,r=8"]
        {
            assert_eq!(parsed(odd), Err(UnusableHash::Malformed(SCHEME)), "{odd}");
        }
    }
}
