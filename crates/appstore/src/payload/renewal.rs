//! How subscriptions go on.

use portcullis_domain::ports::PurchaseError;
use portcullis_domain::purchase::{
    AppStoreEnvironment, ExpirationReason, OriginalTransactionId, ProductId, Renewal, SignedPayload,
};
use serde::Deserialize;

use super::{Millis, moment, price, required};
use crate::flaws::malformed;

/// `JWSRenewalInfoDecodedPayload`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedRenewal {
    pub(crate) environment: Option<String>,
    original_transaction_id: Option<String>,
    product_id: Option<String>,
    auto_renew_product_id: Option<String>,
    auto_renew_status: Option<i64>,
    renewal_date: Option<Millis>,
    renewal_price: Option<i64>,
    currency: Option<String>,
    expiration_intent: Option<i64>,
    is_in_billing_retry_period: Option<bool>,
    grace_period_expires_date: Option<Millis>,
    signed_date: Option<Millis>,
}

impl SignedRenewal {
    /// In the domain's words; the environment has been compared with this one.
    pub(crate) fn read(
        self,
        signed: SignedPayload,
        environment: AppStoreEnvironment,
    ) -> Result<Renewal, PurchaseError> {
        let original = self.original_transaction_id.as_deref();
        let next = self.auto_renew_product_id.as_deref().map(ProductId::parse);
        Ok(Renewal {
            original_id: required(original, OriginalTransactionId::parse, "originalTransactionId")?,
            product: required(self.product_id.as_deref(), ProductId::parse, "productId")?,
            renews_to: next.transpose().map_err(|_| malformed("autoRenewProductId"))?,
            renews: self.auto_renew_status == Some(1),
            renews_at: self.renewal_date.map(Into::into),
            price: price(self.renewal_price, self.currency),
            expiration_reason: self.expiration_intent.map(expiration_reason),
            is_in_billing_retry: self.is_in_billing_retry_period.unwrap_or(false),
            grace_period_ends_at: self.grace_period_expires_date.map(Into::into),
            environment,
            signed_at: moment(self.signed_date, "signedDate")?,
            signed,
        })
    }
}

fn expiration_reason(number: i64) -> ExpirationReason {
    match number {
        1 => ExpirationReason::Cancelled,
        2 => ExpirationReason::BillingError,
        3 => ExpirationReason::PriceIncrease,
        4 => ExpirationReason::ProductUnavailable,
        other => ExpirationReason::Other(other),
    }
}
