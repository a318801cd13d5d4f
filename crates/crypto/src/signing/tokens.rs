//! Signing and verifying.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use portcullis_domain::ports::{AccessTokens, InvalidAccessToken, SigningError};
use portcullis_domain::{AccessClaims, AccessTokenId, SessionId, Timestamp, UserId};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::claims::{ACCESS, ClaimsText, HeaderText};
use super::keys::{JwtAlgorithm, SigningKey};
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
    header: Header,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    public_keys: String,
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
        let others: Vec<_> = previous.map(key).into_iter().collect();
        Self::new(settings, JwtAlgorithm::Hs256, key(current), &others)
    }

    /// Tokens under an asymmetric algorithm; the last key signs, all verify.
    /// `None` without a key.
    #[must_use]
    pub fn asymmetric(
        settings: JwtSettings,
        algorithm: JwtAlgorithm,
        mut keys: Vec<SigningKey>,
    ) -> Option<Self> {
        let signing = keys.pop()?;
        Some(Self::new(settings, algorithm, signing, &keys))
    }

    fn new(
        settings: JwtSettings,
        algorithm: JwtAlgorithm,
        signing: SigningKey,
        others: &[SigningKey],
    ) -> Self {
        let mut header = Header::new(algorithm.algorithm());
        header.kid = Some(signing.kid.clone());
        // The claims are checked here, against our clock; the library checks
        // the signature.
        let mut validation = Validation::new(algorithm.algorithm());
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();

        let newest_first = || std::iter::once(&signing).chain(others);
        let public: Vec<_> = newest_first().filter_map(|key| key.public.clone()).collect();
        let verifying = newest_first().map(|key| (key.kid.clone(), key.decoding.clone())).collect();
        Self {
            settings,
            algorithm,
            header,
            verifying,
            validation,
            public_keys: json!({ "keys": public }).to_string(),
            signing: signing.encoding,
        }
    }

    fn key_of(&self, token: &str) -> Option<&DecodingKey> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let header: HeaderText = serde_json::from_slice(&header).ok()?;
        let is_ours = header.alg == self.algorithm.name() && header.typ == "JWT";
        if is_ours { self.verifying.get(&header.kid) } else { None }
    }

    fn check(&self, claims: &ClaimsText, now: Timestamp) -> Option<AccessClaims> {
        let issued_at = Timestamp::from_seconds(claims.iat);
        let expires_at = Timestamp::from_seconds(claims.exp);
        let not_before = claims.nbf.map_or(issued_at, Timestamp::from_seconds);
        let is_ours = claims.iss == self.settings.issuer
            && claims.aud == self.settings.audience
            && claims.kind == ACCESS;
        let is_timely = now < expires_at && issued_at.max(not_before) <= now + LEEWAY;
        // In the one spelling in which they are signed.
        let id = |text: &str| Uuid::try_parse(text).ok().filter(|id| id.to_string() == text);
        (is_ours && is_timely).then_some(AccessClaims {
            user: UserId::new(id(&claims.sub)?),
            session: SessionId::new(id(&claims.sid)?),
            id: AccessTokenId::new(id(&claims.jti)?),
            issued_at,
            expires_at,
        })
    }
}

impl AccessTokens for JwtTokens {
    fn sign(&self, claims: AccessClaims) -> Result<SecretString, SigningError> {
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
        let token = jsonwebtoken::encode(&self.header, &claims, &self.signing);
        token.map(SecretString::from).map_err(|error| SigningError(error.into()))
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, InvalidAccessToken> {
        let key = self.key_of(token).ok_or(InvalidAccessToken)?;
        let decoded = jsonwebtoken::decode::<ClaimsText>(token, key, &self.validation)
            .map_err(|_| InvalidAccessToken)?;
        self.check(&decoded.claims, now).ok_or(InvalidAccessToken)
    }

    fn public_keys(&self) -> String {
        self.public_keys.clone()
    }
}
