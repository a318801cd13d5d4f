//! A form is read strictly, URL-encoded or in parts, or refused.

#![no_main]

use std::cell::LazyCell;

use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(|| {
        Builder::new_current_thread().build().expect("a runtime without threads starts")
    });
}

fuzz_target!(|input: &[u8]| {
    // The first line is the media type, as the header would say it.
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let media_type = String::from_utf8_lossy(&input[..end]);
    let body = input.get(end + 1..).unwrap_or_default();
    let form = portcullis_http::fuzzing::form(&media_type, body);
    let read = RUNTIME.with(|runtime| runtime.block_on(form));
    if let Err((status, told)) = read {
        assert!(status == 422 || status == 415, "{status}: {told}");
    }
});
