//! What people bought in the App Store.

use portcullis_domain::ports::{Claimed, Missing, PurchaseError, Purchases};
use portcullis_domain::purchase::{
    NotificationKind, ProductId, ProductMismatch, SignedPayload, TransactionId,
};
use portcullis_domain::{Entitlement, PurchaseState, UserId};

use crate::failure::failures_become;
use crate::{App, Failure, NotOffered};

/// Why a purchase is not noted.
#[derive(Debug, thiserror::Error)]
pub enum PurchaseRefused {
    /// Nothing is sold here.
    #[error(transparent)]
    NotOffered(#[from] NotOffered),
    /// The App Store does not have it, or refused its id.
    #[error("the App Store does not have this transaction")]
    Unknown(#[source] PurchaseError),
    /// It is of another product than was said.
    #[error(transparent)]
    OtherProduct(#[from] ProductMismatch),
    /// It is somebody else's: the app said so when it was bought, or they claimed
    /// it before.
    #[error("this purchase belongs to another account")]
    Anothers,
    /// What was sent was not signed by Apple for this app.
    #[error("the payload is not to be believed")]
    Forged(#[source] PurchaseError),
    /// It could not be carried out.
    #[error(transparent)]
    Failure(Failure),
}
failures_become!(PurchaseRefused);

/// What is asked with a transaction's id, or answered by Apple.
fn asked(error: PurchaseError) -> PurchaseRefused {
    match error {
        PurchaseError::InvalidArgument { .. }
        | PurchaseError::NotFound {
            what: Missing::Transaction(_) | Missing::Purchase(_) | Missing::Account,
            ..
        } => PurchaseRefused::Unknown(error),
        PurchaseError::RateLimited { .. }
        | PurchaseError::InvalidCredentials(_)
        // Our settings name another app than the App Store has.
        | PurchaseError::NotFound { what: Missing::App, .. }
        | PurchaseError::Unavailable(_)
        // What Apple itself answers should be Apple's.
        | PurchaseError::Unverified { .. }
        | PurchaseError::Unexpected(_) => {
            PurchaseRefused::Failure(Failure::Unavailable(error.into()))
        }
        PurchaseError::Ineligible(_) => PurchaseRefused::Failure(Failure::Internal(error.into())),
    }
}

/// What somebody sent who says that they are Apple.
fn told(error: PurchaseError) -> PurchaseRefused {
    match error {
        PurchaseError::Unverified { .. } => PurchaseRefused::Forged(error),
        error => asked(error),
    }
}

impl App {
    /// Notes what a user bought, after the App Store has confirmed it.
    ///
    /// A purchase belongs to the account that the app named when it was bought,
    /// by its id as `appAccountToken`, or else to the first that claims it.
    ///
    /// # Errors
    /// [`PurchaseRefused`]; then nothing is noted.
    pub async fn claim_purchase(
        &self,
        user: UserId,
        id: TransactionId,
        product: Option<ProductId>,
    ) -> Result<PurchaseState, PurchaseRefused> {
        let transaction = self.app_store()?.verify_transaction(id).await.map_err(asked)?;
        // Before anything is told about what may be somebody else's.
        if transaction.app_account_token.is_some_and(|owner| owner != user.as_uuid()) {
            return Err(PurchaseRefused::Anothers);
        }
        if let Some(expected) = product {
            transaction.check_product(&expected)?;
        }
        let entitlement = Entitlement { user, state: transaction.into() };
        match self.ports.entitlements.claim(entitlement).await? {
            Claimed::Theirs(state) => Ok(state),
            Claimed::Anothers => Err(PurchaseRefused::Anothers),
        }
    }

    /// What a user bought, the newest first.
    ///
    /// # Errors
    /// [`PurchaseRefused`].
    pub async fn purchases(&self, user: UserId) -> Result<Vec<PurchaseState>, PurchaseRefused> {
        self.app_store()?;
        let theirs = self.ports.entitlements.of_user(user).await?;
        Ok(theirs.into_iter().map(|entitlement| entitlement.state).collect())
    }

    /// Takes note of what Apple tells unasked, and says what kind of news it is
    /// and whom it concerns. Apple may say it more than once and in any order
    /// ([`PurchaseState::learn`]). News of what nobody has claimed changes nothing.
    ///
    /// # Errors
    /// [`PurchaseRefused::Forged`] when it is not Apple's.
    pub async fn take_app_store_notification(
        &self,
        signed: SignedPayload,
    ) -> Result<(NotificationKind, Option<UserId>), PurchaseRefused> {
        let app_store = self.app_store()?;
        let notification = app_store.decode_notification(signed).await.map_err(told)?;
        let mut concerned = None;
        if let Some(transaction) = notification.transaction {
            // What is remembered of it may no longer be so.
            app_store.forget_subscriptions(transaction.original_id.clone()).await;
            let mut news = PurchaseState::from(transaction);
            if let Some(renewal) = &notification.renewal {
                news = news.with_grace(renewal);
            }
            let known = self.ports.entitlements.update(news).await?;
            concerned = known.map(|entitlement| entitlement.user);
        }
        Ok((notification.kind, concerned))
    }

    fn app_store(&self) -> Result<&dyn Purchases, NotOffered> {
        self.ports.services.purchases.as_deref().ok_or(NotOffered)
    }
}
