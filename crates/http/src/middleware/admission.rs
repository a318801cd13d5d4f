//! Reads of one's own account: the most frequent requests, for which the limits and
//! the caller are asked in one step where that can be.

use std::sync::Arc;

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use portcullis_domain::ports::{Admission, Bucket, Caller, Entrant, Quota, Verdict};
use portcullis_domain::{AccessClaims, StoreError, Timestamp};

use super::routed_path;
use crate::Api;
use crate::api::RateLimits;
use crate::extract::bearer::token_of;

/// What was found out about a bearer before the handler asks.
pub(crate) struct Admitted {
    /// What the token says.
    pub(crate) claims: AccessClaims,
    /// What the user's own limit said.
    pub(crate) own: Verdict,
    /// The caller; none was looked for if the limit refuses.
    pub(crate) found: Result<Option<Arc<Caller>>, StoreError>,
}

/// Takes a request from its client's limit, and if it is a read of the own account
/// with a token that was verified before, does what authenticating them would do.
///
/// `None` when that has to be done step by step.
pub(super) async fn admit(
    request: &ServiceRequest,
    api: &Api,
    client: (Bucket, Quota),
    limits: RateLimits,
    now: Timestamp,
) -> Option<(Verdict, Option<Box<Admitted>>)> {
    let admissions = api.limiters.admissions.as_ref()?;
    if !is_read_of_own_account(request) {
        return None;
    }
    let token = token_of(request.headers()).ok()?;
    // A signature is worth something: the client's limit comes before it.
    let claims = api.app.recall_access_token(token)?;
    let own = Quota { limit: limits.user, window: limits.window };
    let entrant = Entrant { client, own, session: claims.session, user: claims.user };
    let (client, own, found) = match admissions.admit(&entrant, now).await? {
        Admission::ClientLimited(client) => return Some((client, None)),
        Admission::UserLimited(client, own) => (client, own, Ok(None)),
        Admission::Allowed(client, own, found) => (client, own, found),
    };
    Some((client, Some(Box::new(Admitted { claims, own, found }))))
}

/// Handlers that do nothing before they authenticate, and nothing else of weight.
fn is_read_of_own_account(request: &ServiceRequest) -> bool {
    request.method() == Method::GET
        && matches!(routed_path(request), "/api/v1/auth/me" | "/api/v1/users/me")
}
