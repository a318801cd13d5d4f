//! The tables of forged tokens. All of them are signed with the instance's own
//! secret where nothing else is said: what is refused is what they say.

mod claims;
mod keys;
mod shapes;

use super::forge::{Kind, Model};

pub(super) use claims::{beginnings, expiries, issuers_and_audiences, other_kinds, strangers};
pub(super) use keys::{
    brought_edwards, brought_keys, key_names, other_algorithms, unsigned, wrong_keys_and_signatures,
};
pub(super) use shapes::{extensions_and_shapes, flips, spellings};

/// Every table, by the row that it shows.
pub(super) const TABLES: &[fn(&Model) -> Vec<Kind>] = &[
    unsigned,
    other_algorithms,
    key_names,
    brought_keys,
    extensions_and_shapes,
    expiries,
    beginnings,
    issuers_and_audiences,
    other_kinds,
    strangers,
    wrong_keys_and_signatures,
    flips,
    spellings,
];
