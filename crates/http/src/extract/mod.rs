//! From requests to the domain's values.

pub(crate) mod accept;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod client;
pub(crate) mod fields;
pub(crate) mod subject;
