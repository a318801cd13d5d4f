//! The HTTP contract, endpoint by endpoint and rule by rule.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod headers;
mod health_and_docs;
mod keys;
mod lockout;
mod login_form;
mod login_json;
mod logout;
mod mailbox;
mod password_reset;
mod passwords;
mod profile;
mod rate_limits;
mod refresh;
mod registration;
mod sign_up;
mod verification;
mod versioning;
