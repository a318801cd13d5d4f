//! What an attacker would try, against the real binary.
//!
//! A test shows a row of `tests/cases/requirements.tsv` when the row's id stands
//! in its name: `pw_03_…` shows PW-03. The same holds for every other test of the
//! workspace, and for the faults of `tests/cases/faults.tsv` (`r_12_…`).
//! `docs/security.md` is made from the names and results of a run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_tokens;
mod bodies;
mod bombs;
mod connections;
mod enumeration;
mod fuzz;
mod headers;
mod heads;
mod login;
mod logout;
mod mail;
mod operation;
mod password_hashing;
mod password_reset;
mod passwords;
mod profile;
mod rate_limits;
mod registration;
mod routes;
mod secrets;
mod sessions;
mod smuggling;
mod supply_chain;
mod verification;
