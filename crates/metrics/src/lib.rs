//! What is counted and measured.
//!
//! The [`catalogue`] declares every metric once: name, kind, unit, labels, help.
//! Whoever counts holds [`Metrics`], whose handles are registered at the start:
//! counting is an index into a list and an addition. The values of labels are
//! enums, so nothing that a client chose can become one.
//!
//! There is no global recorder: each server has its own, and where nobody asks for
//! metrics the handles do nothing.

pub mod catalogue;
mod exposition;
mod family;
mod label;
mod measures;
mod outcomes;
mod requests;
mod subjects;

pub use exposition::{Exposition, InvalidBuckets};
pub use family::{Counters, Durations, Gauges};
pub use label::{Label, Labels};
pub use measures::Metrics;
pub use outcomes::{
    Decision, HashOutcome, JobOutcome, LoginOutcome, LogoutOutcome, LookupResult, MailOutcome,
    RefreshOutcome, RegistrationOutcome, ResetOutcome, VerificationOutcome,
};
pub use requests::Requests;
pub use subjects::{
    Contract, Dependency, HashOperation, JobKind, Limiter, LoginWay, Method, Pool, StatusClass,
    Tier,
};
