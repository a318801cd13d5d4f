//! Requests to other people's HTTP APIs.
//!
//! What every adapter of such an API needs, and nothing that only one does:
//!
//! * A [`BaseUrl`] to which a key may be sent: over TLS, or to this machine.
//! * One deadline for a whole call, its repetitions included; bounded answers;
//!   no redirects, which would carry the key elsewhere.
//! * Repetition where it does no harm ([`Repeat`]): after a refused connection,
//!   after 429 and 503 as their `Retry-After` asks, and, if the call may be made
//!   twice, after any other sign of a server in trouble.
//!
//! An answer of any status is an [`Answer`]: what it means is the adapter's
//! business. Only what is no answer at all is a [`CallError`].

mod answer;
mod base_url;
mod call;
mod client;
mod error;
mod outcome;
mod repeat;

pub use answer::Answer;
pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use call::Call;
pub use client::{ApiClient, ClientSettings, InvalidClientSettings};
pub use error::CallError;
pub use repeat::{ATTEMPTS, Repeat, pause};

// What the signatures above are made of.
pub use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::{Body, Method, Response, StatusCode};
