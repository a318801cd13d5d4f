//! `portcullis users`: moving accounts in and out, as newline-delimited JSON.

mod archive;
mod arrival;
mod departure;
mod export;
mod fields;
mod import;
mod interrupt;
mod lines;
mod object;
mod progress;
mod tally;

pub(crate) use export::export;
pub(crate) use import::import;
