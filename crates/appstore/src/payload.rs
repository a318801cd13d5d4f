//! What Apple signs, as it writes it, and in the domain's words.
//! <https://developer.apple.com/documentation/appstoreserverapi>

mod notification;
mod renewal;
mod transaction;

use portcullis_domain::Timestamp;
use portcullis_domain::ports::PurchaseError;
use portcullis_domain::purchase::{Price, SubscriptionState};
use serde::Deserialize;

pub(crate) use notification::SignedNotification;
pub(crate) use renewal::SignedRenewal;
pub(crate) use transaction::SignedTransaction;

use crate::flaws::malformed;

/// A point in time in milliseconds since the epoch.
#[derive(Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(crate) struct Millis(i64);

impl From<Millis> for Timestamp {
    fn from(Millis(millis): Millis) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }
}

/// Where a subscription stands, by its number.
pub(crate) const fn state(number: i64) -> SubscriptionState {
    match number {
        1 => SubscriptionState::Active,
        2 => SubscriptionState::Expired,
        3 => SubscriptionState::BillingRetry,
        4 => SubscriptionState::GracePeriod,
        5 => SubscriptionState::Revoked,
        other => SubscriptionState::Other(other),
    }
}

/// A text that must be there and keep the rules of its kind.
fn required<T, E>(
    text: Option<&str>,
    parse: fn(&str) -> Result<T, E>,
    field: &'static str,
) -> Result<T, PurchaseError> {
    text.and_then(|text| parse(text).ok()).ok_or_else(|| malformed(field))
}

/// A point in time that must be there.
fn moment(millis: Option<Millis>, field: &'static str) -> Result<Timestamp, PurchaseError> {
    millis.map(Into::into).ok_or_else(|| malformed(field))
}

/// A price, if amount and currency are told.
fn price(milliunits: Option<i64>, currency: Option<String>) -> Option<Price> {
    Some(Price { milliunits: milliunits?, currency: currency? })
}
