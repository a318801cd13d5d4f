//! Sessions that are put into the database and whose tokens are made here: the
//! same as those of a login, without its password.

use portcullis_crypto::{JwtSettings, JwtTokens, SealedTokens, ServerSecret};
use portcullis_domain::ports::{AccessTokens, OpaqueTokens};
use portcullis_domain::{
    AccessClaims, AccessTokenId, RefreshToken, Seed, SessionId, Timestamp, UserId,
};
use portcullis_tests::{LoggedIn, claims, unix_now};
use secrecy::ExposeSecret;
use std::time::Duration;
use uuid::Uuid;

use crate::backends::{Backends, PUBLIC_URL, SECRET};

const SEED: Seed = Seed([7; 16]);

/// Sessions of one user, by their numbers from 1.
pub(crate) struct Planted {
    user: UserId,
    access: JwtTokens,
    refresh: SealedTokens,
    like: LoggedIn,
}

impl Planted {
    /// Puts so many live sessions of a user of contract A or B into the database.
    pub(crate) fn new(backends: &Backends, like: &LoggedIn, count: u32, rotates: bool) -> Self {
        let secret = ServerSecret::parse(SECRET.into()).unwrap();
        let settings = JwtSettings { issuer: PUBLIC_URL.into(), audience: "portcullis".into() };
        let refresh = SealedTokens::new(&secret, None);
        let digest = refresh.digest_seed(SEED).0;
        let digest = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let user = claims(&like.access)["sub"].as_str().unwrap().to_owned();
        let contract = if rotates { "json" } else { "form" };
        let planted = backends.sql(&format!(
            "INSERT INTO sessions (id, user_id, contract, rotates, seed_digest, counter, \
             opened_at, rotated_at, last_used_at, expires_at, source) \
             SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '{user}', \
             '{contract}', {rotates}, decode('{digest}', 'hex'), 0, \
             now() - interval '1 hour' + n * interval '1 millisecond', now(), now(), \
             now() + interval '12 hours', '192.0.2.1' FROM generate_series(1, {count}) AS n"
        ));
        assert_eq!(planted, "");
        backends.sql("ANALYZE sessions");
        Self {
            user: UserId::new(user.parse().unwrap()),
            access: JwtTokens::symmetric(settings, &secret, None),
            refresh,
            like: like.clone(),
        }
    }

    /// The session of that number; one that was not planted is nobody's.
    pub(crate) fn session(&self, number: u32) -> LoggedIn {
        let id = 0x4000_8000_0000_0000_0000_u128 | u128::from(number);
        let session = SessionId::new(Uuid::from_u128(id));
        let now = Timestamp::from_seconds(unix_now().try_into().unwrap());
        let said = AccessClaims {
            user: self.user,
            session,
            id: AccessTokenId::new(Uuid::from_u128(id << 1)),
            issued_at: now,
            expires_at: now + Duration::from_hours(1),
        };
        let mut logged_in = self.like.clone();
        logged_in.access = self.access.sign(said).unwrap().expose_secret().into();
        let token = RefreshToken::first(session, SEED);
        logged_in.refresh = self.refresh.seal(&token).expose_secret().into();
        logged_in
    }
}
