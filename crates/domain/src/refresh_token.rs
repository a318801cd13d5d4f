//! Refresh tokens: a session's name, a counter and a seed, under a seal.
//!
//! A refresh token is `version ‖ session id ‖ counter ‖ seed ‖ MAC`. The MAC,
//! made with a key that only the server has, refuses a made-up token before
//! any store is asked. The seed is drawn once per session and kept by the
//! client alone; the session's row holds its digest. So neither the database,
//! nor the server's secret, nor both together suffice to make a token that is
//! accepted, and the token after the presented one can be derived without
//! being stored anywhere.

use std::fmt;

use crate::SessionId;

/// 128 random bits, drawn when a session opens; known to its client alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 16]);

/// SHA-256 of a [`Seed`]: what the session's row holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SeedDigest(pub [u8; 32]);

/// A refresh token whose seal has been checked, or that is about to be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session it continues.
    pub session: SessionId,
    /// How often the session had been refreshed when the token was made.
    pub counter: u32,
    /// The session's seed.
    pub seed: Seed,
}

impl RefreshToken {
    /// The first token of a session.
    #[must_use]
    pub const fn first(session: SessionId, seed: Seed) -> Self {
        Self { session, counter: 0, seed }
    }

    /// The token that stands at `counter` of the same session.
    #[must_use]
    pub const fn at(self, counter: u32) -> Self {
        Self { counter, ..self }
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl fmt::Debug for SeedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeedDigest(…)")
    }
}
