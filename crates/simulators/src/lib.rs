#![doc = include_str!("../README.md")]
#![expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod app_store;
pub mod b2;
pub mod google;

mod fault;
mod machine_time;
mod request;
mod server;

pub use fault::Fault;
pub use http::{HeaderMap, Method, StatusCode};
pub use request::{Reply, Request};
pub use server::{KEPT_REQUESTS, Service, Simulator};
