//! Tokens whose signature was verified before.

use aws_lc_rs::digest::{SHA256, digest};
use portcullis_domain::AccessClaims;
use quick_cache::sync::Cache;

/// Tokens that are remembered, of some 200 bytes each; whoever comes again most
/// stays longest.
const CAPACITY: usize = 16_384;

/// What signatures were found good for, by the tokens' SHA-256: a signature is as
/// good the next time. Whether a token still counts is asked each time: its times
/// by [`JwtTokens`](super::JwtTokens), which has one of these for its set of keys,
/// and its session by whoever asked.
pub(super) struct VerifiedTokens(Cache<Digest, AccessClaims>);

/// A token's name here: nobody learns a token from memory that is left behind.
pub(super) type Digest = [u8; 32];

impl VerifiedTokens {
    pub(super) fn new() -> Self {
        Self(Cache::new(CAPACITY))
    }

    pub(super) fn name(token: &str) -> Digest {
        let mut name = [0; 32];
        name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        name
    }

    pub(super) fn find(&self, name: &Digest) -> Option<AccessClaims> {
        self.0.get(name)
    }

    pub(super) fn remember(&self, name: Digest, claims: AccessClaims) {
        self.0.insert(name, claims);
    }
}
