//! Refresh tokens, one-time tokens, and digests.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_domain::ports::{IdentifierDigest, OpaqueTokens};
use portcullis_domain::{
    LetterId, LoginIdentifier, Purpose, RefreshToken, Seed, SeedDigest, SessionId, TokenDigest,
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::ServerSecret;

/// Marks the layout below; other layouts get other numbers.
const VERSION: u8 = 1;
const BODY: usize = 1 + 16 + 4 + 16;
const MAC: usize = 32;

/// Tokens under keys derived from the server's secret.
///
/// A refresh token is `base64url(version ‖ session id ‖ counter ‖ seed ‖
/// HMAC-SHA256)`. An older secret still opens tokens, but seals none.
pub struct SealedTokens {
    refresh: hmac::Key,
    previous_refresh: Option<hmac::Key>,
    one_time: hmac::Key,
    identifiers: hmac::Key,
}

fn key(secret: &ServerSecret, purpose: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &secret.derive(purpose))
}

impl SealedTokens {
    /// Tokens under the current secret, opening those of the previous one too.
    #[must_use]
    pub fn new(current: &ServerSecret, previous: Option<&ServerSecret>) -> Self {
        Self {
            refresh: key(current, "refresh token"),
            previous_refresh: previous.map(|secret| key(secret, "refresh token")),
            one_time: key(current, "one-time token"),
            identifiers: key(current, "login identifier"),
        }
    }

    fn is_ours(&self, body: &[u8], mac: &[u8]) -> bool {
        let keys = std::iter::once(&self.refresh).chain(&self.previous_refresh);
        keys.into_iter().any(|key| hmac::verify(key, body, mac).is_ok())
    }
}

impl OpaqueTokens for SealedTokens {
    fn seal(&self, token: &RefreshToken) -> SecretString {
        let mut bytes = Vec::with_capacity(BODY + MAC);
        bytes.push(VERSION);
        bytes.extend_from_slice(token.session.as_uuid().as_bytes());
        bytes.extend_from_slice(&token.counter.to_be_bytes());
        bytes.extend_from_slice(&token.seed.0);
        let mac = hmac::sign(&self.refresh, &bytes);
        bytes.extend_from_slice(mac.as_ref());
        URL_SAFE_NO_PAD.encode(bytes).into()
    }

    fn unseal(&self, text: &str) -> Option<RefreshToken> {
        // The length first: nothing longer is worth decoding.
        if text.len() != (BODY + MAC) * 4 / 3 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (body, mac) = bytes.split_at_checked(BODY)?;
        if !self.is_ours(body, mac) {
            return None;
        }
        let (version, rest) = body.split_first()?;
        let (session, rest) = rest.split_first_chunk::<16>()?;
        let (counter, rest) = rest.split_first_chunk::<4>()?;
        let seed = Seed(rest.try_into().ok()?);
        (*version == VERSION).then(|| RefreshToken {
            session: SessionId::new(Uuid::from_bytes(*session)),
            counter: u32::from_be_bytes(*counter),
            seed,
        })
    }

    fn digest_seed(&self, seed: Seed) -> SeedDigest {
        SeedDigest(sha256(&seed.0))
    }

    fn one_time_token(&self, purpose: Purpose, letter: LetterId) -> SecretString {
        let purpose: &[u8] = match purpose {
            Purpose::EmailVerification => b"email verification",
            Purpose::PasswordReset => b"password reset",
        };
        let mut context = hmac::Context::with_key(&self.one_time);
        context.update(letter.as_uuid().as_bytes());
        context.update(purpose);
        URL_SAFE_NO_PAD.encode(context.sign()).into()
    }

    fn digest_token(&self, text: &str) -> TokenDigest {
        TokenDigest(sha256(text.as_bytes()))
    }

    fn digest_identifier(&self, identifier: &LoginIdentifier) -> IdentifierDigest {
        let tag = hmac::sign(&self.identifiers, identifier.canonical().as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        IdentifierDigest(bytes)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn token() -> RefreshToken {
        RefreshToken::first(SessionId::new(Uuid::from_u128(1)), Seed([3; 16]))
    }

    #[test]
    fn an_older_secret_opens_but_does_not_seal() {
        let (old, new) = (ServerSecret::generate(), ServerSecret::generate());
        let before = SealedTokens::new(&old, None);
        let rotated = SealedTokens::new(&new, Some(&old));
        let after = SealedTokens::new(&new, None);
        let sealed = before.seal(&token());
        assert_eq!(rotated.unseal(sealed.expose_secret()), Some(token()));
        assert_eq!(after.unseal(sealed.expose_secret()), None);
        assert_eq!(before.unseal(rotated.seal(&token()).expose_secret()), None);
    }

    #[test]
    fn another_servers_token_does_not_open() {
        let mine = SealedTokens::new(&ServerSecret::generate(), None);
        let theirs = SealedTokens::new(&ServerSecret::generate(), None);
        assert_eq!(mine.unseal(theirs.seal(&token()).expose_secret()), None);
    }

    #[test]
    fn a_digest_is_sha_256() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let TokenDigest(bytes) =
            SealedTokens::new(&ServerSecret::generate(), None).digest_token("abc");
        let text = bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(text, expected);
    }
}
