//! Whom to trust on the way to the database.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::AddressError;

/// Whose certificate is good.
pub(crate) enum Trust {
    /// Everybody's: the way is encrypted, its end is not proven. What Postgres
    /// means by `require`.
    Anybody,
    /// One that the system trusts, for the host's name.
    System,
    /// One that these certificates vouch for, for the host's name.
    Of(PathBuf),
}

pub(crate) fn client_config(trust: Trust) -> Result<ClientConfig, AddressError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(AddressError::SystemCertificates)?;
    Ok(match trust {
        Trust::Anybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unproven(provider)))
            .with_no_client_auth(),
        Trust::System => builder
            .with_platform_verifier()
            .map_err(AddressError::SystemCertificates)?
            .with_no_client_auth(),
        Trust::Of(file) => builder.with_root_certificates(roots(file)?).with_no_client_auth(),
    })
}

fn roots(file: PathBuf) -> Result<RootCertStore, AddressError> {
    let mut roots = RootCertStore::empty();
    let read =
        CertificateDer::pem_file_iter(&file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Err(error) => return Err(AddressError::RootCertificates(file, error.to_string())),
        Ok(certificates) => {
            roots.add_parsable_certificates(certificates);
        }
    }
    if roots.is_empty() {
        return Err(AddressError::RootCertificates(file, "holds no certificate".into()));
    }
    Ok(roots)
}

/// Takes any certificate, as long as its bearer has the key to it.
#[derive(Debug)]
struct Unproven(Arc<CryptoProvider>);

impl ServerCertVerifier for Unproven {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
