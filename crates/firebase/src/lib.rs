//! Firebase: Authentication, Cloud Messaging and Firestore, by their REST APIs.
//!
//! | port of the domain | adapter |
//! |---|---|
//! | [`IdentityProvider`](portcullis_domain::ports::IdentityProvider) | [`Authentication`] |
//! | [`Notifier`](portcullis_domain::ports::Notifier) | [`Messaging`] |
//! | [`DocumentStore`](portcullis_domain::ports::DocumentStore) | [`Firestore`] |
//!
//! All three act for one service account, whose
//! [`AccessTokens`](portcullis_google::AccessTokens) they share, and are told in
//! [`FirebaseSettings`] where Google is and how long it may take.
//!
//! # Proven against
//!
//! Nobody's cloud can be reached from a test. What stood in for it:
//!
//! | what | Google's emulator (`firebase-tools`) | `oauth2-mock-server` | `portcullis-simulators` |
//! |---|---|---|---|
//! | users: find, create, list, claims | requests and answers | | faults |
//! | revoked, disabled, missing users | yes | | faults |
//! | ID tokens: signature, keys, claims | the unsigned kind | RS256 and keys of other kinds | forgeries, rotation, faults |
//! | custom tokens | signs in by them; does not look at the signature | | signature |
//! | notifications | | | published schema, faults |
//! | documents | | | published schema, semantics of masks and preconditions, faults |
//!
//! So of Cloud Messaging and Firestore it is shown that what is sent has the
//! published form, and not that Google takes it.

mod authentication;
mod firestore;
mod messaging;
mod settings;

pub use authentication::{Authentication, InvalidEmulatorHost, InvalidIdToken};
pub use firestore::Firestore;
pub use messaging::Messaging;
pub use settings::{FirebaseSettings, InvalidFirebaseSettings};
