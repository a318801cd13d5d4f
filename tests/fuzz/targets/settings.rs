//! Whatever stands in the environment or in `.env`, the start says what is wrong
//! with it, by name, and tells no secret.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_server::fuzzing;

/// Long enough not to be part of a message by chance.
const SECRET: &str = "xQ7hunter2hunter2hunter2hunter2Zk";

/// Where secrets stand in other settings. Each may be followed by what the fuzzer
/// makes up, so that what is wrong with them has to be told as well.
const HOLDERS: [(&str, &str); 8] = [
    ("DATABASE_URL", "postgres://ann:xQ7hunter2hunter2hunter2hunter2Zk@db.example.com/auth"),
    ("REDIS_URL", "rediss://:xQ7hunter2hunter2hunter2hunter2Zk@cache.example.com"),
    ("SMTP_URL", "smtps://ann:xQ7hunter2hunter2hunter2hunter2Zk@mail.example.com"),
    ("RESEND_API_KEY", "re_xQ7hunter2hunter2hunter2hunter2Zk"),
    ("BREVO_API_KEY", "xkeysib-xQ7hunter2hunter2hunter2hunter2Zk"),
    ("OBJECT_STORE_KEY", "xQ7hunter2hunter2hunter2hunter2Zk"),
    (
        "FIREBASE_PRIVATE_KEY",
        "-----BEGIN PRIVATE KEY-----\\nxQ7hunter2hunter2hunter2hunter2Zk\\n-----END PRIVATE KEY-----",
    ),
    (
        "APP_STORE_PRIVATE_KEY",
        "-----BEGIN PRIVATE KEY-----\\nxQ7hunter2hunter2hunter2hunter2Zk\\n-----END PRIVATE KEY-----",
    ),
];

/// Whether a file would be read, of whatever name the fuzzer makes up.
fn names_a_file(setting: &str) -> bool {
    setting.ends_with("_FILE") || setting.ends_with("_PATH")
}

fuzz_target!(|text: &str| {
    let mut pairs = vec![("SECRET_KEY".to_owned(), SECRET.to_owned())];
    for line in text.lines() {
        let _ = fuzzing::dot_env_line(line);
        let Some((name, value)) = line.split_once('=') else { continue };
        if let Some((_, held)) = HOLDERS.iter().find(|(holder, _)| *holder == name) {
            pairs.push((name.to_owned(), format!("{held}{value}")));
        } else if !names_a_file(name) && name != "SECRET_KEY" {
            pairs.push((name.to_owned(), value.to_owned()));
        }
    }
    let told = fuzzing::settings(&pairs);
    assert!(!told.is_empty() && !told.contains(SECRET), "{told}");
});
