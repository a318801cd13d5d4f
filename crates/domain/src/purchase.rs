//! In-app purchases as Apple's App Store tells them, and the rules between
//! them.
//!
//! Whoever holds a [`Transaction`], a [`Renewal`] or an
//! [`AppStoreNotification`] holds something whose signature was checked:
//! adapters make them of nothing else.

mod extension;
mod identifiers;
mod notification;
mod signed_payload;
mod subscription;
mod transaction;

pub use extension::{
    ExtensionDays, ExtensionReason, ExtensionRequest, InvalidExtensionDays, InvalidExtensionReason,
    RenewalExtension,
};
pub use identifiers::{
    BundleId, ExtensionRequestId, InvalidBundleId, InvalidExtensionRequestId,
    InvalidOriginalTransactionId, InvalidProductId, InvalidRevision, InvalidTransactionId,
    OriginalTransactionId, ProductId, Revision, TransactionId,
};
pub use notification::{AppStoreNotification, NotificationKind};
pub use signed_payload::{InvalidSignedPayload, SignedPayload};
pub use subscription::{ExpirationReason, Renewal, Subscription, SubscriptionState};
pub use transaction::{
    AppStoreEnvironment, Ownership, Price, ProductMismatch, ProductType, Revocation,
    RevocationReason, Transaction, TransactionPage, latest,
};
