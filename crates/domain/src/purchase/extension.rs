//! Giving a subscriber more time.

use super::{ExtensionRequestId, OriginalTransactionId};
use crate::Timestamp;

/// By how many days a renewal date is moved: 1 to 90, as Apple permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionDays(u8);

/// The number is no [`ExtensionDays`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("extend_by_days must be an integer between 1 and 90")]
pub struct InvalidExtensionDays;

impl ExtensionDays {
    /// Most days.
    pub const MAX: u8 = 90;

    /// Checks a number of days.
    ///
    /// # Errors
    /// [`InvalidExtensionDays`] when it is outside the bounds.
    pub fn new(days: i64) -> Result<Self, InvalidExtensionDays> {
        match u8::try_from(days) {
            Ok(days @ 1..=Self::MAX) => Ok(Self(days)),
            _ => Err(InvalidExtensionDays),
        }
    }

    /// The number inside.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Why a renewal date is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExtensionReason {
    /// Not told.
    Undeclared,
    /// To please the customer.
    CustomerSatisfaction,
    /// Something else.
    Other,
    /// The service did not work.
    ServiceIssue,
}

/// The number is no [`ExtensionReason`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("extend_reason_code must be an integer between 0 and 3")]
pub struct InvalidExtensionReason;

impl ExtensionReason {
    /// Reads Apple's code.
    ///
    /// # Errors
    /// [`InvalidExtensionReason`] when there is none of that number.
    pub const fn from_code(code: i64) -> Result<Self, InvalidExtensionReason> {
        match code {
            0 => Ok(Self::Undeclared),
            1 => Ok(Self::CustomerSatisfaction),
            2 => Ok(Self::Other),
            3 => Ok(Self::ServiceIssue),
            _ => Err(InvalidExtensionReason),
        }
    }

    /// Apple's code: 0 to 3.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Undeclared => 0,
            Self::CustomerSatisfaction => 1,
            Self::Other => 2,
            Self::ServiceIssue => 3,
        }
    }
}

/// A request to move a renewal date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionRequest {
    /// The subscription.
    pub subscription: OriginalTransactionId,
    /// By how much.
    pub days: ExtensionDays,
    /// Why.
    pub reason: ExtensionReason,
    /// The name of this request.
    pub id: ExtensionRequestId,
}

/// A renewal date that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenewalExtension {
    /// The subscription.
    pub subscription: OriginalTransactionId,
    /// Apple's name for this stretch of it, if it says.
    pub web_order_line_item: Option<String>,
    /// When the subscription renews now, if Apple says.
    pub effective_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_1_to_90() {
        for days in [1, 45, 90] {
            assert_eq!(ExtensionDays::new(days).map(ExtensionDays::get).map(i64::from), Ok(days));
        }
        for days in [i64::MIN, -1, 0, 91, 256, 257, i64::MAX] {
            assert_eq!(ExtensionDays::new(days), Err(InvalidExtensionDays), "{days}");
        }
    }

    #[test]
    fn reasons_are_0_to_3() {
        for code in 0..=3 {
            let reason = ExtensionReason::from_code(code).unwrap();
            assert_eq!(i64::from(reason.code()), code);
        }
        for code in [-1, 4, 256] {
            assert_eq!(ExtensionReason::from_code(code), Err(InvalidExtensionReason), "{code}");
        }
    }
}
