//! Purchases and renewals.

use portcullis_domain::ports::PurchaseError;
use portcullis_domain::purchase::{
    AppStoreEnvironment, BundleId, OriginalTransactionId, Ownership, ProductId, ProductType,
    Revocation, RevocationReason, SignedPayload, Transaction, TransactionId,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Millis, moment, price, required};
use crate::flaws::malformed;

/// `JWSTransactionDecodedPayload`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedTransaction {
    pub(crate) bundle_id: Option<String>,
    pub(crate) environment: Option<String>,
    transaction_id: Option<String>,
    original_transaction_id: Option<String>,
    product_id: Option<String>,
    r#type: Option<String>,
    purchase_date: Option<Millis>,
    original_purchase_date: Option<Millis>,
    expires_date: Option<Millis>,
    revocation_date: Option<Millis>,
    revocation_reason: Option<i64>,
    is_upgraded: Option<bool>,
    app_account_token: Option<Uuid>,
    quantity: Option<u32>,
    in_app_ownership_type: Option<String>,
    price: Option<i64>,
    currency: Option<String>,
    storefront: Option<String>,
    subscription_group_identifier: Option<String>,
    signed_date: Option<Millis>,
}

impl SignedTransaction {
    /// In the domain's words; bundle id and environment have been compared with
    /// these.
    pub(crate) fn read(
        self,
        signed: SignedPayload,
        bundle: &BundleId,
        environment: AppStoreEnvironment,
    ) -> Result<Transaction, PurchaseError> {
        let original = self.original_transaction_id.as_deref();
        let reason = self.revocation_reason.map(revocation_reason);
        let revoked_at = self.revocation_date.map(Into::into);
        Ok(Transaction {
            id: required(self.transaction_id.as_deref(), TransactionId::parse, "transactionId")?,
            original_id: required(original, OriginalTransactionId::parse, "originalTransactionId")?,
            product: required(self.product_id.as_deref(), ProductId::parse, "productId")?,
            product_type: product_type(self.r#type.ok_or_else(|| malformed("type"))?),
            bundle: bundle.clone(),
            environment,
            purchased_at: moment(self.purchase_date, "purchaseDate")?,
            originally_purchased_at: self.original_purchase_date.map(Into::into),
            expires_at: self.expires_date.map(Into::into),
            revocation: revoked_at.map(|at| Revocation { at, reason }),
            is_upgraded: self.is_upgraded.unwrap_or(false),
            app_account_token: self.app_account_token,
            quantity: self.quantity.unwrap_or(1),
            ownership: self.in_app_ownership_type.map_or(Ownership::Purchased, ownership),
            price: price(self.price, self.currency),
            storefront: self.storefront,
            subscription_group: self.subscription_group_identifier,
            signed_at: moment(self.signed_date, "signedDate")?,
            signed,
        })
    }
}

fn product_type(name: String) -> ProductType {
    match name.as_str() {
        "Auto-Renewable Subscription" => ProductType::AutoRenewableSubscription,
        "Non-Renewing Subscription" => ProductType::NonRenewingSubscription,
        "Non-Consumable" => ProductType::NonConsumable,
        "Consumable" => ProductType::Consumable,
        _ => ProductType::Other(name),
    }
}

fn ownership(name: String) -> Ownership {
    match name.as_str() {
        "PURCHASED" => Ownership::Purchased,
        "FAMILY_SHARED" => Ownership::FamilyShared,
        _ => Ownership::Other(name),
    }
}

fn revocation_reason(number: i64) -> RevocationReason {
    if number == 1 { RevocationReason::Issue } else { RevocationReason::Other }
}
