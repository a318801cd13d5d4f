//! Apple's App Store behind the port.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_api_client::{ApiClient, ClientSettings};
use portcullis_domain::ports::{Clock, Flaw, Freshness, PurchaseError, Purchases};
use portcullis_domain::purchase::{
    AppStoreEnvironment, AppStoreNotification, BundleId, ExtensionRequest, OriginalTransactionId,
    RenewalExtension, Revision, SignedPayload, Subscription, Transaction, TransactionId,
    TransactionPage,
};
use portcullis_domain::{Cause, Timestamp};
use rustls_pki_types::TrustAnchor;
use tokio::task::yield_now;

use crate::api::{Api, PageAnswer, SubscriptionAnswer};
use crate::flaws::{flawed, malformed};
use crate::payload::state;
use crate::remembered::Remembered;
use crate::roots;
use crate::settings::{AppStoreSettings, InvalidAppStoreSettings, base_url, is_visible};
use crate::token::TokenSigner;
use crate::verifier::Verifier;

/// An id that no transaction has.
const NOBODYS_TRANSACTION: &str = "0000000000000000";

/// Apple's App Store, for one app in one environment.
pub struct AppStore {
    api: Api,
    verifier: Verifier,
    remembered: Remembered,
}

impl AppStore {
    /// A client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidAppStoreSettings`] says which setting cannot be used.
    pub fn new(
        settings: &AppStoreSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidAppStoreSettings> {
        if !is_visible(&settings.key_id) {
            return Err(InvalidAppStoreSettings::KeyId);
        }
        if !is_visible(&settings.issuer_id) {
            return Err(InvalidAppStoreSettings::IssuerId);
        }
        let bundle = BundleId::parse(&settings.bundle_id)?;
        if settings.environment == AppStoreEnvironment::Production && settings.app_id.is_none() {
            return Err(InvalidAppStoreSettings::MissingAppId);
        }
        let client = ClientSettings {
            deadline: settings.deadline,
            ..ClientSettings::new(base_url(settings)?)
        };
        let client = ApiClient::new(client)?;
        let signer = TokenSigner::new(settings)?;
        let verifier = Verifier {
            roots: trusted_roots(settings)?,
            environment: settings.environment,
            bundle,
            app_id: settings.app_id,
        };
        let api = Api { client, signer, clock };
        Ok(Self { api, verifier, remembered: Remembered::default() })
    }

    fn now(&self) -> Timestamp {
        self.api.clock.now()
    }

    async fn page(&self, answer: &PageAnswer) -> Result<TransactionPage, PurchaseError> {
        let mut transactions = Vec::with_capacity(answer.signed_transactions.len());
        for text in &answer.signed_transactions {
            transactions.push(self.verifier.transaction(payload(text)?)?);
            // Each keeps this thread busy for a millisecond.
            yield_now().await;
        }
        let revision = answer.revision.as_deref().map(Revision::parse).transpose();
        let revision = revision.map_err(unexpected)?;
        if answer.has_more && revision.is_none() {
            return Err(unexpected(
                "a page is not the last and does not say where the next begins",
            ));
        }
        let next = revision.clone().filter(|_| answer.has_more);
        Ok(TransactionPage { transactions, next, revision })
    }

    /// A subscription; what is signed must be about the one that it is told for.
    fn subscription(
        &self,
        group: &str,
        answer: &SubscriptionAnswer,
    ) -> Result<Subscription, PurchaseError> {
        let original_id = OriginalTransactionId::parse(&answer.original_transaction_id);
        let original_id = original_id.map_err(unexpected)?;
        let transaction = self.verifier.transaction(payload(&answer.signed_transaction_info)?)?;
        let renewal = self.verifier.renewal(payload(&answer.signed_renewal_info)?)?;
        if transaction.original_id != original_id || renewal.original_id != original_id {
            return Err(flawed(Flaw::Subject, "it is about another subscription"));
        }
        let (group, state) = (group.to_owned(), state(answer.status));
        Ok(Subscription { group, original_id, state, transaction, renewal })
    }

    async fn ask_for_subscriptions(
        &self,
        purchase: &OriginalTransactionId,
    ) -> Result<Vec<Subscription>, PurchaseError> {
        let groups = self.api.subscriptions(purchase).await?.data;
        let mut subscriptions = Vec::new();
        for group in &groups {
            for answer in &group.last_transactions {
                let name = &group.subscription_group_identifier;
                subscriptions.push(self.subscription(name, answer)?);
                yield_now().await;
            }
        }
        Ok(subscriptions)
    }
}

#[async_trait]
impl Purchases for AppStore {
    async fn verify_transaction(&self, id: TransactionId) -> Result<Transaction, PurchaseError> {
        let answer = self.api.transaction(&id).await?;
        let signed = payload(&answer.signed_transaction_info)?;
        let transaction = self.verifier.transaction(signed)?;
        // A transaction may also be asked for by the purchase it goes back to.
        let names = [transaction.id.as_str(), transaction.original_id.as_str()];
        if !names.contains(&id.as_str()) {
            return Err(flawed(Flaw::Subject, "it is another transaction"));
        }
        Ok(transaction)
    }

