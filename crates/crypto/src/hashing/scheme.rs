//! The scheme for new hashes, and telling the schemes of stored ones apart.

use portcullis_domain::ports::{HasherError, Verification};
use portcullis_domain::{Password, PasswordHash};

use super::{argon2id, bcrypt_plain, bcrypt_sha256};

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

/// A stored hash, taken apart; what cannot be taken apart matches nothing.
enum Stored {
    BcryptSha256(bcrypt_sha256::Parts),
    Argon2id(Box<argon2id::Parts>),
    Bcrypt(bcrypt_plain::Parts),
}

impl Stored {
    fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$bcrypt-sha256$") {
            bcrypt_sha256::Parts::parse(text).map(Self::BcryptSha256)
        } else if text.starts_with("$argon2id$") {
            argon2id::Parts::parse(text).map(Box::new).map(Self::Argon2id)
        } else {
            bcrypt_plain::Parts::parse(text).map(Self::Bcrypt)
        }
    }

    fn matches(&self, password: &Password) -> bool {
        let bytes = password.expose().as_bytes();
        match self {
            Self::BcryptSha256(parts) => parts.matches(bytes),
            Self::Argon2id(parts) => parts.matches(bytes),
            Self::Bcrypt(parts) => parts.matches(bytes),
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
    pub(crate) fn hash(self, password: &Password) -> Result<PasswordHash, HasherError> {
        let bytes = password.expose().as_bytes();
        let text = match self {
            Self::BcryptSha256 { cost } => bcrypt_sha256::hash(bytes, cost),
            Self::Argon2id => argon2id::hash(bytes),
        };
        text.map(PasswordHash::new).map_err(HasherError::Failed)
    }

    /// Checks a password. Without a hash, or with a damaged one, it does the
    /// work of a current one all the same and matches nothing.
    pub(crate) fn verify(self, password: &Password, hash: Option<&PasswordHash>) -> Verification {
        let Some(stored) = hash.and_then(|hash| Stored::parse(hash.expose())) else {
            self.pretend(password);
            return Verification::Mismatch;
        };
        if stored.matches(password) {
            Verification::Match { outdated: !stored.is_of(self) }
        } else {
            Verification::Mismatch
        }
    }

    /// The work of checking, against a salt that is nobody's.
    fn pretend(self, password: &Password) {
        drop(self.hash(password));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(scheme: HashingScheme, typed: &str, stored: &str) -> Verification {
        let password = Password::parse(typed).unwrap();
        scheme.verify(&password, Some(&PasswordHash::new(stored.to_owned())))
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
        ] {
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
        let password = Password::parse("SecurePass123!").unwrap();
        for made in schemes {
            let hash = made.hash(&password).unwrap();
            for now in schemes {
                let expected = Verification::Match { outdated: made != now };
                assert_eq!(now.verify(&password, Some(&hash)), expected, "{made:?} {now:?}");
            }
        }
    }
}
