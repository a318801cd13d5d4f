//! The root that is trusted.

use std::path::Path;

use portcullis_domain::Cause;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::anchor_from_trusted_cert;

/// Apple Root CA - G3, valid from 2014 to 2039, which Apple publishes at
/// <https://www.apple.com/certificateauthority/>. DER.
pub const APPLE_ROOT: &[u8] = include_bytes!("../certificates/AppleRootCA-G3.cer");

/// The SHA-256 of [`APPLE_ROOT`], as it is published: 63343abf…653e9179.
pub const APPLE_ROOT_SHA256: [u8; 32] = [
    0x63, 0x34, 0x3a, 0xbf, 0xb8, 0x9a, 0x6a, 0x03, 0xeb, 0xb5, 0x7e, 0x9b, 0x3f, 0x5f, 0xa7, 0xbe,
    0x7c, 0x4f, 0x5c, 0x75, 0x6f, 0x30, 0x17, 0xb3, 0xa8, 0xc4, 0x88, 0xc3, 0x65, 0x3e, 0x91, 0x79,
];

/// Apple's root alone.
pub(crate) fn apples() -> Result<Vec<TrustAnchor<'static>>, Cause> {
    Ok(vec![anchor(APPLE_ROOT)?])
}

/// Other roots, from a file in DER or PEM.
pub(crate) fn read(path: &Path) -> Result<Vec<TrustAnchor<'static>>, Cause> {
    let file = std::fs::read(path)?;
    if !file.starts_with(b"-----") {
        return Ok(vec![anchor(&file)?]);
    }
    let certificates = pem::parse_many(&file)?;
    if certificates.is_empty() {
        return Err("there is no certificate".into());
    }
    certificates.iter().map(|certificate| anchor(certificate.contents())).collect()
}

fn anchor(certificate: &[u8]) -> Result<TrustAnchor<'static>, Cause> {
    let certificate = CertificateDer::from(certificate);
    Ok(anchor_from_trusted_cert(&certificate)?.to_owned())
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};

    use super::*;

    #[test]
    fn the_root_is_the_one_that_apple_publishes() {
        assert_eq!(digest(&SHA256, APPLE_ROOT).as_ref(), APPLE_ROOT_SHA256);
        assert_eq!(apples().unwrap().len(), 1);
    }

    #[test]
    fn roots_are_read_from_der_and_pem() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roots");
        let read = |content: &[u8]| {
            std::fs::write(&file, content).unwrap();
            read(&file)
        };
        assert_eq!(read(APPLE_ROOT).unwrap(), apples().unwrap());
        let pem = pem::encode(&pem::Pem::new("CERTIFICATE", APPLE_ROOT));
        assert_eq!(read(pem.repeat(2).as_bytes()).unwrap().len(), 2);
        for broken in [&b""[..], b"-----BEGIN", b"0\x82", &APPLE_ROOT[..500]] {
            assert!(read(broken).is_err(), "{broken:?}");
        }
    }
}
