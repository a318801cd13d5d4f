//! Notifications, and what lies within them.

use portcullis_domain::ports::{Flaw, PurchaseError};
use portcullis_domain::purchase::{AppStoreNotification, NotificationKind, SignedPayload};
use serde::Deserialize;
use uuid::Uuid;

use super::{Millis, moment, required, state};
use crate::flaws::{flawed, malformed};
use crate::verifier::Verifier;

/// `responseBodyV2DecodedPayload`. One of four parts says what it is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedNotification {
    notification_type: Option<String>,
    subtype: Option<String>,
    #[serde(rename = "notificationUUID")]
    notification_uuid: Option<String>,
    signed_date: Option<Millis>,
    data: Option<About>,
    summary: Option<About>,
    external_purchase_token: Option<About>,
    app_data: Option<About>,
}

/// The fields of the four parts, as far as they are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct About {
    bundle_id: Option<String>,
    app_apple_id: Option<i64>,
    environment: Option<String>,
    external_purchase_id: Option<String>,
    signed_transaction_info: Option<String>,
    signed_renewal_info: Option<String>,
    status: Option<i64>,
}

/// The app that a notification is about.
pub(crate) struct App<'a> {
    pub(crate) bundle_id: Option<&'a str>,
    pub(crate) apple_id: Option<i64>,
    pub(crate) environment: Option<&'a str>,
}

impl SignedNotification {
    /// The app that it says it is about.
    pub(crate) fn app(&self) -> App<'_> {
        let parts = [&self.data, &self.summary, &self.external_purchase_token, &self.app_data];
        let Some(about) = parts.into_iter().flatten().next() else {
            return App { bundle_id: None, apple_id: None, environment: None };
        };
        // A token of purchases elsewhere names its environment by the first
        // letters of its id alone.
        let environment = match &about.external_purchase_id {
            Some(id) if id.starts_with("SANDBOX") => Some("Sandbox"),
            Some(_) => Some("Production"),
            None => about.environment.as_deref(),
        };
        App { bundle_id: about.bundle_id.as_deref(), apple_id: about.app_apple_id, environment }
    }

    /// In the domain's words; the app has been compared with the verifier's, and
    /// what lies within is verified here.
    pub(crate) fn read(self, verifier: &Verifier) -> Result<AppStoreNotification, PurchaseError> {
        let kind = self.notification_type.ok_or_else(|| malformed("notificationType"))?;
        let within = |text: Option<&String>, field| {
            let signed = text.map(|text| SignedPayload::parse(text)).transpose();
            signed.map_err(|_| malformed(field))
        };
        let data = self.data.as_ref();
        let transaction = data.and_then(|data| data.signed_transaction_info.as_ref());
        let transaction = within(transaction, "signedTransactionInfo")?;
        let renewal = data.and_then(|data| data.signed_renewal_info.as_ref());
        let renewal = within(renewal, "signedRenewalInfo")?;
        let id = self.notification_uuid.as_deref();
        let transaction = transaction.map(|signed| verifier.transaction(signed)).transpose()?;
        let renewal = renewal.map(|signed| verifier.renewal(signed)).transpose()?;
        if let Some((transaction, renewal)) = transaction.as_ref().zip(renewal.as_ref())
            && transaction.original_id != renewal.original_id
        {
            return Err(flawed(Flaw::Subject, "its two parts are about different purchases"));
        }
        Ok(AppStoreNotification {
            id: required(id, Uuid::parse_str, "notificationUUID")?,
            kind: NotificationKind::of(&kind),
            subtype: self.subtype,
            environment: verifier.environment,
            bundle: verifier.bundle.clone(),
            transaction,
            renewal,
            state: data.and_then(|data| data.status).map(state),
            signed_at: moment(self.signed_date, "signedDate")?,
        })
    }
}
