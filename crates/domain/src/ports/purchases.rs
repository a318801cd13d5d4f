//! Apple's App Store: what was bought in the app.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::Cause;
use crate::purchase::{
    AppStoreNotification, ExtensionRequest, OriginalTransactionId, RenewalExtension, Revision,
    SignedPayload, Subscription, Transaction, TransactionId, TransactionPage,
};

/// An argument that the App Store refused, although it keeps our rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PurchaseArgument {
    /// The transaction id.
    TransactionId,
    /// The original transaction id.
    OriginalTransactionId,
    /// Where a page begins.
    Revision,
    /// The number of days.
    ExtensionDays,
    /// The reason.
    ExtensionReason,
    /// The request identifier.
    ExtensionRequestId,
    /// It did not say which.
    Unnamed,
}

impl fmt::Display for PurchaseArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TransactionId => "transaction id",
            Self::OriginalTransactionId => "original transaction id",
            Self::Revision => "revision",
            Self::ExtensionDays => "extend_by_days",
            Self::ExtensionReason => "extend_reason_code",
            Self::ExtensionRequestId => "request identifier",
            Self::Unnamed => "request",
        })
    }
}

/// What the App Store does not have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Missing {
    /// No transaction of that id in this app.
    Transaction(TransactionId),
    /// No purchase of that original id in this app.
    Purchase(OriginalTransactionId),
    /// No such customer any more.
    Account,
    /// No such app: the bundle id of the settings is wrong.
    App,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transaction(id) => write!(f, "transaction '{id}'"),
            Self::Purchase(id) => write!(f, "subscription '{id}'"),
            Self::Account => f.write_str("the customer's account"),
            Self::App => f.write_str("the app"),
        }
    }
}

/// What is wrong with something that should have been signed by Apple for this
/// app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// It is no such payload: not JSON, or something that it must tell is
    /// missing or cannot be.
    Form,
    /// Its certificates do not lead to Apple's root, were not valid when it was
    /// signed, or are not for this use.
    Certificates,
    /// The signature is not of these bytes, or of another algorithm than ES256.
    Signature,
    /// It is about another app, by its bundle id.
    Bundle,
    /// It is about another app, by its Apple id.
    App,
    /// It is of the sandbox where production was expected, or the reverse.
    Environment,
    /// It is about another purchase than was asked for, or what lies within it
    /// is about another than it says.
    Subject,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "its form",
            Self::Certificates => "its certificates",
            Self::Signature => "its signature",
            Self::Bundle => "its bundle id",
            Self::App => "its app id",
            Self::Environment => "its environment",
            Self::Subject => "what it is about",
        })
    }
}

/// Why the App Store did not do what it was asked, or was not believed. One
/// answer of Apple's is one error, whatever was asked.
#[derive(Debug, thiserror::Error)]
pub enum PurchaseError {
    /// Apple refused an argument (400).
    #[error("the App Store refused the {which}")]
    InvalidArgument {
        /// Which.
        which: PurchaseArgument,
        /// What it said.
        source: Cause,
    },
    /// Apple does not have it (404).
    #[error("the App Store does not have {what}")]
    NotFound {
        /// What.
        what: Missing,
        /// What it said.
        source: Cause,
    },
    /// The renewal date of this subscription cannot be extended, or not again
    /// (403): asking again is no use.
    #[error("the App Store does not extend this subscription")]
    Ineligible(#[source] Cause),
    /// Apple refused the key, the issuer or the bundle id (401): an operator
    /// can mend it.
    #[error("the App Store refused the credentials")]
    InvalidCredentials(#[source] Cause),
    /// Too many requests (429).
    #[error("the App Store has had too many requests")]
    RateLimited {
        /// When to come back, if it said so.
        retry_after: Option<Duration>,
        /// What it said.
        source: Cause,
    },
    /// The App Store is away, slow or broken (5xx, or no whole answer). Whether
    /// it did what it was asked is not known; trying again later may succeed.
    #[error("the App Store is unavailable")]
    Unavailable(#[source] Cause),
    /// A payload is not to be believed. Whoever sent it is told no more.
    #[error("a signed payload was refused for {flaw}")]
    Unverified {
        /// What is wrong with it.
        flaw: Flaw,
        /// More of it, for the log.
        source: Cause,
    },
    /// Apple answered with something else than it publishes.
    #[error("the App Store answered with something unexpected")]
    Unexpected(#[source] Cause),
}

/// Whether an answer may be one of a few minutes ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// It may be up to ten minutes old.
    Cached,
    /// The App Store is asked.
    Fresh,
}

/// Apple's App Store, for one app in one environment.
///
/// Everything it returns was signed by Apple, for this app and environment, and
/// the signature was checked; what is not is [`PurchaseError::Unverified`].
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Purchases: Send + Sync {
    /// Asks for a transaction.
    async fn verify_transaction(&self, id: TransactionId) -> Result<Transaction, PurchaseError>;

    /// Checks a transaction that was signed before, for example on a device.
    /// Asks nobody.
    async fn decode_transaction(&self, signed: SignedPayload)
    -> Result<Transaction, PurchaseError>;

    /// Checks a notification and all that lies within it. Asks nobody. Apple
    /// may send it more than once: its id tells.
    async fn decode_notification(
        &self,
        signed: SignedPayload,
    ) -> Result<AppStoreNotification, PurchaseError>;

    /// Asks for a page of all that the customer of a purchase bought in this
    /// app, from `from` on or from the beginning, oldest change first.
    async fn transaction_history(
        &self,
        purchase: OriginalTransactionId,
        from: Option<Revision>,
    ) -> Result<TransactionPage, PurchaseError>;

    /// Asks for a page of what was refunded to the customer of a purchase, from
    /// `from` on or from the beginning.
    async fn refund_history(
        &self,
        purchase: OriginalTransactionId,
        from: Option<Revision>,
    ) -> Result<TransactionPage, PurchaseError>;

    /// How the subscriptions of a purchase's customer stand.
    async fn subscriptions(
        &self,
        purchase: OriginalTransactionId,
        freshness: Freshness,
    ) -> Result<Vec<Subscription>, PurchaseError>;

    /// Forgets what [`Purchases::subscriptions`] remembers about a purchase.
    async fn forget_subscriptions(&self, purchase: OriginalTransactionId);

    /// Moves a subscription's renewal date. After an error that leaves it open
    /// whether it was moved, ask again under the same request identifier: Apple
    /// moves it once. What is remembered about the subscription is forgotten.
    async fn extend_renewal_date(
        &self,
        request: ExtensionRequest,
    ) -> Result<RenewalExtension, PurchaseError>;

    /// Makes sure that the App Store answers and takes the credentials.
    async fn check_connection(&self) -> Result<(), PurchaseError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_which_argument_and_what_is_missing() {
        let which = PurchaseArgument::ExtensionDays;
        let refused = PurchaseError::InvalidArgument { which, source: "4000009".into() };
        assert_eq!(refused.to_string(), "the App Store refused the extend_by_days");
        let what = Missing::Transaction(TransactionId::parse("77").unwrap());
        let absent = PurchaseError::NotFound { what, source: "4040010".into() };
        assert_eq!(absent.to_string(), "the App Store does not have transaction '77'");
        let foreign = PurchaseError::Unverified { flaw: Flaw::Bundle, source: "other".into() };
        assert_eq!(foreign.to_string(), "a signed payload was refused for its bundle id");
    }
}
