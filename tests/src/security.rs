//! Which test shows that which requirement holds.
//!
//! The requirements and faults are listed in `tests/cases`. A test shows a row
//! when its name, or that of a module around it, begins with the row's id:
//! `pw_03_72_bytes_are_not_the_end` shows PW-03, `jw_01_jw_06_…` shows two rows.
//! `docs/security.md` is made from those lists and from the output of a run, so
//! nobody keeps a list of tests by hand.

mod case;
mod document;
mod run;

pub use case::{Case, Id, Severity, faults, requirements};
pub use document::{document, mistakes};
pub use run::{Test, tests_of};
