//! Laws of opaque tokens.

#![expect(clippy::unused_async, reason = "laws are async alike, so that one macro runs them all")]

use std::collections::HashSet;
use std::sync::Arc;

use portcullis_domain::ports::OpaqueTokens;
use portcullis_domain::{LetterId, LoginIdentifier, Purpose, RefreshToken, Seed, SessionId};
use secrecy::ExposeSecret;
use uuid::Uuid;

fn token(number: u32) -> RefreshToken {
    let session = SessionId::new(Uuid::from_u128(u128::from(number)));
    RefreshToken { session, counter: number, seed: Seed([u8::try_from(number % 251).unwrap(); 16]) }
}

fn is_url_safe(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Session, counter and seed come back.
pub async fn a_sealed_token_opens_to_what_it_was(tokens: &Arc<dyn OpaqueTokens>) {
    for number in [0, 1, 255, 256, u32::MAX] {
        let token = token(number);
        assert_eq!(tokens.unseal(tokens.seal(&token).expose_secret()), Some(token));
    }
}

/// So that a replay can be answered with the same successor.
pub async fn sealing_twice_gives_one_text(tokens: &Arc<dyn OpaqueTokens>) {
    let (first, second) = (tokens.seal(&token(1)), tokens.seal(&token(1)));
    assert_eq!(first.expose_secret(), second.expose_secret());
    assert_ne!(first.expose_secret(), tokens.seal(&token(2)).expose_secret());
}

/// Not one character may be changed, cut or added.
pub async fn no_altered_text_opens(tokens: &Arc<dyn OpaqueTokens>) {
    let sealed = tokens.seal(&token(7));
    let good = sealed.expose_secret();
    for at in 0..good.len() {
        for other in ['A', 'B', 'z', '9', '-', '=', ' ', '.'] {
            let mut altered: Vec<char> = good.chars().collect();
            altered[at] = other;
            let altered: String = altered.into_iter().collect();
            if altered != good {
                assert_eq!(tokens.unseal(&altered), None, "{altered}");
            }
        }
    }
    let cut = &good[..good.len() - 1];
    for altered in
        [String::new(), cut.into(), format!("{good}A"), format!("{good}="), format!(" {good}")]
    {
        assert_eq!(tokens.unseal(&altered), None, "{altered}");
    }
}

/// They stand in links and hold 256 bits at least (contract §5).
pub async fn tokens_are_url_safe_and_long_enough(tokens: &Arc<dyn OpaqueTokens>) {
    let letter = LetterId::new(Uuid::from_u128(1));
    let one_time = tokens.one_time_token(Purpose::PasswordReset, letter);
    for text in [one_time.expose_secret(), tokens.seal(&token(1)).expose_secret()] {
        assert!(is_url_safe(text) && text.len() >= 43, "{text}");
    }
}

/// The same again for the same letter, another for any other.
pub async fn one_letter_gives_one_token_per_purpose(tokens: &Arc<dyn OpaqueTokens>) {
    let mut seen = HashSet::new();
    for number in 0..500 {
        let letter = LetterId::new(Uuid::from_u128(number));
        for purpose in [Purpose::EmailVerification, Purpose::PasswordReset] {
            let text = tokens.one_time_token(purpose, letter);
            let again = tokens.one_time_token(purpose, letter);
            assert_eq!(text.expose_secret(), again.expose_secret());
            assert!(seen.insert(text.expose_secret().to_owned()));
        }
    }
}

/// Equal input, equal digest; other input, another one.
pub async fn digests_follow_their_input(tokens: &Arc<dyn OpaqueTokens>) {
    assert_eq!(tokens.digest_token("a"), tokens.digest_token("a"));
    assert_ne!(tokens.digest_token("a"), tokens.digest_token("A"));
    assert_eq!(tokens.digest_seed(Seed([1; 16])), tokens.digest_seed(Seed([1; 16])));
    assert_ne!(tokens.digest_seed(Seed([1; 16])), tokens.digest_seed(Seed([2; 16])));
    let identifier = |text| LoginIdentifier::parse(text).unwrap();
    assert_eq!(
        tokens.digest_identifier(&identifier("Ann@Example.com")),
        tokens.digest_identifier(&identifier("ann@example.com"))
    );
    assert_ne!(
        tokens.digest_identifier(&identifier("ann@example.com")),
        tokens.digest_identifier(&identifier("ann"))
    );
}
