//! A line that cannot be an account is told without quoting what may be a hash.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    for fault in portcullis_server::fuzzing::import(file) {
        assert!(!fault.is_empty());
        assert!(!fault.contains("hunter2"), "{fault}");
    }
});
