//! What was acknowledged holds, whatever ends the server or its machine.
//!
//! Clients write down every answer they get ([`journal`]); afterwards a checker
//! holds the journal against the database, the mails and what the server then
//! says ([`checker`]). `CRASH_KILLS=200` and `CRASH_POINTS=all` run the whole of
//! what a plain run samples, `SOAK_MINUTES=30` soaks.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod checker;
mod clocks;
mod database;
mod disks;
mod herd;
mod journal;
mod kills;
mod load;
mod points;
mod queued;
mod rolling;
mod shim;
mod soak;
mod stops;
mod world;
