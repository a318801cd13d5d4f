//! In-app purchases over Apple's App Store Server API.
//!
//! [`AppStore`] implements the domain's port
//! [`Purchases`](portcullis_domain::ports::Purchases) for one app in one
//! environment.
//!
//! # What is believed
//!
//! A payload is believed if
//!
//! * it is signed with ES256, and no header asks for more than is known here;
//! * it brings three certificates, of which the third is not looked at: the
//!   root is ours ([`APPLE_ROOT`]), not the sender's;
//! * leaf and intermediate lead to that root, are marked with Apple's OIDs for
//!   this use (1.2.840.113635.100.6.11.1 and 1.2.840.113635.100.6.2.1), may
//!   sign payloads and certificates, and were valid when the payload says that
//!   it was signed;
//! * it is about this app in this environment, and so is all within it.
//!
//! Whether Apple has revoked a certificate before its end is not asked (no
//! OCSP): it would make each check depend on another server.
//!
//! # What it was proven against
//!
//! No registry has an App Store, so requests were answered by a simulator of
//! ours (`portcullis-simulators`) over HTTP, and never by Apple. The simulator is
//! judged by Apple's own client for Python, which asks it all that is asked here;
//! its payloads, forged ones included, by Apple's own verifier, which agrees with
//! ours (ours is stricter in one: a leaf that may not sign). The certificates that
//! Apple's library is tested with, among them those of the real App Store, are
//! judged here as Apple judges them.

mod api;
mod app_store;
mod chain;
mod flaws;
mod jws;
mod payload;
mod refusal;
mod remembered;
mod roots;
mod settings;
mod token;
mod verifier;

pub use app_store::AppStore;
pub use roots::{APPLE_ROOT, APPLE_ROOT_SHA256};
pub use settings::{AppStoreSettings, InvalidAppStoreSettings};
