//! Telephone numbers.

use std::fmt;

/// A telephone number as ITU-T E.164 writes it: `+`, a country code, and up to
/// 15 digits in all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

/// The text is not a telephone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a telephone number like +15551234567")]
pub struct InvalidPhoneNumber;

impl PhoneNumber {
    /// Fewest digits; no country has shorter numbers that can be called from abroad.
    const MIN_DIGITS: usize = 4;
    /// Most digits (ITU-T E.164 §6.2.1).
    const MAX_DIGITS: usize = 15;

    /// Takes a number without blanks or other ornament.
    ///
    /// # Errors
    /// [`InvalidPhoneNumber`] for anything but `+` and 4–15 digits of which the
    /// first is not zero.
    pub fn parse(text: &str) -> Result<Self, InvalidPhoneNumber> {
        let digits = text.strip_prefix('+').ok_or(InvalidPhoneNumber)?;
        let is_number = (Self::MIN_DIGITS..=Self::MAX_DIGITS).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if is_number { Ok(Self(text.to_owned())) } else { Err(InvalidPhoneNumber) }
    }

    /// The text, beginning with `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Numbers are personal data: the debug form, which ends up in logs, tells none.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_begins_with_plus_and_a_country() {
        assert_eq!(PhoneNumber::parse("+15551234567").unwrap().as_str(), "+15551234567");
        let longest = format!("+{}", "1".repeat(15));
        assert!(PhoneNumber::parse(&longest).is_ok());
        for text in ["", "+", "15551234567", "+0555123", "+1 555 123", "+1-555", "+12", "+١٢٣٤٥٦"]
        {
            assert_eq!(PhoneNumber::parse(text), Err(InvalidPhoneNumber), "{text}");
        }
        assert!(PhoneNumber::parse(&format!("{longest}1")).is_err());
    }

    #[test]
    fn debug_tells_no_number() {
        assert_eq!(format!("{:?}", PhoneNumber::parse("+15551234567").unwrap()), "PhoneNumber(…)");
    }
}
