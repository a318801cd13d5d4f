//! Keys: how each algorithm makes, reads and publishes them.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use aws_lc_rs::{rsa, signature};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use portcullis_domain::{Cause, Timestamp};
use serde_json::{Value, json};

use super::rotation;

/// How access tokens are signed (`JWT_ALGORITHM`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256 under the server's secret.
    #[default]
    Hs256,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSASSA-PKCS1-v1.5 with SHA-256, keys of 2048 bits at least.
    Rs256,
}

impl JwtAlgorithm {
    /// Its name in a token's header (RFC 7518 §3.1, RFC 8037 §3.1).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Hs256 => Algorithm::HS256,
            Self::EdDsa => Algorithm::EdDSA,
            Self::Es256 => Algorithm::ES256,
            Self::Rs256 => Algorithm::RS256,
        }
    }

    /// A new private key as PKCS#8. HS256 has none: its key is the secret.
    pub(super) fn generate(self) -> Result<Vec<u8>, Cause> {
        let failed = |_| Cause::from("the key could not be generated");
        match self {
            Self::Hs256 => Err("HS256 is keyed by the server's secret".into()),
            Self::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(failed)?;
                Ok(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
            Self::Es256 => {
                let pair =
                    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
                Ok(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
            Self::Rs256 => {
                let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(failed)?;
                Ok(der.as_ref().to_vec())
            }
        }
    }
}

/// A private key with everything that is derived from it.
#[derive(Clone)]
pub struct SigningKey {
    /// Its name, which tokens carry.
    pub(super) kid: String,
    /// From when on it signs; `None` is from the beginning.
    pub(super) signs_from: Option<Timestamp>,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    /// Its public half as a JSON Web Key; symmetric keys have none.
    pub(super) public: Option<Value>,
}

impl SigningKey {
    /// Its name, which tokens carry.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The same, but it signs nothing before that moment.
    #[must_use]
    pub fn not_before(self, moment: Timestamp) -> Self {
        Self { signs_from: self.signs_from.max(Some(moment)), ..self }
    }

    /// The key of HS256: the bytes of the secret as given.
    pub(super) fn symmetric(kid: String, secret: &[u8]) -> Self {
        Self {
            kid,
            signs_from: None,
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            public: None,
        }
    }

    /// A private key from PKCS#8 in DER and, the same, in PEM.
    pub(super) fn from_pkcs8(
        algorithm: JwtAlgorithm,
        kid: &str,
        der: &[u8],
        pem: &[u8],
    ) -> Result<Self, Cause> {
        let foreign =
            |_| Cause::from(format!("it is not a PKCS#8 private key for {}", algorithm.name()));
        let (encoding, decoding, mut public) = match algorithm {
            JwtAlgorithm::Hs256 => return Err("HS256 is keyed by the server's secret".into()),
            JwtAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(foreign)?;
                let x = URL_SAFE_NO_PAD.encode(pair.public_key());
                let decoding = DecodingKey::from_ed_components(&x)?;
                let public = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
                (EncodingKey::from_ed_pem(pem)?, decoding, public)
            }
            JwtAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
                    .map_err(foreign)?;
                // Uncompressed: a byte 4, then the two coordinates.
                let point = pair.public_key().as_ref().get(1..65).ok_or("it has no point")?;
                let (x, y) = point.split_at(32);
                let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
                let decoding = DecodingKey::from_ec_components(&x, &y)?;
                let public = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
                (EncodingKey::from_ec_pem(pem)?, decoding, public)
            }
            JwtAlgorithm::Rs256 => {
                let pair = signature::RsaKeyPair::from_pkcs8(der).map_err(foreign)?;
                if pair.public_modulus_len() < 256 {
                    return Err("it has fewer than 2048 bits".into());
                }
                let key = pair.public_key();
                let n = key.modulus().big_endian_without_leading_zero();
                let e = key.exponent().big_endian_without_leading_zero();
                let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
                let decoding = DecodingKey::from_rsa_components(&n, &e)?;
                let public = json!({"kty": "RSA", "n": n, "e": e});
                (EncodingKey::from_rsa_pem(pem)?, decoding, public)
            }
        };
        public["kid"] = kid.into();
        public["alg"] = algorithm.name().into();
        public["use"] = "sig".into();
        let signs_from = rotation::signs_from(kid);
        Ok(Self { kid: kid.to_owned(), signs_from, encoding, decoding, public: Some(public) })
    }
}
