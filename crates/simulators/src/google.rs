//! Google's services: access tokens, the keys of ID tokens, Cloud Messaging and
//! Firestore.
//!
//! | simulator | stands for |
//! |---|---|
//! | [`TokenEndpoint`] | `https://oauth2.googleapis.com/token` |
//! | [`PublicKeys`] | `https://www.googleapis.com/service_accounts/v1/jwk/…` |
//! | [`Messaging`] | `https://fcm.googleapis.com/v1/projects/…/messages:send` |
//! | [`Firestore`] | `https://firestore.googleapis.com/v1/projects/…/documents/…` |
//!
//! Those that want an access token take the ones that a [`TokenEndpoint`] with
//! the same [`Bearers`] gave out, and only for their own scope.

mod bearers;
mod firestore;
mod messaging;
mod public_keys;
mod refusal;
mod rsa_key;
mod token_endpoint;

pub use bearers::Bearers;
pub use firestore::Firestore;
pub use messaging::{Device, Messaging};
pub use public_keys::PublicKeys;
pub use rsa_key::RsaKey;
pub use token_endpoint::TokenEndpoint;
