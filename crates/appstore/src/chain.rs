//! Whether certificates lead to a root, and are for this use.

use std::time::Duration;

use portcullis_domain::{Cause, Timestamp};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::KeyUsage;

/// Marks a leaf certificate that signs for the App Store.
const SIGNS_FOR_THE_APP_STORE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.11.1");
/// Marks the intermediate certificate of Apple Worldwide Developer Relations.
const WORLDWIDE_DEVELOPER_RELATIONS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113635.100.6.2.1");

/// Checks a leaf and the one certificate between it and a root as of `at`, and
/// returns the leaf's public key (DER, RFC 5280 §4.1.2.7).
pub(crate) fn check(
    roots: &[TrustAnchor<'_>],
    leaf: &[u8],
    intermediate: &[u8],
    at: Timestamp,
) -> Result<Vec<u8>, Cause> {
    is_for_this_use(leaf, SIGNS_FOR_THE_APP_STORE, KeyUsage::digital_signature)?;
    is_for_this_use(intermediate, WORLDWIDE_DEVELOPER_RELATIONS, KeyUsage::key_cert_sign)?;
    let intermediates = [CertificateDer::from(intermediate)];
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf)?;
    let at = at.since(Timestamp::from_micros(0));
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at.as_secs()));
    let algorithms = webpki::ALL_VERIFICATION_ALGS;
    let path =
        leaf.verify_for_usage(algorithms, roots, &intermediates, at, AnyPurpose, None, None)?;
    if path.intermediate_certificates().count() != 1 {
        return Err("the certificates are not a chain of three".into());
    }
    Ok(leaf.subject_public_key_info().to_vec())
}

/// Checks Apple's mark, and that a certificate may be used for what it is used
/// for (RFC 5280 §4.2.1.3), at which webpki does not look.
fn is_for_this_use(
    certificate: &[u8],
    mark: ObjectIdentifier,
    permits: fn(&KeyUsage) -> bool,
) -> Result<(), Cause> {
    let certificate = Certificate::from_der(certificate)?.tbs_certificate;
    let extensions = certificate.extensions.iter().flatten();
    if !extensions.clone().any(|extension| extension.extn_id == mark) {
        return Err(format!("a certificate is not marked with {mark}").into());
    }
    match certificate.get::<KeyUsage>()? {
        Some((_, usage)) if !permits(&usage) => {
            Err("a certificate is not for what it was used for".into())
        }
        _ => Ok(()),
    }
}

/// Apple's certificates of this use name no extended purpose: the marks do.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
