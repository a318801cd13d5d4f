//! Names that Apple or the app's owner gave, one type each so that they cannot
//! be mixed up.

use std::fmt;

macro_rules! name {
    (
        $(#[$doc:meta])*
        $name:ident, $invalid:ident, $max:literal, $allowed:expr, $rule:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        #[doc = concat!("The text is no [`", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
        #[error($rule)]
        pub struct $invalid;

        impl $name {
            /// Most characters.
            pub const MAX: usize = $max;

            /// Reads one; outer blanks are not forgiven.
            ///
            /// # Errors
            #[doc = concat!("[`", stringify!($invalid), "`] when it is empty, too long or")]
            /// has other characters.
            pub fn parse(text: &str) -> Result<Self, $invalid> {
                let allowed: fn(u8) -> bool = $allowed;
                if (1..=Self::MAX).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err($invalid)
                }
            }

            /// The text inside.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// What stands in a path of Apple's API without being encoded. Apple's own are
/// digits.
fn in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

name! {
    /// Names one purchase or one renewal.
    TransactionId, InvalidTransactionId, 64, in_path,
    "transaction id must be 1 to 64 characters of A-Z, a-z, 0-9, '_' and '-'"
}
name! {
    /// Names the purchase that everything later goes back to: of a
    /// subscription, it stays the same over all renewals.
    OriginalTransactionId, InvalidOriginalTransactionId, 64, in_path,
    "original transaction id must be 1 to 64 characters of A-Z, a-z, 0-9, '_' and '-'"
}
name! {
    /// Names what is sold, as App Store Connect has it.
    ProductId, InvalidProductId, 255, |byte| byte.is_ascii_graphic(),
    "product id must be 1 to 255 visible ASCII characters"
}
name! {
    /// Names the app, as App Store Connect has it.
    BundleId, InvalidBundleId, 155, |byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte),
    "bundle id must be 1 to 155 characters of A-Z, a-z, 0-9, '.', '-' and '_'"
}
name! {
    /// Where the next page of a list begins: Apple's, given back as it was.
    Revision, InvalidRevision, 1024, |byte| byte.is_ascii_graphic(),
    "revision must be 1 to 1024 visible ASCII characters"
}
name! {
    /// Names a request to extend a renewal date, chosen by whoever asks.
    ExtensionRequestId, InvalidExtensionRequestId, 128, |byte| byte.is_ascii_graphic(),
    "request identifier must be 1 to 128 visible ASCII characters"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_id_cannot_leave_its_place_in_a_path() {
        assert_eq!(TransactionId::parse("2000000123456789").unwrap().as_str(), "2000000123456789");
        for bad in ["", " ", "\t", " 1", "1/2", "1?a", "1#a", "%31", "..", "ä", &"1".repeat(65)] {
            assert_eq!(TransactionId::parse(bad), Err(InvalidTransactionId), "{bad:?}");
            let original = OriginalTransactionId::parse(bad);
            assert_eq!(original, Err(InvalidOriginalTransactionId), "{bad:?}");
        }
    }

    #[test]
    fn names_are_neither_blank_nor_endless() {
        assert!(ProductId::parse("com.example.pro_monthly").is_ok());
        assert!(BundleId::parse("com.example.app-2").is_ok());
        assert!(Revision::parse("bbeb20_cf/+=").is_ok());
        assert!(ExtensionRequestId::parse("fdf964a4-233b-486c-aac1-97d8d52688ac").is_ok());
        for bad in ["", " ", "a b", "a\n", &"x".repeat(1025)] {
            assert!(ProductId::parse(bad).is_err(), "{bad:?}");
            assert!(BundleId::parse(bad).is_err(), "{bad:?}");
            assert!(Revision::parse(bad).is_err(), "{bad:?}");
            assert!(ExtensionRequestId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_refused_is_named() {
        let told = InvalidExtensionRequestId.to_string();
        assert_eq!(told, "request identifier must be 1 to 128 visible ASCII characters");
    }
}
