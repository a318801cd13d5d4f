//! What is kept outside of the process, sealed.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use portcullis_domain::SessionId;
use portcullis_domain::ports::Caller;

use super::record::Record;

/// The key that all instances seal callers with.
pub struct CacheKey(pub [u8; 32]);

const NONCE: usize = 12;

/// What a sealed caller is good for, and for nothing else.
pub(super) struct Bound<'a> {
    pub(super) process: &'a str,
    pub(super) session: SessionId,
    pub(super) version: &'a [u8],
    pub(super) moment: &'a [u8],
}

/// AES-256-GCM-SIV under a random nonce: a nonce that comes twice, after very
/// many callers, tells at most that two of them are the same.
pub(super) struct Seal(Option<RandomizedNonceKey>);

impl Seal {
    pub(super) fn new(key: &CacheKey) -> Self {
        // 32 bytes are a key; were they not, nothing would be kept.
        Self(RandomizedNonceKey::new(&AES_256_GCM_SIV, &key.0).ok())
    }

    pub(super) fn close(&self, caller: &Caller, bound: &Bound<'_>) -> Option<Vec<u8>> {
        let mut text = postcard::to_stdvec(&Record::of(caller)).ok()?;
        let nonce = self.0.as_ref()?.seal_in_place_append_tag(bound.data(), &mut text).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Some(sealed)
    }

    pub(super) fn open(&self, mut sealed: Vec<u8>, bound: &Bound<'_>) -> Option<Caller> {
        let (nonce, text) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.0.as_ref()?.open_in_place(nonce, bound.data(), text).ok()?;
        postcard::from_bytes::<Record>(opened).ok()?.restore()
    }
}

/// How a record is written down. To be counted up when [`Record`] changes: it does
/// not say itself what its parts are, and instances of two versions share a Redis.
const FORM: &[u8] = b"2 ";

impl Bound<'_> {
    fn data(&self) -> Aad<Vec<u8>> {
        let session = self.session.as_uuid();
        let parts = [FORM, session.as_bytes(), self.version, b" ", self.moment, b" "];
        Aad::from([&parts.concat(), self.process.as_bytes()].concat())
    }
}

/// A name that nothing had before.
pub(super) fn random_name() -> String {
    let mut bytes = [0; 16];
    // Should it fail, versions repeat; then leases are what is left.
    let _ = rand::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
