//! The calls, one by one. What they return is not verified yet.
//! <https://developer.apple.com/documentation/appstoreserverapi>

use std::sync::Arc;

use portcullis_api_client::{Answer, ApiClient, Call, Method, Repeat};
use portcullis_domain::ports::{Clock, Missing, PurchaseError};
use portcullis_domain::purchase::{
    ExtensionRequest, OriginalTransactionId, Revision, TransactionId,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::payload::Millis;
use crate::refusal;
use crate::token::TokenSigner;

/// The App Store Server API for one app.
pub(crate) struct Api {
    pub(crate) client: ApiClient,
    pub(crate) signer: TokenSigner,
    pub(crate) clock: Arc<dyn Clock>,
}

/// `TransactionInfoResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransactionAnswer {
    pub(crate) signed_transaction_info: String,
}

/// `HistoryResponse` and `RefundHistoryResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageAnswer {
    pub(crate) signed_transactions: Vec<String>,
    pub(crate) revision: Option<String>,
    pub(crate) has_more: bool,
}

/// `StatusResponse`.
#[derive(Deserialize)]
pub(crate) struct StatusAnswer {
    pub(crate) data: Vec<GroupAnswer>,
}

/// `SubscriptionGroupIdentifierItem`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupAnswer {
    pub(crate) subscription_group_identifier: String,
    pub(crate) last_transactions: Vec<SubscriptionAnswer>,
}

/// `lastTransactionsItem`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionAnswer {
    pub(crate) status: i64,
    pub(crate) original_transaction_id: String,
    pub(crate) signed_transaction_info: String,
    pub(crate) signed_renewal_info: String,
}

/// `ExtendRenewalDateRequest`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtensionBody<'a> {
    extend_by_days: u8,
    extend_reason_code: u8,
    request_identifier: &'a str,
}

/// `ExtendRenewalDateResponse`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExtensionAnswer {
    pub(crate) success: bool,
    pub(crate) web_order_line_item_id: Option<String>,
    pub(crate) effective_date: Option<Millis>,
}

impl Api {
    /// The signed transaction of that id.
    pub(crate) async fn transaction(
        &self,
        id: &TransactionId,
    ) -> Result<TransactionAnswer, PurchaseError> {
        let path = ["inApps", "v1", "transactions", id.as_str()];
        self.ask(self.client.call(Method::GET, &path), Missing::Transaction(id.clone())).await
    }

    /// A page of all transactions of a purchase's customer.
    pub(crate) async fn transaction_history(
        &self,
        purchase: &OriginalTransactionId,
        from: Option<&Revision>,
    ) -> Result<PageAnswer, PurchaseError> {
        let path = ["inApps", "v2", "history", purchase.as_str()];
        self.ask(self.page(&path, from), Missing::Purchase(purchase.clone())).await
    }

    /// A page of what was refunded to a purchase's customer.
    pub(crate) async fn refund_history(
        &self,
        purchase: &OriginalTransactionId,
        from: Option<&Revision>,
    ) -> Result<PageAnswer, PurchaseError> {
        let path = ["inApps", "v2", "refund", "lookup", purchase.as_str()];
        self.ask(self.page(&path, from), Missing::Purchase(purchase.clone())).await
    }

    /// How the subscriptions of a purchase's customer stand.
    pub(crate) async fn subscriptions(
        &self,
        purchase: &OriginalTransactionId,
    ) -> Result<StatusAnswer, PurchaseError> {
        let path = ["inApps", "v1", "subscriptions", purchase.as_str()];
        self.ask(self.client.call(Method::GET, &path), Missing::Purchase(purchase.clone())).await
    }

    /// Moves a renewal date.
    pub(crate) async fn extend_renewal_date(
        &self,
        request: &ExtensionRequest,
    ) -> Result<ExtensionAnswer, PurchaseError> {
        let path = ["inApps", "v1", "subscriptions", "extend", request.subscription.as_str()];
        let body = ExtensionBody {
            extend_by_days: request.days.get(),
            extend_reason_code: request.reason.code(),
            request_identifier: request.id.as_str(),
        };
        let call = self.client.call(Method::PUT, &path).json(&body);
        self.ask(call, Missing::Purchase(request.subscription.clone())).await
    }

    fn page(&self, path: &[&str], from: Option<&Revision>) -> Call<'_> {
        let call = self.client.call(Method::GET, path);
        match from {
            Some(from) => call.query(&[("revision", from.as_str())]),
            None => call,
        }
    }

    /// Makes a call; `asked` is what is missing if Apple does not say what is.
    ///
    /// Each may be repeated. All but one are reads, and a renewal date is moved
    /// once under one request identifier, which Apple wants to see again "due to
    /// a timeout or other error":
    /// <https://developer.apple.com/documentation/appstoreserverapi/requestidentifier>.
    async fn ask<T: DeserializeOwned>(
        &self,
        call: Call<'_>,
        asked: Missing,
    ) -> Result<T, PurchaseError> {
        let token = self.signer.token(self.clock.now()).map_err(PurchaseError::Unexpected)?;
        let answer: Result<Answer, _> = call.bearer(&token).send(Repeat::Safe).await;
        let answer = answer.map_err(refusal::failed)?;
        if answer.status.is_success() {
            return answer.json().map_err(refusal::failed);
        }
        Err(refusal::refused(&answer, asked, self.clock.now()))
    }
}
