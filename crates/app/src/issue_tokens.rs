//! Opening sessions and making the tokens that belong to them.

use std::time::Duration;

use portcullis_domain::{AccessClaims, Client, Contract, RefreshToken, Session, SessionId, UserId};
use secrecy::SecretString;

use crate::{App, Failure};

/// A pair of tokens for a client.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: SecretString,
    /// How long the access token is good.
    pub access_ttl: Duration,
    /// The refresh token.
    pub refresh: SecretString,
    /// Whose they are.
    pub user: UserId,
    /// The session that they belong to.
    pub session: SessionId,
}

impl App {
    /// A new session, not stored yet, and its first refresh token.
    pub(crate) fn new_session(
        &self,
        user_id: UserId,
        contract: Contract,
        client: Client,
    ) -> (Session, RefreshToken) {
        let now = self.now();
        let rules = self.rules.sessions(contract);
        let seed = self.ports.randomness.seed();
        let session = Session {
            id: self.ports.ids.session(),
            user_id,
            contract,
            rotates: rules.rotates,
            seed_digest: self.ports.opaque_tokens.digest_seed(seed),
            counter: 0,
            opened_at: now,
            rotated_at: now,
            last_used_at: now,
            expires_at: now + rules.session_ttl,
            end: None,
            client,
        };
        let refresh = RefreshToken::first(session.id, seed);
        (session, refresh)
    }

    /// A fresh access token of the session, beside the given refresh token.
    pub(crate) fn issue_tokens(
        &self,
        session: &Session,
        refresh: &RefreshToken,
    ) -> Result<Tokens, Failure> {
        let access_ttl = self.rules.sessions(session.contract).access_ttl;
        let issued_at = self.now().floor_to_second();
        let claims = AccessClaims {
            user: session.user_id,
            session: session.id,
            id: self.ports.ids.access_token(),
            issued_at,
            expires_at: issued_at + access_ttl,
        };
        Ok(Tokens {
            access: self.ports.access_tokens.sign(claims)?,
            access_ttl,
            refresh: self.ports.opaque_tokens.seal(refresh),
            user: session.user_id,
            session: session.id,
        })
    }
}
