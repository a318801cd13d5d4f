//! Nothing but what was issued is an access token.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use portcullis_crypto::{JwtSettings, JwtTokens, ServerSecret};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::AccessTokens;

static TOKENS: LazyLock<JwtTokens> = LazyLock::new(|| {
    let settings =
        JwtSettings { issuer: "http://localhost:8000".into(), audience: "portcullis".into() };
    JwtTokens::symmetric(settings, &ServerSecret::generate(), None)
});

fuzz_target!(|text: &str| {
    let now = Timestamp::from_seconds(1_700_000_000);
    assert!(TOKENS.verify(text, now).is_err(), "a token that nobody issued: {text}");
});
