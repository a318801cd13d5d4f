//! Why a stored hash cannot be verified.

/// A stored hash that this version cannot verify. Nothing of the hash is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// It begins like no scheme that is known.
    #[error(
        "the hash is of an unknown scheme; known are $bcrypt-sha256$, $2a$, $2b$, $2y$, \
         $argon2id$, $scrypt$, pbkdf2_sha256$ and $firebase-scrypt$"
    )]
    UnknownScheme,
    /// It begins like a scheme and goes on otherwise.
    #[error("the hash is not a whole {0} hash")]
    Malformed(&'static str),
    /// Verifying it would take more memory or time than a login may.
    #[error("the {scheme} hash asks for too much work: {bound} at most")]
    TooCostly {
        /// The scheme.
        scheme: &'static str,
        /// What it may ask for.
        bound: &'static str,
    },
}
