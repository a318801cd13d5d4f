//! RSA keys.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pem::{EncodeConfig, LineEnding, Pem};
use serde_json::{Value, json};

/// A new RSA key of 2048 bits, as service accounts have and as ID tokens are
/// signed with.
pub struct RsaKey {
    pair: RsaKeyPair,
    der: Vec<u8>,
}

impl RsaKey {
    /// Makes a key.
    #[must_use]
    pub fn generate() -> Self {
        let pair = rsa::KeyPair::generate(KeySize::Rsa2048).expect("randomness");
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("a key");
        let der = der.as_ref().to_vec();
        Self { pair: RsaKeyPair::from_pkcs8(&der).expect("the same key"), der }
    }

    /// The private key as PEM (PKCS#8), as Google hands it out.
    #[must_use]
    pub fn private_pem(&self) -> String {
        pem("PRIVATE KEY", &self.der)
    }

    /// The public key as PEM.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let der = AsDer::<PublicKeyX509Der<'_>>::as_der(self.pair.public_key()).expect("a key");
        pem("PUBLIC KEY", der.as_ref())
    }

    /// The public key as a JSON Web Key of that name.
    #[must_use]
    pub fn jwk(&self, id: &str) -> Value {
        let key = self.pair.public_key();
        let n = URL_SAFE_NO_PAD.encode(key.modulus().big_endian_without_leading_zero());
        let e = URL_SAFE_NO_PAD.encode(key.exponent().big_endian_without_leading_zero());
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": id, "n": n, "e": e})
    }

    /// A JSON Web Token with this header and these claims, signed with RS256
    /// whatever the header says.
    #[must_use]
    pub fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature);
        signed.expect("a signature");
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Header and claims of a token that this key signed.
    #[must_use]
    pub fn verify(&self, token: &str) -> Option<(Value, Value)> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public = self.pair.public_key().as_ref();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        public.verify(message.as_bytes(), &signature).ok()?;
        let (header, claims) = message.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some((json(header)?, json(claims)?))
    }
}

/// What a signature is made over (RFC 7515 §5.1).
pub(super) fn message(header: &Value, claims: &Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn pem(tag: &str, der: &[u8]) -> String {
    let unix = EncodeConfig::new().set_line_ending(LineEnding::LF);
    pem::encode_config(&Pem::new(tag, der), unix)
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaKey(…)")
    }
}
