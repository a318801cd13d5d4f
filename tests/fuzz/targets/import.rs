//! A line that cannot be an account is told without quoting what may be a hash.

#![no_main]

use libfuzzer_sys::fuzz_target;

const MARK: &str = "hunter2";

/// Whether all that a part of a fault quotes is the name of a field, and that one.
fn is_about_a_name(part: &str) -> bool {
    part.strip_suffix(": is no field of an account").is_some_and(|name| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        name.len() <= 40 && name.bytes().all(is_plain)
    })
}

fuzz_target!(|file: &[u8]| {
    for fault in portcullis_server::fuzzing::import(file) {
        assert!(!fault.is_empty());
        let quotes = fault.split("; ").any(|part| part.contains(MARK) && !is_about_a_name(part));
        assert!(!quotes, "{fault}");
    }
});
