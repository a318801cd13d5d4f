//! Rate limits per client, and the headers that tell of all limits (contract §6).

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, ResponseError, web};
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, Quota, Verdict};
use portcullis_metrics::{LoginOutcome, LoginWay};

use crate::Api;
use crate::extract::body::is_form;
use crate::extract::client::source_of;
use crate::middleware::admission::admit;
use crate::middleware::routed_path;
use crate::problem::Problem;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The headers that pages of other origins may read.
pub(crate) const HEADERS: [HeaderName; 3] = [LIMIT, REMAINING, RESET];

/// How strictly a path is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    Strict,
    General,
    Public,
}

/// The tier of a path as it is routed; spellings that reach no handler count
/// as general.
fn tier_of(path: &str) -> Tier {
    match path {
        "/api/v1/auth/login"
        | "/api/v1/auth/firebase"
        | "/api/v1/auth/signup"
        | "/api/v1/auth/register"
        | "/api/v1/auth/password-reset/request"
        | "/api/v1/auth/password-reset/confirm"
        | "/api/v1/auth/verify-email/resend" => Tier::Strict,
        // One sender, who has much to tell.
        "/api/v1/purchases/app-store/notifications" => Tier::Public,
        "/health" | "/health/live" | "/health/ready" | "/redoc" | "/openapi.json" | "/docs" => {
            Tier::Public
        }
        _ if path.starts_with("/docs/")
            || path.starts_with("/assets/")
            || path.starts_with("/.well-known/") =>
        {
            Tier::Public
        }
        _ => Tier::General,
    }
}

/// What limiters said of a request so far.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(Vec<Verdict>);

impl Verdicts {
    /// Adds what a limiter said.
    pub(crate) fn add(extensions: &mut Extensions, verdict: Verdict) {
        if extensions.get::<Self>().is_none() {
            extensions.insert(Self::default());
        }
        if let Some(verdicts) = extensions.get_mut::<Self>() {
            verdicts.0.push(verdict);
        }
    }

    /// The one that the client should heed: a refusal, or what is closest to one.
    fn tightest(&self) -> Option<Verdict> {
        self.0.iter().copied().min_by_key(|verdict| (verdict.allowed, verdict.remaining))
    }
}

/// How long until the next request is allowed.
pub(crate) fn retry_after(verdict: &Verdict, now: Timestamp) -> Duration {
    verdict.reset_at.since(now)
}

/// Holds a request against its client's limit before anything else looks at it.
pub(crate) async fn rate_limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let api = request.app_data::<web::Data<Api>>().cloned();
    let limits = api.as_ref().and_then(|api| api.settings.rate_limits);
    let (Some(api), Some(limits)) = (api, limits) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let client = source_of(request.request()).network();
    let tier = tier_of(routed_path(&request));
    let (bucket, limit) = match tier {
        Tier::Strict => (Bucket::Strict(client), limits.strict),
        Tier::General => (Bucket::General(client), limits.general),
        Tier::Public => (Bucket::Public(client), limits.public),
    };
    let now = api.app.now();
    let quota = Quota { limit, window: limits.window };
    let mut verdict = match admit(&request, &api, (bucket, quota), limits, now).await {
        Some((verdict, admitted)) => {
            if let Some(admitted) = admitted {
                request.extensions_mut().insert(admitted);
            }
            Ok(verdict)
        }
        None => api.limiters.shared.take(bucket, quota, now).await,
    };
    if verdict.is_err() && tier == Tier::Strict {
        verdict = api.limiters.own.take(bucket, quota, now).await;
    }
    // A limiter that is away refuses nobody (contract §6).
    let Ok(verdict) = verdict else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    if !verdict.allowed {
        if let Some(way) = way_of_login(&request) {
            api.metrics.logins.count((way, LoginOutcome::Limited));
        }
        let problem = Problem::rate_limited(retry_after(&verdict, now));
        let mut refusal = problem.error_response();
        tell(refusal.headers_mut(), verdict);
        return Ok(request.into_response(refusal));
    }
    Verdicts::add(&mut request.extensions_mut(), verdict);
    let mut response = next.call(request).await?.map_into_boxed_body();
    let tightest = response.request().extensions().get::<Verdicts>().and_then(Verdicts::tightest);
    tell(response.headers_mut(), tightest.unwrap_or(verdict));
    Ok(response)
}

/// The way of a login that is refused before it is read, for the metrics.
fn way_of_login(request: &ServiceRequest) -> Option<LoginWay> {
    match routed_path(request) {
        "/api/v1/auth/login" if is_form(request.headers()) => Some(LoginWay::Form),
        "/api/v1/auth/login" => Some(LoginWay::Json),
        "/api/v1/auth/firebase" => Some(LoginWay::Firebase),
        _ => None,
    }
}

fn tell(headers: &mut HeaderMap, verdict: Verdict) {
    // Rounded up: at that second the next request is really allowed.
    let reset = verdict.reset_at.as_micros().div_euclid(1_000_000)
        + i64::from(verdict.reset_at.as_micros().rem_euclid(1_000_000) > 0);
    headers.insert(LIMIT, HeaderValue::from(verdict.limit));
    headers.insert(REMAINING, HeaderValue::from(verdict.remaining));
    headers.insert(RESET, HeaderValue::from(reset));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiers_are_the_contracts() {
        assert_eq!(tier_of("/api/v1/auth/login"), Tier::Strict);
        assert_eq!(tier_of("/api/v1/auth/refresh"), Tier::General);
        assert_eq!(tier_of("/api/v1/auth/verify-email/token"), Tier::General);
        assert_eq!(tier_of("/docs/index.html"), Tier::Public);
        assert_eq!(tier_of("/health/ready"), Tier::Public);
        assert_eq!(tier_of("/.well-known/jwks.json"), Tier::Public);
        assert_eq!(tier_of("/api/v1/auth/login/"), Tier::General);
    }

    #[test]
    fn a_refusal_or_else_the_closest_limit_is_told() {
        let verdict = |allowed, remaining| Verdict {
            allowed,
            limit: 10,
            remaining,
            reset_at: Timestamp::from_seconds(0),
        };
        let told = |verdicts: &[Verdict]| Verdicts(verdicts.to_vec()).tightest().unwrap();
        assert_eq!(told(&[verdict(true, 5), verdict(true, 3)]).remaining, 3);
        assert!(!told(&[verdict(true, 0), verdict(false, 0)]).allowed);
    }
}
