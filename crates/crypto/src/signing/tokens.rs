//! Signing and verifying.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, Header, Validation};
use portcullis_domain::ports::{AccessTokens, InvalidAccessToken, SigningError};
use portcullis_domain::{AccessClaims, AccessTokenId, SessionId, Timestamp, UserId};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::claims::{ACCESS, ClaimsText, HeaderText};
use super::keys::{JwtAlgorithm, SigningKey};
use super::rotation::signer_at;
use super::verified::VerifiedTokens;
use crate::ServerSecret;

/// Longest token that is looked at; ours have about 500 bytes, RS256's 800.
const MAX_BYTES: usize = 4096;

/// How far ahead another instance's clock may be (contract §5: at most 30 s).
const LEEWAY: Duration = Duration::from_secs(30);

/// What tokens say about where they come from and are meant for.
#[derive(Clone, Debug)]
pub struct JwtSettings {
    /// The `iss` claim.
    pub issuer: String,
    /// The `aud` claim.
    pub audience: String,
}

/// Access tokens as JSON Web Tokens, of one algorithm and any number of keys.
pub struct JwtTokens {
    settings: JwtSettings,
    algorithm: JwtAlgorithm,
    validation: Validation,
    keys: RwLock<Arc<KeySet>>,
}

/// Keys that belong together, in the order of their names.
struct KeySet {
    signing: Vec<SigningKey>,
    verifying: HashMap<String, DecodingKey>,
    public: String,
    verified: VerifiedTokens,
}

impl KeySet {
    fn new(signing: Vec<SigningKey>) -> Self {
        let newest_first = || signing.iter().rev();
        let public: Vec<_> = newest_first().filter_map(|key| key.public.clone()).collect();
        let verifying = newest_first().map(|key| (key.kid.clone(), key.decoding.clone())).collect();
        let public = json!({ "keys": public }).to_string();
        Self { verifying, public, signing, verified: VerifiedTokens::new() }
    }
}

impl JwtTokens {
    /// Tokens under HS256; those of the previous secret still verify.
    #[must_use]
    pub fn symmetric(
        settings: JwtSettings,
        current: &ServerSecret,
        previous: Option<&ServerSecret>,
    ) -> Self {
        let key = |secret: &ServerSecret| {
            // Names the secret without telling anything about it.
            let id = digest(&SHA256, &secret.derive("key id"));
            let kid = URL_SAFE_NO_PAD.encode(id.as_ref().get(..8).unwrap_or_default());
            SigningKey::symmetric(kid, secret.expose().as_bytes())
        };
        let keys = previous.into_iter().chain([current]).map(key).collect();
        Self::new(settings, JwtAlgorithm::Hs256, keys)
    }

    /// Tokens under an asymmetric algorithm. All keys verify; of those whose time has
    /// come, the last signs. `None` without a key.
    #[must_use]
    pub fn asymmetric(
        settings: JwtSettings,
        algorithm: JwtAlgorithm,
        keys: Vec<SigningKey>,
    ) -> Option<Self> {
        (!keys.is_empty()).then(|| Self::new(settings, algorithm, keys))
    }

    fn new(settings: JwtSettings, algorithm: JwtAlgorithm, keys: Vec<SigningKey>) -> Self {
        // The claims are checked here, against our clock; the library checks
        // the signature.
        let mut validation = Validation::new(algorithm.algorithm());
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        Self { settings, algorithm, validation, keys: RwLock::new(Arc::new(KeySet::new(keys))) }
    }

    /// Goes on with other keys of the same algorithm. Without any, those that are
    /// there stay; returns whether they were replaced.
    pub fn replace_keys(&self, keys: Vec<SigningKey>) -> bool {
        if keys.is_empty() {
            return false;
        }
        let keys = Arc::new(KeySet::new(keys));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        true
    }