    async fn decode_transaction(
        &self,
        signed: SignedPayload,
    ) -> Result<Transaction, PurchaseError> {
        self.verifier.transaction(signed)
    }

    async fn decode_notification(
        &self,
        signed: SignedPayload,
    ) -> Result<AppStoreNotification, PurchaseError> {
        self.verifier.notification(&signed)
    }

    async fn transaction_history(
        &self,
        purchase: OriginalTransactionId,
        from: Option<Revision>,
    ) -> Result<TransactionPage, PurchaseError> {
        self.page(&self.api.transaction_history(&purchase, from.as_ref()).await?).await
    }

    async fn refund_history(
        &self,
        purchase: OriginalTransactionId,
        from: Option<Revision>,
    ) -> Result<TransactionPage, PurchaseError> {
        self.page(&self.api.refund_history(&purchase, from.as_ref()).await?).await
    }

    async fn subscriptions(
        &self,
        purchase: OriginalTransactionId,
        freshness: Freshness,
    ) -> Result<Vec<Subscription>, PurchaseError> {
        if freshness == Freshness::Cached
            && let Some(remembered) = self.remembered.get(&purchase, self.now())
        {
            return Ok(remembered);
        }
        let asked = self.remembered.ask();
        let subscriptions = self.ask_for_subscriptions(&purchase).await?;
        self.remembered.put(purchase, asked, self.now(), subscriptions.clone());
        Ok(subscriptions)
    }

    async fn forget_subscriptions(&self, purchase: OriginalTransactionId) {
        self.remembered.forget(&purchase, self.now());
    }

    async fn extend_renewal_date(
        &self,
        request: ExtensionRequest,
    ) -> Result<RenewalExtension, PurchaseError> {
        // Also after an error, and if nobody waits for the answer any more: it may
        // have been moved.
        let forgetting = self.remembered.forgetting(request.subscription.clone(), &*self.api.clock);
        let answer = self.api.extend_renewal_date(&request).await?;
        drop(forgetting);
        if !answer.success {
            return Err(PurchaseError::Ineligible("it says that it did not succeed".into()));
        }
        Ok(RenewalExtension {
            subscription: request.subscription,
            web_order_line_item: answer.web_order_line_item_id,
            effective_at: answer.effective_date.map(Into::into),
        })
    }

    async fn check_connection(&self) -> Result<(), PurchaseError> {
        let nobodys = TransactionId::parse(NOBODYS_TRANSACTION)
            .map_err(|error| PurchaseError::Unexpected(error.into()))?;
        match self.api.transaction(&nobodys).await {
            // Whoever is told that there is no such transaction was let in.
            Ok(_) | Err(PurchaseError::NotFound { .. } | PurchaseError::InvalidArgument { .. }) => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn trusted_roots(
    settings: &AppStoreSettings,
) -> Result<Vec<TrustAnchor<'static>>, InvalidAppStoreSettings> {
    let Some(path) = &settings.root_certificates_path else {
        return roots::apples().map_err(InvalidAppStoreSettings::AppleRoot);
    };
    roots::read(path)
        .map_err(|source| InvalidAppStoreSettings::RootCertificates { path: path.clone(), source })
}

fn payload(text: &str) -> Result<SignedPayload, PurchaseError> {
    SignedPayload::parse(text).map_err(|_| malformed("signed data"))
}

/// An answer that is not as Apple publishes it.
fn unexpected(what: impl Into<Cause>) -> PurchaseError {
    PurchaseError::Unexpected(what.into())
}

/// Tells where it leads.
impl fmt::Debug for AppStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppStore").field("api", &self.api.client).finish_non_exhaustive()
    }
}
