//! The key of a service account.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::json;

/// Smallest permitted modulus, in bytes: what Google makes, and what RFC 7518
/// §3.3 asks for.
const MIN_MODULUS: usize = 2048 / 8;

/// An RSA key that signs. Its debug form tells nothing; a clone shares the key.
#[derive(Clone)]
pub struct PrivateKey(Arc<RsaKeyPair>);

/// Why a text is no private key. It tells nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPrivateKey {
    /// It has no `-----BEGIN …` and `-----END …` with base64 between them.
    #[error("it is not PEM")]
    NotPem,
    /// It holds something else: a certificate, a public key, an encrypted key.
    #[error("it is not a `PRIVATE KEY` or `RSA PRIVATE KEY`")]
    NotPrivate,
    /// It is of another kind than RSA, or broken.
    #[error("it is not an RSA key of 2048 bits or more")]
    NotRsa,
}

/// The key did not sign: there is no randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the private key did not sign")]
pub struct SigningFailed;

impl PrivateKey {
    /// Reads PKCS#8 or PKCS#1 in PEM. Line ends may be written `\n`, as
    /// environment variables and JSON have them, and there may be quotes around it.
    ///
    /// # Errors
    /// [`InvalidPrivateKey`] says what it is not.
    pub fn from_pem(text: &str) -> Result<Self, InvalidPrivateKey> {
        let text = text.trim().trim_matches(['"', '\'']);
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let block = pem::parse(&text).map_err(|_| InvalidPrivateKey::NotPem)?;
        let pair = match block.tag() {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(block.contents()),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(block.contents()),
            _ => return Err(InvalidPrivateKey::NotPrivate),
        };
        let pair = pair.map_err(|_| InvalidPrivateKey::NotRsa)?;
        if pair.public_modulus_len() < MIN_MODULUS {
            return Err(InvalidPrivateKey::NotRsa);
        }
        Ok(Self(Arc::new(pair)))
    }

    /// RSASSA-PKCS1-v1.5 with SHA-256 (RS256).
    ///
    /// # Errors
    /// [`SigningFailed`] when there is no randomness, which blinds the key.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let signed = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
        signed.map_err(|_| SigningFailed)?;
        Ok(signature)
    }

    /// A JSON Web Token of these claims, signed with RS256 (RFC 7515 §3.1).
    ///
    /// # Errors
    /// [`SigningFailed`] when there is no randomness, or the claims are no JSON.
    pub fn token(
        &self,
        key_id: Option<&str>,
        claims: &impl Serialize,
    ) -> Result<String, SigningFailed> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(key_id) = key_id {
            header["kid"] = key_id.into();
        }
        let claims = serde_json::to_vec(claims).map_err(|_| SigningFailed)?;
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(message.as_bytes())?);
        Ok(format!("{message}.{signature}"))
    }

    /// The public half: PKCS#1 in DER, as verifiers of aws-lc-rs take it.
    #[must_use]
    pub fn public_der(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::rsa::{self, KeySize};
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// A key of the size that Google makes, as PEM.
    pub(crate) fn pem_of_a_new_key() -> String {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
        pem::encode(&pem::Pem::new("PRIVATE KEY", der.as_ref()))
    }

    fn verifies(key: &PrivateKey, message: &[u8], signature: &[u8]) -> bool {
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_der());
        public.verify(message, signature).is_ok()
    }

    #[test]
    fn every_spelling_of_line_ends_is_the_same_key() {
        let pem = pem_of_a_new_key().replace("\r\n", "\n");
        let key = PrivateKey::from_pem(&pem).unwrap();
        for spelling in [
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\r\\n"),
            format!("\"{}\"", pem.trim().replace('\n', "\\n")),
            format!("  {}\n\n", pem.trim()),
        ] {
            let same = PrivateKey::from_pem(&spelling).unwrap();
            assert_eq!(same.public_der(), key.public_der());
        }
    }

    #[test]
    fn a_signature_is_of_its_message() {
        let key = PrivateKey::from_pem(&pem_of_a_new_key()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(verifies(&key, b"message", &signature));
        assert!(!verifies(&key, b"massage", &signature));
    }

    #[test]
    fn a_token_names_its_key_and_is_signed_as_a_whole() {
        let key = PrivateKey::from_pem(&pem_of_a_new_key()).unwrap();
        let token = key.token(Some("k1"), &json!({"sub": "ann"})).unwrap();
        let (message, signature) = token.rsplit_once('.').unwrap();
        assert!(verifies(&key, message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()));
        let parts: Vec<_> =
            message.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let parts: Vec<serde_json::Value> =
            parts.iter().map(|part| serde_json::from_slice(part).unwrap()).collect();
        assert_eq!(
            parts,
            [json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}), json!({"sub": "ann"})]
        );
    }

    #[test]
    fn what_is_no_key_is_told_from_what_is_another() {
        let read = |text: &str| PrivateKey::from_pem(text).map(|_| ()).unwrap_err();
        let pem = pem_of_a_new_key();
        assert_eq!(read(""), InvalidPrivateKey::NotPem);
        assert_eq!(read("secret"), InvalidPrivateKey::NotPem);
        assert_eq!(read(&pem[..pem.len() / 2]), InvalidPrivateKey::NotPem);
        assert_eq!(read(&pem.replace("PRIVATE", "PUBLIC")), InvalidPrivateKey::NotPrivate);
        let empty = pem::encode(&pem::Pem::new("PRIVATE KEY", [0; 32]));
        assert_eq!(read(&empty), InvalidPrivateKey::NotRsa);
    }

    #[test]
    fn debug_tells_nothing() {
        let key = PrivateKey::from_pem(&pem_of_a_new_key()).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(…)");
    }
}
