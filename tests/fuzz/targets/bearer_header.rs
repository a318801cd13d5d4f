//! Whatever stands in `Authorization`, a token is one run of printable ASCII.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    if let Some(token) = portcullis_http::fuzzing::bearer(value) {
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(value.ends_with(token.as_bytes()), "a token that was not sent");
        assert_eq!(value.len(), "Bearer ".len() + token.len());
    }
});
