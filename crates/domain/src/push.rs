//! Notifications that appear on a device.

use std::collections::BTreeMap;
use std::fmt;

/// Where a notification goes: what the push service calls one installation of
/// one app.
///
/// Whoever holds it and the service's credentials can write on the device's
/// screen, so its debug form shows its beginning alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceToken(String);

/// The text is not a device token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to 4096 visible ASCII characters")]
pub struct InvalidDeviceToken;

impl DeviceToken {
    /// Most characters. Today's tokens have some 160; their makers promise no
    /// length, and what a store's index holds is not much more than this.
    pub const MAX_CHARS: usize = 4096;
    /// How much of a long token is shown.
    const SHOWN: usize = 8;

    /// Takes a token as it is; nothing is trimmed.
    ///
    /// # Errors
    /// [`InvalidDeviceToken`] when it is empty, too long, or holds anything but
    /// visible ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidDeviceToken> {
        let is_token = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_token { Ok(Self(text.to_owned())) } else { Err(InvalidDeviceToken) }
    }

    /// The whole token: for the push service and the store, not for logs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The beginning alone, and only where that is a small part.
impl fmt::Debug for DeviceToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_long = self.0.len() >= 8 * Self::SHOWN;
        let shown = self.0.get(..Self::SHOWN).filter(|_| is_long).unwrap_or_default();
        write!(f, "DeviceToken({shown}…)")
    }
}

/// What appears on the screen, and what the app is told with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// The first line.
    pub title: String,
    /// The text below.
    pub body: String,
    /// For the app, not for the screen. With the rest it must fit into the
    /// service's message, 4096 bytes at Firebase.
    pub data: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_ascii() {
        assert_eq!(DeviceToken::parse("fid:APA91b-_x").unwrap().expose(), "fid:APA91b-_x");
        assert!(DeviceToken::parse(&"x".repeat(4096)).is_ok());
        for text in ["", " ", "a b", "a\n", "ü", &"x".repeat(4097)] {
            assert_eq!(DeviceToken::parse(text), Err(InvalidDeviceToken), "{text:?}");
        }
    }

    #[test]
    fn debug_tells_no_whole_token() {
        let debug = |text: &str| format!("{:?}", DeviceToken::parse(text).unwrap());
        assert_eq!(debug(&"abcdefgh12345678".repeat(10)), "DeviceToken(abcdefgh…)");
        assert_eq!(debug("short-token"), "DeviceToken(…)");
    }
}
