//! Google service accounts: access tokens, signatures, and calls that carry them.
//!
//! A [`ServiceAccount`] is read from its JSON or from its parts. It signs: URLs
//! for storage, custom tokens for Firebase, and the assertions for which Google
//! gives out access tokens (RFC 7523). [`AccessTokens`] keeps those until shortly
//! before they expire, and [`GoogleApi`] puts them on calls.
//!
//! Why not one of the crates that do this: `gcp_auth`, the smallest, looks for
//! credentials in the environment, in the home folder and at a metadata server
//! unless it is kept from it, signs assertions and nothing else, and is as large
//! as what it saves. Credentials that are found instead of given are a way to
//! write into somebody else's project; here there is one source, the settings.

mod access_tokens;
mod authorization;
mod failure;
mod google_api;
mod private_key;
mod scope;
mod service_account;

pub use access_tokens::{AccessTokens, TokenError};
pub use authorization::Authorization;
pub use failure::{Failure, FailureKind, Refusal};
pub use google_api::GoogleApi;
pub use private_key::{InvalidPrivateKey, PrivateKey, SigningFailed};
pub use scope::Scope;
pub use service_account::{
    AccountField, InvalidServiceAccount, ServiceAccount, ServiceAccountParts,
};
