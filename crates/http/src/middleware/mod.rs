//! What happens around every handler, outermost first: the answer is given its
//! request id and written out ([`answer`]), headers are added, limits are held.

pub(crate) mod answer;
pub(crate) mod deprecation;
pub(crate) mod rate_limit;
pub(crate) mod security_headers;
