//! Payloads that are not believed.

use portcullis_domain::Cause;
use portcullis_domain::ports::{Flaw, PurchaseError};

/// A payload is not believed for this, of which `source` tells more.
pub(crate) fn flawed(flaw: Flaw, source: impl Into<Cause>) -> PurchaseError {
    PurchaseError::Unverified { flaw, source: source.into() }
}

/// Something that a payload must tell is missing or cannot be.
pub(crate) fn malformed(field: &'static str) -> PurchaseError {
    flawed(Flaw::Form, format!("its {field} is missing or cannot be"))
}
