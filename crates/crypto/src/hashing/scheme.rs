//! The scheme for new hashes, and telling the schemes of stored ones apart.

use std::time::{Duration, Instant};

use portcullis_bcrypt_lanes::{Hashing, MAX_LANES, advance};
use portcullis_domain::ports::{HasherError, Verification};
use portcullis_domain::{Password, PasswordHash};

use super::task::Task;
use super::{
    UnusableHash, argon2id, bcrypt_plain, bcrypt_sha256, django_pbkdf2, firebase_scrypt, scrypt,
};

/// Rounds of bcrypt that tell what all of them take: some ten milliseconds.
const MEASURED_ROUNDS: u32 = 64;
#[expect(clippy::cast_possible_truncation, reason = "it is 4")]
const LANES: u32 = MAX_LANES as u32;

/// How new passwords are hashed (`PASSWORD_HASHER`, `BCRYPT_ROUNDS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashingScheme {
    /// bcrypt over HMAC-SHA256 of the password, so that no byte is cut off.
    BcryptSha256 {
        /// Logarithm of the number of rounds, 4 to 17.
        cost: u32,
    },
    /// Argon2id with OWASP's parameters: 19 MiB, two passes, one lane.
    Argon2id,
}

/// Whether this version can verify a stored hash, or it is
/// [`PasswordHash::none`]. Computes nothing.
///
/// # Errors
/// [`UnusableHash`] says why not; nothing would ever match such a hash.
pub fn check_hash(hash: &PasswordHash) -> Result<(), UnusableHash> {
    if hash.is_none() { Ok(()) } else { Stored::parse(hash.expose()).map(drop) }
}

/// A stored hash, taken apart; what cannot be taken apart matches nothing.
enum Stored {
    BcryptSha256(bcrypt_sha256::Parts),
    Argon2id(Box<argon2id::Parts>),
    Bcrypt(bcrypt_plain::Parts),
    Scrypt(scrypt::Parts),
    DjangoPbkdf2(django_pbkdf2::Parts),
    FirebaseScrypt(firebase_scrypt::Parts),
}

impl Stored {
    fn parse(text: &str) -> Result<Self, UnusableHash> {
        let starts = |prefix| text.starts_with(prefix);
        if starts(bcrypt_sha256::PREFIX) {
            bcrypt_sha256::Parts::parse(text).map(Self::BcryptSha256)
        } else if starts(argon2id::PREFIX) {
            argon2id::Parts::parse(text).map(Box::new).map(Self::Argon2id)
        } else if bcrypt_plain::PREFIXES.into_iter().any(starts) {
            bcrypt_plain::Parts::parse(text).map(Self::Bcrypt)
        } else if starts(scrypt::PREFIX) {
            scrypt::Parts::parse(text).map(Self::Scrypt)
        } else if starts(django_pbkdf2::PREFIX) {
            django_pbkdf2::Parts::parse(text).map(Self::DjangoPbkdf2)
        } else if starts(firebase_scrypt::PREFIX) {
            firebase_scrypt::Parts::parse(text).map(Self::FirebaseScrypt)
        } else {
            Err(UnusableHash::UnknownScheme)
        }
    }

    /// Whether it is that password's.
    fn check(self, password: Password) -> Task<bool> {
        let bytes = || password.expose().as_bytes();
        match self {
            Self::BcryptSha256(parts) => parts.check(bytes()),
            Self::Bcrypt(parts) => parts.check(bytes()),
            Self::Argon2id(parts) => {
                Task::whole(move || parts.matches(password.expose().as_bytes()))
            }
            Self::Scrypt(parts) => Task::whole(move || parts.matches(password.expose().as_bytes())),
            Self::DjangoPbkdf2(parts) => {
                Task::whole(move || parts.matches(password.expose().as_bytes()))
            }
            Self::FirebaseScrypt(parts) => {
                Task::whole(move || parts.matches(password.expose().as_bytes()))
            }
        }
    }

    fn is_of(&self, scheme: HashingScheme) -> bool {
        match (self, scheme) {
            (Self::BcryptSha256(parts), HashingScheme::BcryptSha256 { cost }) => {
                parts.cost() == cost
            }
            (Self::Argon2id(parts), HashingScheme::Argon2id) => parts.is_current(),
            _ => false,
        }
    }
}

impl HashingScheme {
    /// Hashes with a fresh salt. Takes a good part of a second.
    pub(super) fn hash(self, password: Password) -> Task<Result<PasswordHash, HasherError>> {
        match self {
            Self::BcryptSha256 { cost } => {
                let task = bcrypt_sha256::hash(password.expose().as_bytes(), cost);
                task.map(|text| Ok(PasswordHash::new(text)))
            }
            Self::Argon2id => Task::whole(move || {
                let text = argon2id::hash(password.expose().as_bytes());
                text.map(PasswordHash::new).map_err(HasherError::Failed)
            }),
        }
    }

    /// Checks a password. Without a hash, or with a damaged one, it does the
    /// work of a current one all the same and matches nothing.
    pub(super) fn verify(
        self,
        password: Password,
        hash: Option<&PasswordHash>,
    ) -> Task<Verification> {
        let Some(stored) = hash.and_then(|hash| Stored::parse(hash.expose()).ok()) else {
            // The work of checking, against a salt that is nobody's.
            return self.hash(password).map(|_| Verification::Mismatch);
        };
        let outdated = !stored.is_of(self);
        stored.check(password).map(move |matches| {
            if matches { Verification::Match { outdated } } else { Verification::Mismatch }
        })
    }

