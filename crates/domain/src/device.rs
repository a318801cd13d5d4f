//! Devices that somebody wants to be notified on.

use crate::push::DeviceToken;
use crate::{Timestamp, TokenDigest, UserId};

/// How many devices an account may have; one more takes the place of the one
/// that was registered first. A notice goes to all of them, and nobody carries
/// more.
pub const MAX_DEVICES: u32 = 20;

/// A device and its owner: whoever registered it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The token's digest, by which it is found.
    pub digest: TokenDigest,
    /// Where notifications go.
    pub token: DeviceToken,
    /// Whose it is.
    pub user: UserId,
    /// Since when.
    pub registered_at: Timestamp,
}