    /// Goes on without the keys that are not among these, unless none would be left;
    /// returns whether any was dropped.
    pub fn keep_keys(&self, is_kept: impl Fn(&str) -> bool) -> bool {
        let keys = self.keys();
        let kept: Vec<_> = keys.signing.iter().filter(|key| is_kept(&key.kid)).cloned().collect();
        kept.len() < keys.signing.len() && self.replace_keys(kept)
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The name of the key that a token says it was signed with, if it can be ours.
    fn kid_of(&self, token: &str) -> Option<String> {
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let header: HeaderText = serde_json::from_slice(&header).ok()?;
        let is_ours = header.alg == self.algorithm.name() && header.typ == "JWT";
        is_ours.then_some(header.kid)
    }

    fn check(&self, claims: &ClaimsText, now: Timestamp) -> Option<AccessClaims> {
        let issued_at = Timestamp::from_seconds(claims.iat);
        let expires_at = Timestamp::from_seconds(claims.exp);
        let not_before = claims.nbf.map_or(issued_at, Timestamp::from_seconds);
        let is_ours = claims.iss == self.settings.issuer
            && claims.aud == self.settings.audience
            && claims.kind == ACCESS;
        // In the one spelling in which they are signed.
        let id = |text: &str| Uuid::try_parse(text).ok().filter(|id| id.to_string() == text);
        let claims = AccessClaims {
            user: UserId::new(id(&claims.sub)?),
            session: SessionId::new(id(&claims.sid)?),
            id: AccessTokenId::new(id(&claims.jti)?),
            issued_at,
            expires_at,
        };
        (is_ours && not_before <= now + LEEWAY && is_timely(&claims, now)).then_some(claims)
    }
}

/// Whether what it says of its times lets it count.
fn is_timely(claims: &AccessClaims, now: Timestamp) -> bool {
    now < claims.expires_at && claims.issued_at <= now + LEEWAY
}

impl AccessTokens for JwtTokens {
    fn sign(&self, claims: AccessClaims) -> Result<SecretString, SigningError> {
        let keys = self.keys();
        let signer = signer_at(&keys.signing, |key| key.signs_from, claims.issued_at);
        let signer = signer.ok_or_else(|| SigningError("there is no key".into()))?;
        let mut header = Header::new(self.algorithm.algorithm());
        header.kid = Some(signer.kid.clone());
        let claims = ClaimsText {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: claims.user.to_string(),
            sid: claims.session.to_string(),
            jti: claims.id.to_string(),
            iat: claims.issued_at.as_seconds(),
            exp: claims.expires_at.as_seconds(),
            nbf: None,
            kind: ACCESS.to_owned(),
        };
        let token = jsonwebtoken::encode(&header, &claims, &signer.encoding);
        token.map(SecretString::from).map_err(|error| SigningError(error.into()))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, InvalidAccessToken> {
        if token.len() > MAX_BYTES {
            return Err(InvalidAccessToken);
        }
        let (keys, name) = (self.keys(), VerifiedTokens::name(token));
        if let Some(claims) = keys.verified.find(&name) {
            return is_timely(&claims, now).then_some(claims).ok_or(InvalidAccessToken);
        }
        let kid = self.kid_of(token).ok_or(InvalidAccessToken)?;
        let key = keys.verifying.get(&kid).ok_or(InvalidAccessToken)?;
        let decoded = jsonwebtoken::decode::<ClaimsText>(token, key, &self.validation)
            .map_err(|_| InvalidAccessToken)?;
        let claims = self.check(&decoded.claims, now).ok_or(InvalidAccessToken)?;
        // Ours say nothing of a time before which they are not good.
        if decoded.claims.nbf.is_none() {
            keys.verified.remember(name, claims);
        }
        Ok(claims)
    }

    fn recall(&self, token: &str, now: Timestamp) -> Option<AccessClaims> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let claims = self.keys().verified.find(&VerifiedTokens::name(token))?;
        is_timely(&claims, now).then_some(claims)
    }

    fn public_keys(&self) -> String {
        self.keys().public.clone()
    }
}

#[cfg(test)]
mod tests {
    use portcullis_conformance::build::START;

    use super::*;

    fn claims() -> AccessClaims {
        AccessClaims {
            user: UserId::new(Uuid::from_u128(1)),
            session: SessionId::new(Uuid::from_u128(2)),
            id: AccessTokenId::new(Uuid::from_u128(3)),
            issued_at: START,
            expires_at: START + Duration::from_mins(30),
        }
    }

    /// What is remembered of a token never outlives its time or its key.
    #[test]
    fn a_token_that_was_verified_before_is_asked_for_its_times_and_its_key_again() {
        let settings = JwtSettings { issuer: "us".into(), audience: "them".into() };
        let key = |text: &str| SigningKey::symmetric(text.to_owned(), &[7; 32]);
        let tokens = JwtTokens::new(settings, JwtAlgorithm::Hs256, vec![key("old")]);
        let token = tokens.sign(claims()).unwrap();
        let token = secrecy::ExposeSecret::expose_secret(&token);
        assert_eq!(tokens.recall(token, START), None, "nobody has verified it");
        for _ in 0..2 {
            assert_eq!(tokens.verify(token, START), Ok(claims()));
            assert_eq!(tokens.recall(token, START), Some(claims()));
        }
        let end = claims().expires_at;
        assert!(tokens.verify(token, end - Duration::from_micros(1)).is_ok());
        assert!(tokens.verify(token, end).is_err());
        assert_eq!(tokens.recall(token, end), None);
        assert!(tokens.verify(token, START - Duration::from_secs(31)).is_err());
        assert!(tokens.verify(token, START).is_ok());
        assert!(tokens.replace_keys(vec![key("new")]));
        assert_eq!(tokens.recall(token, START), None, "its key was retired");
        assert!(tokens.verify(token, START).is_err(), "its key was retired");
    }
}
