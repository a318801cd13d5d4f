//! Subscriptions that renew.

use super::{
    AppStoreEnvironment, OriginalTransactionId, Price, ProductId, SignedPayload, Transaction,
};
use crate::Timestamp;

/// Where a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscriptionState {
    /// Paid.
    Active,
    /// Run out.
    Expired,
    /// Run out, while Apple tries again to be paid.
    BillingRetry,
    /// Not paid, yet good while Apple tries again.
    GracePeriod,
    /// Taken back.
    Revoked,
    /// One that Apple has added since, by its number.
    Other(i64),
}

impl SubscriptionState {
    /// Whether its user has what they subscribed to.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Active | Self::GracePeriod)
    }
}

/// Why a subscription ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExpirationReason {
    /// Its user stopped it.
    Cancelled,
    /// Apple could not be paid.
    BillingError,
    /// Its user did not agree to a higher price.
    PriceIncrease,
    /// The product was no longer sold.
    ProductUnavailable,
    /// Something else, by Apple's number.
    Other(i64),
}

/// How a subscription goes on, as Apple signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// The subscription.
    pub original_id: OriginalTransactionId,
    /// What is subscribed to now.
    pub product: ProductId,
    /// What it renews to, if it does.
    pub renews_to: Option<ProductId>,
    /// Whether it renews.
    pub renews: bool,
    /// When the latest purchase runs out or renews, if Apple says.
    pub renews_at: Option<Timestamp>,
    /// What it will cost then, if Apple says.
    pub price: Option<Price>,
    /// Why it ran out, if it has.
    pub expiration_reason: Option<ExpirationReason>,
    /// Whether Apple tries again to be paid.
    pub is_in_billing_retry: bool,
    /// When the grace period ends, if there is one.
    pub grace_period_ends_at: Option<Timestamp>,
    /// The store: the adapter's own, always.
    pub environment: AppStoreEnvironment,
    /// When Apple signed it.
    pub signed_at: Timestamp,
    /// The payload that was checked, as evidence.
    pub signed: SignedPayload,
}

/// A subscription as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its group: a user has one subscription of it at a time.
    pub group: String,
    /// Its name.
    pub original_id: OriginalTransactionId,
    /// Where it stands.
    pub state: SubscriptionState,
    /// Its latest purchase or renewal.
    pub transaction: Transaction,
    /// How it goes on.
    pub renewal: Renewal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_period_is_good_and_a_state_we_do_not_know_is_not() {
        for good in [SubscriptionState::Active, SubscriptionState::GracePeriod] {
            assert!(good.is_good(), "{good:?}");
        }
        for over in [
            SubscriptionState::Expired,
            SubscriptionState::BillingRetry,
            SubscriptionState::Revoked,
            SubscriptionState::Other(6),
        ] {
            assert!(!over.is_good(), "{over:?}");
        }
    }
}
