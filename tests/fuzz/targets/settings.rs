//! Whatever stands in the environment or in `.env`, the start says what is wrong
//! with it, by name, and tells no secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_server::fuzzing;

/// Long enough not to be part of a message by chance.
const SECRET: &str = "xQ7hunter2hunter2hunter2hunter2Zk";

fuzz_target!(|text: &str| {
    let mut pairs = vec![("SECRET_KEY".to_owned(), SECRET.to_owned())];
    for line in text.lines() {
        let _ = fuzzing::dot_env_line(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        // Those would read files.
        if !name.ends_with("_FILE") && name != "SECRET_KEY" {
            pairs.push((name.to_owned(), value.to_owned()));
        }
    }
    let told = fuzzing::settings(&pairs);
    assert!(!told.is_empty() && !told.contains(SECRET), "{told}");
});
