//! The App Store adapter, against a simulator of Apple's API over HTTP; the
//! simulator and the adapter, against what Apple wrote.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apple;
mod extensions;
mod faults;
mod forgeries;
mod histories;
mod notifications;
mod refusals;
mod settings;
mod shop;
mod subscriptions;
mod transactions;
