//! What Apple tells unasked.

use uuid::Uuid;

use super::{AppStoreEnvironment, BundleId, Renewal, SubscriptionState, Transaction};
use crate::Timestamp;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What a notification is about, as Apple publishes it:
        /// <https://developer.apple.com/documentation/appstoreservernotifications/notificationtype>.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum NotificationKind {
            $($(#[$doc])* $name,)+
            /// One that Apple has added since.
            Other(String),
        }

        impl NotificationKind {
            /// All that have a name here.
            pub const KNOWN: &'static [Self] = &[$(Self::$name,)+];

            /// Reads what Apple writes.
            #[must_use]
            pub fn of(text: &str) -> Self {
                match text {
                    $($text => Self::$name,)+
                    other => Self::Other(other.to_owned()),
                }
            }

            /// As Apple writes it: `DID_RENEW`.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$name => $text,)+
                    Self::Other(text) => text,
                }
            }
        }
    };
}

kinds! {
    /// A subscription begins, or begins again.
    Subscribed = "SUBSCRIBED",
    /// A subscription will renew to another product.
    DidChangeRenewalPref = "DID_CHANGE_RENEWAL_PREF",
    /// A subscription will renew, or will no longer.
    DidChangeRenewalStatus = "DID_CHANGE_RENEWAL_STATUS",
    /// An offer was taken.
    OfferRedeemed = "OFFER_REDEEMED",
    /// A subscription was renewed.
    DidRenew = "DID_RENEW",
    /// A subscription ran out.
    Expired = "EXPIRED",
    /// A subscription was not paid; with a grace period, if the subtype says so.
    DidFailToRenew = "DID_FAIL_TO_RENEW",
    /// The grace period is over.
    GracePeriodExpired = "GRACE_PERIOD_EXPIRED",
    /// A higher price was announced or agreed to.
    PriceIncrease = "PRICE_INCREASE",
    /// A purchase was refunded.
    Refund = "REFUND",
    /// A refund was declined.
    RefundDeclined = "REFUND_DECLINED",
    /// A refund was taken back: what was taken away should be given again.
    RefundReversed = "REFUND_REVERSED",
    /// Apple asks how much of a purchase was used before it refunds.
    ConsumptionRequest = "CONSUMPTION_REQUEST",
    /// The renewal date of one subscription was extended.
    RenewalExtended = "RENEWAL_EXTENDED",
    /// The renewal dates of many subscriptions are being extended.
    RenewalExtension = "RENEWAL_EXTENSION",
    /// A purchase is no longer shared by the family.
    Revoke = "REVOKE",
    /// Somebody asked Apple for a test.
    Test = "TEST",
    /// A purchase outside the App Store was not reported.
    ExternalPurchaseToken = "EXTERNAL_PURCHASE_TOKEN",
    /// Something was bought that does not renew.
    OneTimeCharge = "ONE_TIME_CHARGE",
    /// What is said about a subscription was changed.
    MetadataUpdate = "METADATA_UPDATE",
    /// A subscription moved to the Advanced Commerce API.
    Migration = "MIGRATION",
    /// The price of a subscription was changed.
    PriceChange = "PRICE_CHANGE",
    /// A guardian withdrew consent for a child's use of the app.
    RescindConsent = "RESCIND_CONSENT",
}

/// A notification, its signature and those of all within it checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppStoreNotification {
    /// Its name. Apple sends a notification again until it is answered, under
    /// the same name.
    pub id: Uuid,
    /// What it is about.
    pub kind: NotificationKind,
    /// The same in more detail, as Apple writes it: `AUTO_RENEW_DISABLED`.
    pub subtype: Option<String>,
    /// The store: the adapter's own, always.
    pub environment: AppStoreEnvironment,
    /// The app: the adapter's own, always.
    pub bundle: BundleId,
    /// The purchase it is about, if it is about one.
    pub transaction: Option<Transaction>,
    /// How the subscription it is about goes on, if it is about one.
    pub renewal: Option<Renewal>,
    /// Where that subscription stood when the notification was signed.
    pub state: Option<SubscriptionState>,
    /// When Apple signed it.
    pub signed_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in NotificationKind::KNOWN {
            assert_eq!(NotificationKind::of(kind.as_str()), *kind);
        }
    }

    #[test]
    fn a_kind_that_is_new_keeps_its_name() {
        let kind = NotificationKind::of("REFUND_DOUBTED");
        assert_eq!(kind, NotificationKind::Other("REFUND_DOUBTED".into()));
        assert_eq!(kind.as_str(), "REFUND_DOUBTED");
    }
}
