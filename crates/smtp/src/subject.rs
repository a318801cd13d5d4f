//! Subjects that mean what they say.

use std::error::Error;
use std::fmt::Write;

use lettre::message::header::{Header, HeaderName, HeaderValue};

/// Bytes per encoded word: three characters each, within the 75 of RFC 2047 §2.
const BYTES_PER_WORD: usize = 21;

/// A subject that holds the mark of an encoded word (RFC 2047) by itself.
/// lettre sends ASCII as it is, and a reader would decode what nobody encoded.
#[derive(Clone)]
pub(crate) struct MarkedSubject(String);

impl MarkedSubject {
    /// The subject, if it holds the mark.
    pub(crate) fn of(subject: &str) -> Option<Self> {
        subject.contains("=?").then(|| Self(subject.to_owned()))
    }
}

impl Header for MarkedSubject {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Subject")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::dangerous_new_pre_encoded(Self::name(), self.0.clone(), encoded(&self.0))
    }
}

/// Every byte as `=XX`, in words that each hold whole characters.
fn encoded(subject: &str) -> String {
    let mut words = vec![String::new()];
    for character in subject.chars() {
        if words.last().is_some_and(|word| word.len() / 3 + character.len_utf8() > BYTES_PER_WORD) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(word, "={byte:02X}");
            }
        }
    }
    let words: Vec<_> = words.iter().map(|word| format!("=?utf-8?Q?{word}?=")).collect();
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mark_makes_a_marked_subject() {
        assert!(MarkedSubject::of("Is 2 = 3? Grüße").is_none());
        assert!(MarkedSubject::of("=?utf-8?Q?=41?=").is_some());
    }

    #[test]
    fn words_are_short_and_hold_whole_characters() {
        let text = encoded(&format!("=?{}", "🙂".repeat(20)));
        for line in text.split("\r\n ") {
            assert!(line.len() <= 75, "{line}");
            let word = line.strip_prefix("=?utf-8?Q?").unwrap().strip_suffix("?=").unwrap();
            let bytes = word.split('=').skip(1).map(|hex| u8::from_str_radix(hex, 16).unwrap());
            assert!(String::from_utf8(bytes.collect()).is_ok(), "{line}");
        }
    }
}
