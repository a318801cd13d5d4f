//! What happens around every handler, outermost first: the answer is given its
//! request id and written out ([`answer`]), headers are added, limits are held.

pub(crate) mod admission;
pub(crate) mod answer;
pub(crate) mod deprecation;
pub(crate) mod rate_limit;
pub(crate) mod security_headers;

use actix_web::dev::ServiceRequest;

/// The path by which a request is routed. `%6c` and `l` are one spelling to the
/// router, so they have to be one to every layer that looks at the path.
fn routed_path(request: &ServiceRequest) -> &str {
    request.match_info().as_str()
}