    /// What a hash costs a core at present when others wait, too: the pool should
    /// know before a crowd asks.
    pub(super) fn measure(self) -> Duration {
        let started = Instant::now();
        match self {
            Self::BcryptSha256 { cost } => {
                let mut crowd: [_; MAX_LANES] =
                    std::array::from_fn(|_| Hashing::new(b"measured\0", [0; 16], cost));
                let rounds = 1 << cost;
                let done = advance(&mut crowd.each_mut(), MEASURED_ROUNDS).max(1);
                started.elapsed() * rounds / done / LANES
            }
            Self::Argon2id => {
                drop(argon2id::hash(b"measured"));
                started.elapsed()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(scheme: HashingScheme, typed: &str, stored: &str) -> Verification {
        let password = Password::parse(typed).unwrap();
        scheme.verify(password, Some(&PasswordHash::new(stored.to_owned()))).run()
    }

    #[test]
    fn published_hashes_of_other_makers_verify_and_are_outdated() {
        let scheme = HashingScheme::BcryptSha256 { cost: 4 };
        let outdated = Verification::Match { outdated: true };
        for (typed, stored) in [
            // passlib's documentation of bcrypt-sha256, version 2.
            (
                "password",
                "$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2",
            ),
            // Openwall's crypt_blowfish test vectors.
            ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
            ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
            // RFC 7914 §12.
            (
                "pleaseletmein",
                "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw",
            ),
            // Django 5.2.
            (
                "SecurePass123!",
                "pbkdf2_sha256$1000$seasalt2$FcOqJjD+azffPaEurbBnIGUrv+mWcr+gCBEG9dm24MQ=",
            ),
            // Firebase's own.
            (
                "user1password",
                "$firebase-scrypt$mem=14,rounds=8,sep=Bw==,key=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
            ),
        ] {
            assert_eq!(check_hash(&PasswordHash::new(stored.to_owned())), Ok(()), "{stored}");
            assert_eq!(verify(scheme, typed, stored), outdated, "{stored}");
            assert_eq!(verify(scheme, "wrong", stored), Verification::Mismatch, "{stored}");
        }
    }

    #[test]
    fn another_scheme_or_cost_is_outdated() {
        let schemes = [
            HashingScheme::BcryptSha256 { cost: 4 },
            HashingScheme::BcryptSha256 { cost: 5 },
            HashingScheme::Argon2id,
        ];
        let password = || Password::parse("SecurePass123!").unwrap();
        for made in schemes {
            let hash = made.hash(password()).run().unwrap();
            for now in schemes {
                let expected = Verification::Match { outdated: made != now };
                assert_eq!(now.verify(password(), Some(&hash)).run(), expected, "{made:?} {now:?}");
            }
        }
    }

    #[test]
    fn a_hash_that_nothing_would_match_is_told_with_its_reason_and_nothing_of_itself() {
        let malformed = UnusableHash::Malformed;
        for (stored, expected) in [
            ("", UnusableHash::UnknownScheme),
            ("hunter2hunter2", UnusableHash::UnknownScheme),
            ("$1$hunter2$hunter2", UnusableHash::UnknownScheme),
            (
                "$2x$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
                UnusableHash::UnknownScheme,
            ),
            ("$argon2i$v=19$m=16,t=2,p=1$c2FsdHNhbHQ$hunter2", UnusableHash::UnknownScheme),
            ("$2b$05$hunter2", malformed("bcrypt")),
            ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWN\0", malformed("bcrypt")),
            ("$2b$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTW", malformed("bcrypt")),
            ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", malformed("argon2id")),
            ("$bcrypt-sha256$v=2,t=2b,r=12$hunter2", malformed("bcrypt-sha256")),
            ("$scrypt$ln=14,r=8,p=1$hunter2", malformed("scrypt")),
            ("pbkdf2_sha256$1000$hunter2", malformed("pbkdf2_sha256")),
            ("$firebase-scrypt$mem=14$hunter2$hunter2", malformed("firebase-scrypt")),
        ] {
            let refused = check_hash(&PasswordHash::new(stored.to_owned())).unwrap_err();
            assert_eq!(refused, expected, "{stored}");
            assert!(!refused.to_string().contains("hunter2"), "{refused}");
        }
        for costly in [
            "$2b$18$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
            "$argon2id$v=19$m=262145,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=24,r=8,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ] {
            let refused = check_hash(&PasswordHash::new(costly.to_owned()));
            assert!(matches!(refused, Err(UnusableHash::TooCostly { .. })), "{costly}");
            let scheme = HashingScheme::BcryptSha256 { cost: 4 };
            assert_eq!(verify(scheme, "password", costly), Verification::Mismatch);
        }
    }

    #[test]
    fn no_password_matches_no_password_mark() {
        assert_eq!(check_hash(&PasswordHash::none()), Ok(()));
        let scheme = HashingScheme::BcryptSha256 { cost: 4 };
        for typed in ["", "!", "SecurePass123!"] {
            assert_eq!(
                verify(scheme, typed, PasswordHash::none().expose()),
                Verification::Mismatch
            );
        }
    }
}
