//! Purchases and renewals.

use uuid::Uuid;

use super::{BundleId, OriginalTransactionId, ProductId, Revision, SignedPayload, TransactionId};
use crate::Timestamp;

/// Which of Apple's two App Stores. In the sandbox nobody pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AppStoreEnvironment {
    /// Tests and App Review.
    Sandbox,
    /// Money.
    Production,
}

impl AppStoreEnvironment {
    /// As Apple writes it: `Sandbox`, `Production`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "Sandbox",
            Self::Production => "Production",
        }
    }
}

/// What kind of thing is sold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ProductType {
    /// Renews until somebody stops it.
    AutoRenewableSubscription,
    /// Ends by itself.
    NonRenewingSubscription,
    /// Bought once, kept.
    NonConsumable,
    /// Bought, used up, bought again.
    Consumable,
    /// One that Apple has added since.
    Other(String),
}

/// How its user came to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// They bought it.
    Purchased,
    /// Somebody of their family shares it with them.
    FamilyShared,
    /// One that Apple has added since.
    Other(String),
}

/// What it cost.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Price {
    /// Thousandths of the currency's unit: 1990 is 1.99.
    pub milliunits: i64,
    /// ISO 4217, for example `EUR`.
    pub currency: String,
}

/// Why Apple took a purchase back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevocationReason {
    /// Refunded since something was wrong with the app.
    Issue,
    /// Refunded for another reason, for example an accidental purchase.
    Other,
}

/// A purchase taken back: refunded, or no longer shared by the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why, if Apple says.
    pub reason: Option<RevocationReason>,
}

/// A purchase or a renewal, as Apple signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its name.
    pub id: TransactionId,
    /// The purchase that it goes back to; of a first purchase, itself.
    pub original_id: OriginalTransactionId,
    /// What was bought.
    pub product: ProductId,
    /// What kind of thing that is.
    pub product_type: ProductType,
    /// The app it was bought in: the adapter's own, always.
    pub bundle: BundleId,
    /// The store it was bought in: the adapter's own, always.
    pub environment: AppStoreEnvironment,
    /// When it was paid, restored or renewed.
    pub purchased_at: Timestamp,
    /// When the purchase that it goes back to was made, if Apple says.
    pub originally_purchased_at: Option<Timestamp>,
    /// When a subscription runs out or renews.
    pub expires_at: Option<Timestamp>,
    /// Whether and why it was taken back.
    pub revocation: Option<Revocation>,
    /// Whether a purchase of a higher level took its place.
    pub is_upgraded: bool,
    /// The account that the app said it is for, if it said so: whatever UUID
    /// the app chose.
    pub app_account_token: Option<Uuid>,
    /// How many; 1 for all but consumables.
    pub quantity: u32,
    /// How its user came to it.
    pub ownership: Ownership,
    /// What it cost, if Apple says.
    pub price: Option<Price>,
    /// The storefront's country or region, ISO 3166-1 alpha-3, if Apple says.
    pub storefront: Option<String>,
    /// The group of a subscription: a user has one subscription of it at a time.
    pub subscription_group: Option<String>,
    /// When Apple signed it.
    pub signed_at: Timestamp,
    /// The payload that was checked, as evidence.
    pub signed: SignedPayload,
}

/// The purchase is of another product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Product ID mismatch. Expected '{expected}', but transaction has '{actual}'")]
pub struct ProductMismatch {
    /// What it should be of.
    pub expected: ProductId,
    /// What it is of.
    pub actual: ProductId,
}

impl Transaction {
    /// Checks that it is of this product.
    ///
    /// # Errors
    /// [`ProductMismatch`] when it is of another.
    pub fn check_product(&self, expected: &ProductId) -> Result<(), ProductMismatch> {
        if self.product == *expected {
            return Ok(());
        }
        Err(ProductMismatch { expected: expected.clone(), actual: self.product.clone() })
    }
}

/// The newest by date of purchase; of several of one date, the one that was
/// signed last. `None` of none.
#[must_use]
pub fn latest(transactions: &[Transaction]) -> Option<&Transaction> {
    transactions.iter().max_by_key(|transaction| (transaction.purchased_at, transaction.signed_at))
}

/// A page of a list of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionPage {
    /// In Apple's order, at most twenty.
    pub transactions: Vec<Transaction>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<Revision>,
    /// Where this list stands now: asking from here later tells what is new.
    pub revision: Option<Revision>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn transaction() -> Transaction {
        Transaction {
            id: TransactionId::parse("2").unwrap(),
            original_id: OriginalTransactionId::parse("1").unwrap(),
            product: ProductId::parse("pro.monthly").unwrap(),
            product_type: ProductType::AutoRenewableSubscription,
            bundle: BundleId::parse("com.example.app").unwrap(),
            environment: AppStoreEnvironment::Sandbox,
            purchased_at: NOW - DAY,
            originally_purchased_at: None,
            expires_at: Some(NOW + DAY),
            revocation: None,
            is_upgraded: false,
            app_account_token: None,
            quantity: 1,
            ownership: Ownership::Purchased,
            price: None,
            storefront: None,
            subscription_group: None,
            signed_at: NOW,
            signed: SignedPayload::parse("a.b.c").unwrap(),
        }
    }

    #[test]
    fn another_product_is_told_with_both_names() {
        let transaction = transaction();
        assert_eq!(transaction.check_product(&transaction.product), Ok(()));
        let expected = ProductId::parse("pro.Monthly").unwrap();
        assert_eq!(
            transaction.check_product(&expected).unwrap_err().to_string(),
            "Product ID mismatch. Expected 'pro.Monthly', but transaction has 'pro.monthly'"
        );
    }

    #[test]
    fn the_latest_is_the_one_bought_last() {
        let bought = |id, purchased_at, signed_at| Transaction {
            id: TransactionId::parse(id).unwrap(),
            purchased_at,
            signed_at,
            ..transaction()
        };
        let list = [
            bought("older", NOW - DAY, NOW + DAY),
            bought("signed-again", NOW, NOW + DAY),
            bought("signed-before", NOW, NOW),
        ];
        assert_eq!(latest(&list).unwrap().id.as_str(), "signed-again");
        assert_eq!(latest(&[]), None);
    }
}
