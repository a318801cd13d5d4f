//! Who signs.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm,
    date_time_ymd,
};
use serde_json::{Value, json};

/// Marks a certificate that signs for the App Store.
const LEAF_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 11, 1];
/// Marks the certificate above it.
const INTERMEDIATE_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 2, 1];
/// Another mark of Apple's.
pub(super) const OTHER_MARK: &[u64] = &[1, 2, 840, 113_635, 100, 6, 11, 2];
/// The marks hold nothing: NULL in DER.
const NOTHING: &[u8] = &[5, 0];

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A root, and certificates below it as Apple has them.
pub struct Authority {
    root: Issuer,
    pub(super) chain: Chain,
}

/// An intermediate and a leaf certificate below some root, and the leaf's key.
pub(super) struct Chain {
    /// Leaf, intermediate, root, each in DER.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) key: EcdsaKeyPair,
}

/// How certificates differ from good ones.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) leaf_mark: &'static [u64],
    pub(super) intermediate_mark: &'static [u64],
    pub(super) leaf_usage: KeyUsagePurpose,
    /// `None` if it is no authority.
    pub(super) intermediate_usage: Option<KeyUsagePurpose>,
    pub(super) leaf_below_root: bool,
    /// The first and the last year of the leaf.
    pub(super) leaf_years: (i32, i32),
}

impl Shape {
    /// As Apple's are.
    pub(super) const GOOD: Self = Self {
        leaf_mark: LEAF_MARK,
        intermediate_mark: INTERMEDIATE_MARK,
        leaf_usage: KeyUsagePurpose::DigitalSignature,
        intermediate_usage: Some(KeyUsagePurpose::KeyCertSign),
        leaf_below_root: false,
        leaf_years: (2020, 2090),
    };
}

impl Authority {
    /// A new root, and certificates below it that are valid from 2020 to 2090.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Shape::GOOD)
    }

    /// A new root, and a leaf certificate that was valid in 2020 and 2021 alone:
    /// what it signed then is still good.
    #[must_use]
    pub fn of_2020_and_2021() -> Self {
        Self::with(Shape { leaf_years: (2020, 2021), ..Shape::GOOD })
    }

    fn with(shape: Shape) -> Self {
        let root =
            parameters("Test Root CA - G3", (2014, 2099), Some(KeyUsagePurpose::KeyCertSign));
        let root = CertifiedIssuer::self_signed(root, generate(&PKCS_ECDSA_P384_SHA384));
        let root = root.expect("a root certificate");
        let chain = Chain::below(&root, shape);
        Self { root, chain }
    }

    /// The root's certificate in DER: what has to be trusted.
    #[must_use]
    pub fn root(&self) -> &[u8] {
        self.root.der()
    }

    /// Writes the root's certificate to a file, in PEM.
    pub fn write_root(&self, path: &Path) {
        std::fs::write(path, self.root.pem()).expect("the file can be written");
    }

    /// Signs a payload as Apple does: a JWS with three certificates.
    #[must_use]
    pub fn sign(&self, payload: &Value) -> String {
        let header = json!({"alg": "ES256", "x5c": self.chain.x5c()});
        self.chain.sign(&header, payload)
    }

    /// The same root, other certificates below.
    pub(super) fn chain(&self, shape: Shape) -> Chain {
        Chain::below(&self.root, shape)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    fn below(root: &Issuer, shape: Shape) -> Self {
        let years = (2014, 2095);
        let mut intermediate = parameters("Test WWDR CA", years, shape.intermediate_usage);
        intermediate.custom_extensions.push(mark(shape.intermediate_mark));
        let key = generate(&PKCS_ECDSA_P384_SHA384);
        let intermediate = CertifiedIssuer::signed_by(intermediate, key, root);
        let intermediate = intermediate.expect("an intermediate certificate");

        let mut leaf = parameters("Test App Store Signing", shape.leaf_years, None);
        leaf.key_usages = vec![shape.leaf_usage];
        leaf.custom_extensions.push(mark(shape.leaf_mark));
        let key = generate(&PKCS_ECDSA_P256_SHA256);
        let above = if shape.leaf_below_root { root } else { &intermediate };
        let leaf = leaf.signed_by(&key, above).expect("a leaf certificate");

        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &key.serialize_der()).expect("a key");
        let certificates = [leaf.der(), intermediate.der(), root.der()];
        Self { certificates: certificates.map(|der| der.to_vec()).into(), key }
    }

    /// The certificates as a header has them (RFC 7515 §4.1.6).
    pub(super) fn x5c(&self) -> Vec<String> {
        self.certificates.iter().map(|der| STANDARD.encode(der)).collect()
    }

    /// A JWS with this header, signed by the leaf's key.
    pub(super) fn sign(&self, header: &Value, payload: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(payload));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.expect("a signature"));
        format!("{message}.{signature}")
    }
}

/// With a usage, the parameters of an authority.
fn parameters(name: &str, years: (i32, i32), usage: Option<KeyUsagePurpose>) -> CertificateParams {
    let mut parameters = CertificateParams::new(Vec::new()).expect("no name is a wrong one");
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.distinguished_name.push(DnType::OrganizationName, "Not Apple Inc.");
    parameters.not_before = date_time_ymd(years.0, 1, 1);
    parameters.not_after = date_time_ymd(years.1, 12, 31);
    parameters.use_authority_key_identifier_extension = true;
    parameters.is_ca = IsCa::ExplicitNoCa;
    if let Some(usage) = usage {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![usage, KeyUsagePurpose::CrlSign];
    }
    parameters
}

fn mark(oid: &[u64]) -> CustomExtension {
    CustomExtension::from_oid_content(oid, NOTHING.to_vec())
}

fn generate(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    KeyPair::generate_for(algorithm).expect("a key")
}
