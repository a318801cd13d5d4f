//! E-mail addresses in one canonical spelling.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// Longest address in bytes (contract §4; RFC 5321 §4.5.3.1.3 less the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;
/// Longest local part in bytes (contract §4; RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_BYTES: usize = 64;

/// An e-mail address: ASCII local part in lower case, domain as its A-label.
///
/// There is one spelling per mailbox, so equality of the text is equality of
/// the address, here and in every store's unique index. No provider's folding
/// is applied: `a+b@` and `a.b@` are addresses of their own (contract §4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

/// The text is not an address that Portcullis accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value is not a valid email address")]
pub struct InvalidEmail;

impl Email {
    /// Parses and canonicalises an address as contract §4 describes.
    ///
    /// # Errors
    /// [`InvalidEmail`] for anything but `local@domain.tld`: quoted local
    /// parts, comments, display names, IP literals, non-ASCII local parts,
    /// dots in the wrong place, or too many bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        // An A-label may be longer than its Unicode spelling, never by this much;
        // the check keeps the work below proportional to a legal address.
        if text.len() > 4 * MAX_ADDRESS_BYTES {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        if !is_dot_atom(local) || is_encoded_word(local) || local.len() > MAX_LOCAL_BYTES {
            return Err(InvalidEmail);
        }
        let domain = canonical_domain(domain)?;
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if address.len() > MAX_ADDRESS_BYTES {
            return Err(InvalidEmail);
        }
        Ok(Self(address))
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

/// RFC 5322 §3.2.3: atoms joined by single dots.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte))
}

/// RFC 2047 §2: some mailers decode these, so that the address they write to
/// is not the one that was checked.
fn is_encoded_word(local: &str) -> bool {
    local.starts_with("=?") && local.ends_with("?=")
}

fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

fn canonical_domain(domain: &str) -> Result<String, InvalidEmail> {
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| InvalidEmail)?;
    // The last label of a public name is never a number, so this also refuses
    // bare IPv4 addresses.
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if !ascii.contains('.') || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidEmail);
    }
    Ok(ascii.into_owned())
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses are personal data: the debug form, which ends up in logs, tells none.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<String> {
        Email::parse(text).ok().map(|email| email.as_str().to_owned())
    }

    #[test]
    fn case_and_outer_blanks_do_not_make_another_address() {
        assert_eq!(parsed("  Ann@EXAMPLE.com "), Some("ann@example.com".into()));
    }

    #[test]
    fn tags_and_dots_make_other_addresses() {
        assert_ne!(parsed("a+b@example.com"), parsed("a@example.com"));
        assert_ne!(parsed("a.b@example.com"), parsed("ab@example.com"));
    }

    #[test]
    fn rg_05_an_international_domain_becomes_its_a_label() {
        assert_eq!(parsed("a@Bücher.example"), Some("a@xn--bcher-kva.example".into()));
        assert_eq!(parsed("a@BU\u{308}CHER.example"), parsed("a@bücher.example"));
    }

    #[test]
    fn ordinary_addresses_pass() {
        let local = "x".repeat(64);
        for text in [
            "a+b@x.io",
            "o'neil@x.co.uk",
            "x@a-b.travel",
            "1234567890@example.com",
            "first.last_name@example.org",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            &format!("{local}@example.com"),
        ] {
            assert!(parsed(text).is_some(), "{text}");
        }
    }

    #[test]
    fn dangerous_forms_are_refused() {
        let long_local = format!("{}@example.com", "x".repeat(65));
        let long_total = format!("a@{}.com", vec!["x".repeat(60); 5].join("."));
        let long_label = format!("a@{}.com", "x".repeat(64));
        for text in [
            "",
            " ",
            "a",
            "@",
            "a@",
            "@example.com",
            "a@b@example.com",
            ".a@example.com",
            "a..b@example.com",
            "a.@example.com",
            "a b@example.com",
            "\"a b\"@example.com",
            "a(c)@example.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "<a@example.com>",
            "A <a@example.com>",
            "a@example.com,b@example.com",
            "=?utf-8?q?=41?=@example.com",
            "a\t@example.com",
            "a\r@example.com",
            "a\n@example.com",
            "a\0@example.com",
            "a@exam\nple.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@localhost",
            "a@-x.com",
            "a@x-.com",
            "a@x_y.com",
            "a@.com",
            "a@x..com",
            "a@x.com.",
            "é@example.com",
            "m\u{131}ke@example.com",
            "mi\u{212A}e@example.com",
            "\u{FF4D}ike@example.com",
            &long_local,
            &long_total,
            &long_label,
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn absurd_lengths_are_refused() {
        for text in [
            format!("{}@", "a".repeat(50_000)),
            format!("a@{}", "a.".repeat(20_000)),
            format!("a@{}", "-".repeat(50_000)),
        ] {
            assert_eq!(parsed(&text), None);
        }
    }

    #[test]
    fn debug_tells_no_address() {
        let email = Email::parse("ann@example.com").unwrap();
        assert!(!format!("{email:?}").contains("ann"));
    }
}
