//! The HTTP contract: requests to use cases, outcomes to documents.
//!
//! A handler parses, calls one use case and renders; status codes and error
//! codes are chosen in one module alone. One list of routes both serves them and
//! fills the OpenAPI document, so neither can have what the other has not.

#![allow(clippy::allow_attributes, reason = "utoipa's macros expand to `allow`")]

mod api;
mod exchange;
mod extract;
mod fallback;
#[cfg(fuzzing)]
pub mod fuzzing;
mod middleware;
mod offers;
mod openapi;
mod outcomes;
mod pages;
mod problem;
mod resources;
mod router;
pub mod traces;
mod traffic;

pub use api::{Api, CorsOrigins, Deprecation, HttpSettings, Limiters, RateLimits};
pub use exchange::{Exchange, UnderWay};
pub use middleware::answer::ANSWERED;
pub use openapi::document;
pub use problem::ErrorCode;
pub use router::service;
pub use traffic::Traffic;
