//! What happens around every handler, outermost first: the answer is written out and
//! given what every answer carries ([`answer`]), other origins are let in (by the crate
//! `actix-cors`), limits are held ([`rate_limit`]).

pub(crate) mod admission;
pub(crate) mod answer;
mod deprecation;
pub(crate) mod rate_limit;
mod security_headers;

use actix_web::dev::ServiceRequest;

/// The path by which a request is routed. `%6c` and `l` are one spelling to the
/// router, so they have to be one to every layer that looks at the path.
fn routed_path(request: &ServiceRequest) -> &str {
    request.match_info().as_str()
}
