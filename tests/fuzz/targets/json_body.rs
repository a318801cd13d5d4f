//! A body is an object with each field once, or it is refused with 422; a
//! refusal repeats nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

const MARK: &str = "hunter2";

fuzz_target!(|body: &[u8]| {
    match portcullis_http::fuzzing::json(body) {
        Ok(email) => assert!(email.contains('@')),
        Err((status, told)) => {
            assert_eq!(status, 422, "{told}");
            assert!(!told.contains(MARK), "{told}");
        }
    }
});
