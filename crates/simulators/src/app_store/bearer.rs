//! Whom the App Store talks to.
//! <https://developer.apple.com/documentation/appstoreserverapi/generating-json-web-tokens-for-api-requests>

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde::Deserialize;

use crate::request::Request;

/// Longest life of a token, in seconds.
const LONGEST_LIFE: i64 = 60 * 60;

/// The key and the names that App Store Connect gives out for an app.
pub struct Credentials {
    /// The key's id.
    pub key_id: String,
    /// The issuer's id.
    pub issuer_id: String,
    /// The app's bundle id.
    pub bundle_id: String,
    key: KeyPair,
}

#[derive(Deserialize)]
struct Claims {
    /// Apple's own client leaves it out.
    iat: Option<i64>,
    exp: i64,
    bid: String,
}

impl Credentials {
    /// A new key for this app.
    #[must_use]
    pub fn new(bundle_id: &str) -> Self {
        Self {
            key_id: "2X9R4HXF34".to_owned(),
            issuer_id: "57246542-96fe-1a63-e053-0824d011072a".to_owned(),
            bundle_id: bundle_id.to_owned(),
            key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key"),
        }
    }

    /// The private key as the .p8 file has it.
    #[must_use]
    pub fn private_key(&self) -> String {
        self.key.serialize_pem()
    }

    /// Whether a request carries a token of this app that works at `now`, in
    /// milliseconds since the epoch.
    pub(super) fn admit(&self, request: &Request, now: i64) -> bool {
        request.bearer().is_some_and(|token| self.is_good(token, now / 1_000))
    }

    fn is_good(&self, token: &str, now: i64) -> bool {
        let has_key_id =
            decode_header(token).is_ok_and(|header| header.kid.as_ref() == Some(&self.key_id));
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["appstoreconnect-v1"]);
        rules.set_issuer(&[&self.issuer_id]);
        rules.set_required_spec_claims(&["exp", "iss", "aud"]);
        // By the simulator's time, not by the machine's.
        rules.validate_exp = false;
        let public = DecodingKey::from_ec_pem(self.key.public_key_pem().as_bytes());
        let Ok(token) = decode::<Claims>(token, &public.expect("a public key"), &rules) else {
            return false;
        };
        let Claims { iat, exp, bid } = token.claims;
        let iat = iat.unwrap_or(now);
        let is_of_now = iat <= now && now < exp && exp - iat <= LONGEST_LIFE;
        has_key_id && bid == self.bundle_id && is_of_now
    }
}
