//! The server's secret, and the keys that are derived from it.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use crate::system::random_bytes;

/// The server's secret (`SECRET_KEY`). It does not print and is wiped when dropped.
#[derive(Clone, Debug)]
pub struct ServerSecret(SecretString);

/// Why a text is no server secret. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakSecret {
    /// Fewer than [`ServerSecret::MIN_BYTES`].
    #[error("must be at least {min} bytes, is {0}", min = ServerSecret::MIN_BYTES)]
    TooShort(usize),
    /// Long enough, but of a few characters over and over.
    #[error("must be random: it repeats too few characters")]
    Repetitive,
}

impl ServerSecret {
    /// Fewest bytes: the output size of SHA-256 (RFC 7518 §3.2).
    pub const MIN_BYTES: usize = 32;
    /// Fewest different bytes; 32 random hexadecimal digits have about 14.
    const MIN_DISTINCT: usize = 8;

    /// Takes a secret as configured.
    ///
    /// # Errors
    /// [`WeakSecret`] when it could be guessed.
    pub fn parse(text: SecretString) -> Result<Self, WeakSecret> {
        let bytes = text.expose_secret().as_bytes();
        if bytes.len() < Self::MIN_BYTES {
            return Err(WeakSecret::TooShort(bytes.len()));
        }
        let mut distinct = bytes.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < Self::MIN_DISTINCT {
            return Err(WeakSecret::Repetitive);
        }
        Ok(Self(text))
    }

    /// Draws a new secret: 256 bits, base64url.
    #[must_use]
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(random_bytes::<32>()).into())
    }

    /// The text, to be written to the key file and to key HS256.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The key under which what is cached outside of the process is sealed.
    #[must_use]
    pub fn cache_key(&self) -> [u8; 32] {
        self.derive("cache")
    }

    /// The key that signs links to objects which the server gives out itself.
    #[must_use]
    pub fn link_key(&self) -> [u8; 32] {
        self.derive("object links")
    }

    /// How keys begin in a store that deployments may share: the same for all
    /// instances of one, another for others.
    #[must_use]
    pub fn key_prefix(&self) -> String {
        let [a, b, c, d, ..] = self.derive("key prefix");
        format!("portcullis:{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// A key for one purpose: HKDF-SHA256 (RFC 5869), so that no two purposes
    /// share a key and none tells the secret.
    #[expect(clippy::expect_used, reason = "32 bytes are within HKDF's 255 blocks")]
    pub(crate) fn derive(&self, purpose: &str) -> [u8; 32] {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                32
            }
        }
        let mut key = [0; 32];
        Salt::new(HKDF_SHA256, b"portcullis")
            .extract(self.expose().as_bytes())
            .expand(&[purpose.as_bytes()], Length)
            .and_then(|output| output.fill(&mut key))
            .expect("HKDF gives 32 bytes");
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_secrets_are_refused() {
        for (text, refused) in [
            (String::new(), WeakSecret::TooShort(0)),
            ("changeme".into(), WeakSecret::TooShort(8)),
            ("x".repeat(31), WeakSecret::TooShort(31)),
            ("a".repeat(32), WeakSecret::Repetitive),
            ("abcabc".repeat(10), WeakSecret::Repetitive),
        ] {
            assert_eq!(ServerSecret::parse(text.into()).unwrap_err(), refused);
        }
    }

    #[test]
    fn a_generated_secret_is_accepted_and_new_each_time() {
        let (first, second) = (ServerSecret::generate(), ServerSecret::generate());
        assert_ne!(first.expose(), second.expose());
        assert!(ServerSecret::parse(first.expose().into()).is_ok());
    }

    #[test]
    fn purposes_do_not_share_keys() {
        let secret = ServerSecret::generate();
        assert_ne!(secret.derive("a"), secret.derive("b"));
        assert_eq!(secret.derive("a"), secret.derive("a"));
    }

    #[test]
    fn it_does_not_print() {
        let secret = ServerSecret::generate();
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }
}
