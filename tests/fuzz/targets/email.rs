//! An address that is accepted has one spelling, and none that a mailer or a
//! database could read in another way.

#![no_main]

use libfuzzer_sys::fuzz_target;
use portcullis_domain::{Email, FullName, LoginIdentifier, NamePart, Password, Username};

fuzz_target!(|text: &str| {
    let _ = (FullName::parse(text), NamePart::parse(text), Password::parse(text));
    if let Ok(username) = Username::parse(text) {
        assert!(!username.as_str().contains('@'), "a username that might be an address");
    }
    let identifier = LoginIdentifier::parse(text);
    let Ok(email) = Email::parse(text) else { return };
    assert!(identifier.is_some(), "an address that cannot log in");
    let canonical = email.as_str();
    assert!(Email::parse(canonical).is_ok_and(|again| again == email), "{canonical}");
    assert!(Email::parse(&canonical.to_ascii_uppercase()).is_ok_and(|again| again == email));
    assert!(canonical.is_ascii() && canonical.len() <= 254);
    assert!(canonical.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(canonical.bytes().all(|byte| !byte.is_ascii_uppercase()));
    assert!(!canonical.contains(['<', '>', '(', ')', ',', ';', ':', '"', '\\', '[', ']']));
    let (local, domain) = canonical.split_once('@').expect("an address has an @");
    assert!(!domain.contains('@') && domain.contains('.') && !local.is_empty());
    assert!(local.len() <= 64 && domain.split('.').all(|label| (1..=63).contains(&label.len())));
});
