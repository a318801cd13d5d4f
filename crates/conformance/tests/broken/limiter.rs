//! A limiter with a defect.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, LimiterError, Quota, RateLimiter, Verdict};

use super::Defect;

/// A sliding window, told in as few words as possible, with a defect.
pub(crate) struct BrokenLimiter {
    defect: Defect,
    taken: Mutex<HashMap<Option<Bucket>, Vec<Timestamp>>>,
}

impl BrokenLimiter {
    pub(crate) fn new(defect: Defect) -> Self {
        Self { defect, taken: Mutex::default() }
    }
}

#[async_trait]
impl RateLimiter for BrokenLimiter {
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError> {
        let has = |defect| self.defect == defect;
        let mut buckets = self.taken.lock().unwrap();
        let taken = buckets.entry((!has(Defect::OneBucket)).then_some(bucket)).or_default();
        if !has(Defect::TrustTheFuture) {
            for at in taken.iter_mut() {
                *at = (*at).min(now);
            }
        }
        if has(Defect::FixedWindow) {
            let first = taken.first().copied().unwrap_or(now);
            if first + quota.window <= now {
                taken.clear();
            }
        } else {
            taken.retain(|at| *at + quota.window > now);
        }
        let limit = quota.limit as usize + usize::from(has(Defect::AllowOneMore));
        let allowed = taken.len() < limit;
        if allowed || has(Defect::CountRefused) {
            taken.push(now);
        }
        let oldest = taken.first().copied().unwrap_or(now);
        let remaining = u32::try_from(limit.saturating_sub(taken.len())).unwrap();
        Ok(Verdict { allowed, limit: quota.limit, remaining, reset_at: oldest + quota.window })
    }
}
