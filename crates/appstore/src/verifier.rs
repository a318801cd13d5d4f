//! Whether a payload is about this app.

use portcullis_domain::ports::{Flaw, PurchaseError};
use portcullis_domain::purchase::{
    AppStoreEnvironment, AppStoreNotification, BundleId, Renewal, SignedPayload, Transaction,
};
use rustls_pki_types::TrustAnchor;

use crate::flaws::flawed;
use crate::jws;
use crate::payload::{SignedNotification, SignedRenewal, SignedTransaction};

/// Checks and reads what is signed for one app in one environment.
pub(crate) struct Verifier {
    pub(crate) roots: Vec<TrustAnchor<'static>>,
    pub(crate) environment: AppStoreEnvironment,
    pub(crate) bundle: BundleId,
    /// There in production.
    pub(crate) app_id: Option<i64>,
}

impl Verifier {
    /// Checks and reads a transaction.
    pub(crate) fn transaction(&self, signed: SignedPayload) -> Result<Transaction, PurchaseError> {
        let decoded: SignedTransaction = jws::verified(&signed, &self.roots)?;
        self.check_bundle(decoded.bundle_id.as_deref())?;
        self.check_environment(decoded.environment.as_deref())?;
        decoded.read(signed, &self.bundle, self.environment)
    }

    /// Checks and reads how a subscription goes on. It names no app; what it
    /// comes with does.
    pub(crate) fn renewal(&self, signed: SignedPayload) -> Result<Renewal, PurchaseError> {
        let decoded: SignedRenewal = jws::verified(&signed, &self.roots)?;
        self.check_environment(decoded.environment.as_deref())?;
        decoded.read(signed, self.environment)
    }

    /// Checks and reads a notification and what lies within it.
    pub(crate) fn notification(
        &self,
        signed: &SignedPayload,
    ) -> Result<AppStoreNotification, PurchaseError> {
        let decoded: SignedNotification = jws::verified(signed, &self.roots)?;
        let app = decoded.app();
        self.check_bundle(app.bundle_id)?;
        let is_production = self.environment == AppStoreEnvironment::Production;
        if is_production && app.apple_id != self.app_id {
            return Err(flawed(Flaw::App, "it names another app id, or none"));
        }
        self.check_environment(app.environment)?;
        decoded.read(self)
    }

    fn check_bundle(&self, bundle: Option<&str>) -> Result<(), PurchaseError> {
        if bundle == Some(self.bundle.as_str()) {
            return Ok(());
        }
        Err(flawed(Flaw::Bundle, "it names another bundle id, or none"))
    }

    fn check_environment(&self, environment: Option<&str>) -> Result<(), PurchaseError> {
        if environment == Some(self.environment.as_str()) {
            return Ok(());
        }
        Err(flawed(Flaw::Environment, "it names another environment, or none"))
    }
}
