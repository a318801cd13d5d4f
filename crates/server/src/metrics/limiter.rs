//! What limiters decide.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{
    Admission, Admissions, Bucket, Entrant, LimiterError, Quota, RateLimiter, Verdict,
};
use portcullis_metrics::{Decision, Limiter, Metrics, Tier};

/// Counts what a limiter decides, by tier: never for whom.
pub(crate) struct MeasuredLimiter {
    inner: Arc<dyn RateLimiter>,
    which: Limiter,
    metrics: Arc<Metrics>,
}

impl MeasuredLimiter {
    pub(crate) fn new(inner: Arc<dyn RateLimiter>, which: Limiter, metrics: &Arc<Metrics>) -> Self {
        Self { inner, which, metrics: Arc::clone(metrics) }
    }
}

#[async_trait]
impl RateLimiter for MeasuredLimiter {
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError> {
        let verdict = self.inner.take(bucket, quota, now).await;
        let decision = verdict.as_ref().map_or(Decision::Failed, decision);
        self.metrics.limiter_decisions.count((self.which, tier(bucket), decision));
        verdict
    }
}

/// The same, of limits that are asked together with the caller.
pub(crate) struct MeasuredAdmissions {
    inner: Arc<dyn Admissions>,
    metrics: Arc<Metrics>,
}

impl MeasuredAdmissions {
    pub(crate) fn new(inner: Arc<dyn Admissions>, metrics: &Arc<Metrics>) -> Self {
        Self { inner, metrics: Arc::clone(metrics) }
    }
}

#[async_trait]
impl Admissions for MeasuredAdmissions {
    async fn admit(&self, entrant: &Entrant, now: Timestamp) -> Option<Admission> {
        // One that cannot be made is followed by others that are counted.
        let admission = self.inner.admit(entrant, now).await?;
        let (client, own) = match &admission {
            Admission::ClientLimited(client) => (client, None),
            Admission::UserLimited(client, own) | Admission::Allowed(client, own, _) => {
                (client, Some(own))
            }
        };
        let count = |tier, verdict| {
            self.metrics.limiter_decisions.count((Limiter::First, tier, decision(verdict)));
        };
        count(tier(entrant.client.0), client);
        if let Some(own) = own {
            count(Tier::User, own);
        }
        Some(admission)
    }
}

fn tier(bucket: Bucket) -> Tier {
    match bucket {
        Bucket::Strict(_) => Tier::Strict,
        Bucket::General(_) => Tier::General,
        Bucket::Public(_) => Tier::Public,
        Bucket::User(_) => Tier::User,
    }
}

fn decision(verdict: &Verdict) -> Decision {
    if verdict.allowed { Decision::Allowed } else { Decision::Refused }
}
