//! Laws of access tokens.

#![expect(clippy::unused_async, reason = "laws are async alike, so that one macro runs them all")]

use std::sync::Arc;
use std::time::Duration;

use portcullis_domain::ports::{AccessTokens, InvalidAccessToken};
use portcullis_domain::{AccessClaims, AccessTokenId, SessionId, UserId};
use secrecy::ExposeSecret;
use uuid::Uuid;

use crate::build::{START, TICK};

const TTL: Duration = Duration::from_mins(30);

fn claims() -> AccessClaims {
    AccessClaims {
        user: UserId::new(Uuid::from_u128(1)),
        session: SessionId::new(Uuid::from_u128(2)),
        id: AccessTokenId::new(Uuid::from_u128(3)),
        issued_at: START,
        expires_at: START + TTL,
    }
}

/// Every claim comes back.
pub async fn a_signed_token_says_what_was_signed(tokens: &Arc<dyn AccessTokens>) {
    let token = tokens.sign(claims()).unwrap();
    assert_eq!(tokens.verify(token.expose_secret(), START), Ok(claims()));
}

/// No leeway after the end: the issuer is the verifier, with one clock.
pub async fn a_token_is_good_until_just_before_it_expires(tokens: &Arc<dyn AccessTokens>) {
    let token = tokens.sign(claims()).unwrap();
    let token = token.expose_secret();
    assert!(tokens.verify(token, START + TTL - TICK).is_ok());
    assert_eq!(tokens.verify(token, START + TTL), Err(InvalidAccessToken));
}

/// Beyond what clocks of several instances may differ by.
pub async fn a_token_from_the_future_is_refused(tokens: &Arc<dyn AccessTokens>) {
    let token = tokens.sign(claims()).unwrap();
    let hour_ago = START - Duration::from_hours(1);
    assert_eq!(tokens.verify(token.expose_secret(), hour_ago), Err(InvalidAccessToken));
}

/// Not one character may be changed.
pub async fn no_altered_token_is_accepted(tokens: &Arc<dyn AccessTokens>) {
    let token = tokens.sign(claims()).unwrap();
    let good = token.expose_secret();
    for at in 0..good.len() {
        for other in ['A', 'Q', '7', '.', '='] {
            let mut altered: Vec<char> = good.chars().collect();
            altered[at] = other;
            let altered: String = altered.into_iter().collect();
            if altered != good {
                assert_eq!(tokens.verify(&altered, START), Err(InvalidAccessToken), "{altered}");
            }
        }
    }
}

/// Neither nothing, nor anything else.
pub async fn what_is_no_token_is_refused(tokens: &Arc<dyn AccessTokens>) {
    for text in ["", ".", "..", "a.b.c", "a.b.c.d.e", "é.é.é", &"a".repeat(100_000)] {
        assert_eq!(tokens.verify(text, START), Err(InvalidAccessToken));
    }
}
