//! What is kept outside of the process, sealed.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::rand;
use portcullis_domain::SessionId;
use portcullis_domain::ports::Caller;

use super::record::Record;

/// The key that all instances seal callers with.
pub struct CacheKey(pub [u8; 32]);

const NONCE: usize = 12;

/// AES-256-GCM under a random nonce, bound to the session and the server process.
pub(super) struct Seal(Option<RandomizedNonceKey>);

impl Seal {
    pub(super) fn new(key: &CacheKey) -> Self {
        // 32 bytes are a key; were they not, nothing would be kept.
        Self(RandomizedNonceKey::new(&AES_256_GCM, &key.0).ok())
    }

    pub(super) fn close(&self, caller: &Caller, process: &str) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec(&Record::of(caller)).ok()?;
        let bound = Aad::from(bound_to(process, caller.session.id));
        let nonce = self.0.as_ref()?.seal_in_place_append_tag(bound, &mut text).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Some(sealed)
    }

    pub(super) fn open(&self, sealed: &[u8], process: &str, id: SessionId) -> Option<Caller> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let bound = Aad::from(bound_to(process, id));
        let opened = self.0.as_ref()?.open_in_place(nonce, bound, &mut text).ok()?;
        serde_json::from_slice::<Record>(opened).ok()?.restore()
    }
}

fn bound_to(process: &str, id: SessionId) -> Vec<u8> {
    [id.as_uuid().as_bytes().as_slice(), process.as_bytes()].concat()
}

/// A name that nothing had before.
pub(super) fn random_name() -> String {
    let mut bytes = [0; 16];
    // Should it fail, the name is that of an older generation, whose callers
    // still obey leases and notices.
    let _ = rand::fill(&mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}
