//! Signatures of payloads (RFC 7515).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_domain::ports::{Flaw, PurchaseError};
use portcullis_domain::purchase::SignedPayload;
use portcullis_domain::{Cause, Timestamp};
use rustls_pki_types::TrustAnchor;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::chain;
use crate::flaws::{flawed, malformed};
use crate::payload::Millis;

/// The part of a header that decides (RFC 7515 §4.1).
#[derive(Deserialize)]
struct Header {
    alg: Option<String>,
    x5c: Option<Vec<String>>,
    /// What must be understood beyond the standard; nothing is here.
    crit: Option<Value>,
}

/// What every payload must tell before it can be judged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    signed_date: Option<Millis>,
}

/// Reads a payload whose signature is good and comes from below these roots.
pub(crate) fn verified<T: DeserializeOwned>(
    signed: &SignedPayload,
    roots: &[TrustAnchor<'_>],
) -> Result<T, PurchaseError> {
    let of_form = |error: Cause| flawed(Flaw::Form, error);
    let of_signature = |error: Cause| flawed(Flaw::Signature, error);
    let of_certificates = |error: Cause| flawed(Flaw::Certificates, error);

    let header: Header = part(signed, 0).map_err(of_form)?;
    if header.crit.is_some() {
        return Err(of_form("its header asks for something that is not known here".into()));
    }
    if header.alg.as_deref() != Some("ES256") {
        return Err(of_signature("it is not signed with ES256".into()));
    }
    let Some([leaf, intermediate, _root]) = header.x5c.as_deref() else {
        return Err(of_certificates("it does not bring three certificates".into()));
    };
    let at = part::<Signed>(signed, 1).map_err(of_form)?.signed_date;
    let at: Timestamp = at.ok_or_else(|| malformed("signedDate"))?.into();
    let der = |text| STANDARD.decode(text).map_err(|error| of_certificates(error.into()));
    let key = chain::check(roots, &der(leaf)?, &der(intermediate)?, at).map_err(of_certificates)?;

    let (message, signature) = signed.as_str().rsplit_once('.').unwrap_or_default();
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|error| of_form(error.into()))?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(message.as_bytes(), &signature)
        .map_err(|_| of_signature("it is of other bytes or by another key".into()))?;
    part(signed, 1).map_err(of_form)
}

/// A part of a payload, whether it is true or not.
fn part<T: DeserializeOwned>(signed: &SignedPayload, number: usize) -> Result<T, Cause> {
    let text = signed.as_str().split('.').nth(number).unwrap_or_default();
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text)?)?)
}
