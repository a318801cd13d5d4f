//! Metrics: what is measured around the ports, and where all of it is told.

mod hasher;
mod limiter;
mod listener;
mod process;
mod sample;

pub(crate) use hasher::MeasuredHasher;
pub(crate) use limiter::{MeasuredAdmissions, MeasuredLimiter};
pub(crate) use listener::MetricsListener;
pub(crate) use process::started as process_started;
pub(crate) use sample::Sampled;
