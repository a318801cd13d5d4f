//! What should not be believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::KeyUsagePurpose;
use serde_json::{Value, json};

use super::authority::{Authority, OTHER_MARK, Shape};

/// What is wrong with a signature or its certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// The payload was changed after it was signed.
    ChangedPayload,
    /// Another key has signed.
    OtherKey,
    /// The header says `none`, and there is no real signature.
    NoAlgorithm,
    /// The header says `HS256`.
    SymmetricAlgorithm,
    /// The header asks for an extension that nobody knows (RFC 7515 §4.1.11).
    CriticalHeader,
    /// No certificates.
    NoCertificates,
    /// Leaf and intermediate, without the root.
    TwoCertificates,
    /// One certificate too many.
    FourCertificates,
    /// The leaf is no certificate.
    NotACertificate,
    /// All is in order, but below a root that nobody trusts.
    ForeignRoot,
    /// The leaf is of a root that nobody trusts, and stands below a good
    /// intermediate certificate.
    MixedChain,
    /// The leaf certificate was issued by the root itself.
    LeafBelowRoot,
    /// The leaf's time was over when the payload was signed.
    ExpiredLeaf,
    /// The leaf's time had not come when the payload was signed.
    FutureLeaf,
    /// The leaf is not marked with Apple's OID.
    LeafNotMarked,
    /// The intermediate is not marked with Apple's OID.
    IntermediateNotMarked,
    /// The leaf may not sign.
    LeafMayNotSign,
    /// The intermediate is an authority that may not sign certificates.
    IntermediateMayNotIssue,
    /// The intermediate is no authority.
    IntermediateIsNoAuthority,
}

impl Forgery {
    /// All there are.
    pub const ALL: &'static [Self] = &[
        Self::ChangedPayload,
        Self::OtherKey,
        Self::NoAlgorithm,
        Self::SymmetricAlgorithm,
        Self::CriticalHeader,
        Self::NoCertificates,
        Self::TwoCertificates,
        Self::FourCertificates,
        Self::NotACertificate,
        Self::ForeignRoot,
        Self::MixedChain,
        Self::LeafBelowRoot,
        Self::ExpiredLeaf,
        Self::FutureLeaf,
        Self::LeafNotMarked,
        Self::IntermediateNotMarked,
        Self::LeafMayNotSign,
        Self::IntermediateMayNotIssue,
        Self::IntermediateIsNoAuthority,
    ];

    /// How the certificates differ from good ones, if they do.
    fn shape(self) -> Shape {
        let good = Shape::GOOD;
        match self {
            Self::LeafBelowRoot => Shape { leaf_below_root: true, ..good },
            Self::ExpiredLeaf => Shape { leaf_years: (2020, 2021), ..good },
            Self::FutureLeaf => Shape { leaf_years: (2080, 2090), ..good },
            Self::LeafNotMarked => Shape { leaf_mark: OTHER_MARK, ..good },
            Self::IntermediateNotMarked => Shape { intermediate_mark: OTHER_MARK, ..good },
            Self::LeafMayNotSign => Shape { leaf_usage: KeyUsagePurpose::KeyAgreement, ..good },
            Self::IntermediateMayNotIssue => {
                Shape { intermediate_usage: Some(KeyUsagePurpose::DigitalSignature), ..good }
            }
            Self::IntermediateIsNoAuthority => Shape { intermediate_usage: None, ..good },
            _ => good,
        }
    }
}

impl Authority {
    /// Signs a payload as nobody should believe it.
    #[must_use]
    pub fn forge(&self, payload: &Value, forgery: Forgery) -> String {
        let x5c = self.chain.x5c();
        let foreign = Self::new();
        let (header, signer) = match forgery {
            Forgery::ChangedPayload => return changed(&self.sign(payload)),
            Forgery::ForeignRoot => return foreign.sign(payload),
            Forgery::OtherKey => (json!({"alg": "ES256", "x5c": x5c}), &foreign.chain),
            Forgery::NoAlgorithm => (json!({"alg": "none", "x5c": x5c}), &foreign.chain),
            Forgery::SymmetricAlgorithm => (json!({"alg": "HS256", "x5c": x5c}), &self.chain),
            Forgery::CriticalHeader => {
                let header = json!({"alg": "ES256", "x5c": x5c, "crit": ["exp"], "exp": 0});
                (header, &self.chain)
            }
            Forgery::NoCertificates => (json!({"alg": "ES256"}), &self.chain),
            Forgery::TwoCertificates => (json!({"alg": "ES256", "x5c": x5c[..2]}), &self.chain),
            Forgery::FourCertificates => {
                let four = [&x5c[..], &x5c[2..]].concat();
                (json!({"alg": "ES256", "x5c": four}), &self.chain)
            }
            Forgery::NotACertificate => {
                (json!({"alg": "ES256", "x5c": ["QUJD", x5c[1], x5c[2]]}), &self.chain)
            }
            Forgery::MixedChain => {
                let leaf = &foreign.chain.x5c()[0];
                (json!({"alg": "ES256", "x5c": [leaf, x5c[1], x5c[2]]}), &foreign.chain)
            }
            Forgery::LeafBelowRoot
            | Forgery::ExpiredLeaf
            | Forgery::FutureLeaf
            | Forgery::LeafNotMarked
            | Forgery::IntermediateNotMarked
            | Forgery::LeafMayNotSign
            | Forgery::IntermediateMayNotIssue
            | Forgery::IntermediateIsNoAuthority => {
                let chain = self.chain(forgery.shape());
                return chain.sign(&json!({"alg": "ES256", "x5c": chain.x5c()}), payload);
            }
        };
        signer.sign(&header, payload)
    }
}

/// The same JWS with another field in its payload.
fn changed(signed: &str) -> String {
    let parts: Vec<_> = signed.split('.').collect();
    let payload = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64url");
    let mut payload: Value = serde_json::from_slice(&payload).expect("JSON");
    payload["changed"] = true.into();
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    [parts[0], &payload, parts[2]].join(".")
}
