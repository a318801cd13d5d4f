//! Tokens with a defect.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_conformance::fakes::PlainTokens;
use portcullis_domain::ports::{
    AccessTokens, IdentifierDigest, InvalidAccessToken, OpaqueTokens, SigningError,
};
use portcullis_domain::{
    AccessClaims, LetterId, LoginIdentifier, Purpose, RefreshToken, Seed, SeedDigest, SessionId,
    Timestamp, TokenDigest,
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::Defect;

pub(crate) struct BrokenTokens {
    defect: Defect,
    calls: AtomicU64,
}

impl BrokenTokens {
    pub(crate) fn new(defect: Defect) -> Self {
        Self { defect, calls: AtomicU64::new(0) }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    fn call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::SeqCst)
    }
}

impl AccessTokens for BrokenTokens {
    fn sign(&self, claims: AccessClaims) -> Result<SecretString, SigningError> {
        PlainTokens.sign(claims)
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, InvalidAccessToken> {
        let now = match self.defect {
            Defect::ExpireLate => now - Duration::from_secs(1),
            _ => now,
        };
        let claims = match self.defect {
            // Whenever it was made, and whatever its seal: the text is believed.
            Defect::TrustTheFuture => {
                let at = token.rsplit('.').nth(2).and_then(|text| text.parse().ok());
                let issued = at.map_or(now, Timestamp::from_seconds);
                PlainTokens.verify(token, now.max(issued))?
            }
            Defect::IgnoreSeals => {
                let text = token.rsplit_once('.').map_or(token, |(text, _)| text);
                let parts: Vec<&str> = text.split('.').collect();
                if parts.len() != 5 {
                    return Err(InvalidAccessToken);
                }
                let id = |at: usize| Uuid::parse_str(parts[at]).map_err(|_| InvalidAccessToken);
                AccessClaims {
                    user: portcullis_domain::UserId::new(id(0)?),
                    session: SessionId::new(id(1)?),
                    id: portcullis_domain::AccessTokenId::new(id(2)?),
                    issued_at: now,
                    expires_at: now,
                }
            }
            Defect::AcceptAnything if token.len() > 50_000 => AccessClaims {
                user: portcullis_domain::UserId::new(Uuid::nil()),
                session: SessionId::new(Uuid::nil()),
                id: portcullis_domain::AccessTokenId::new(Uuid::nil()),
                issued_at: now,
                expires_at: now,
            },
            _ => PlainTokens.verify(token, now)?,
        };
        let session =
            if self.has(Defect::LoseFields) { SessionId::new(Uuid::nil()) } else { claims.session };
        Ok(AccessClaims { session, ..claims })
    }

    fn public_keys(&self) -> String {
        PlainTokens.public_keys()
    }
}

impl OpaqueTokens for BrokenTokens {
    fn seal(&self, token: &RefreshToken) -> SecretString {
        let sealed = PlainTokens.seal(token);
        match self.defect {
            Defect::SealAnew => format!("{}.{}", sealed.expose_secret(), self.call()).into(),
            Defect::OddCharacters => format!("{}+/=", sealed.expose_secret()).into(),
            _ => sealed,
        }
    }

    fn unseal(&self, text: &str) -> Option<RefreshToken> {
        let text = match self.defect {
            Defect::SealAnew => text.split('.').next()?,
            Defect::OddCharacters => text.trim_end_matches("+/="),
            Defect::IgnoreSeals => text.trim(),
            _ => text,
        };
        let opened = PlainTokens.unseal(text)?;
        let counter = if self.has(Defect::LoseFields) { 0 } else { opened.counter };
        Some(RefreshToken { counter, ..opened })
    }

    fn digest_seed(&self, seed: Seed) -> SeedDigest {
        PlainTokens.digest_seed(seed)
    }

    fn one_time_token(&self, purpose: Purpose, letter: LetterId) -> SecretString {
        let purpose =
            if self.has(Defect::IgnorePurpose) { Purpose::PasswordReset } else { purpose };
        PlainTokens.one_time_token(purpose, letter)
    }

    fn digest_token(&self, text: &str) -> TokenDigest {
        let text = if self.has(Defect::FoldCase) { text.to_lowercase() } else { text.to_owned() };
        PlainTokens.digest_token(&text)
    }

    fn digest_identifier(&self, identifier: &LoginIdentifier) -> IdentifierDigest {
        PlainTokens.digest_identifier(identifier)
    }
}
