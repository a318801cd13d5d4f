//! Two instances behave as one.

mod limits;
mod lockout;
mod races;
mod revocation;

use portcullis_tests::{Anonymous, Server};

/// Every second one of them speaks to the other instance.
fn in_turn(here: &Server, there: &Server, number: usize) -> Anonymous {
    if number.is_multiple_of(2) { here.anonymous() } else { there.anonymous() }
}
