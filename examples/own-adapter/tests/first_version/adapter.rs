//! The first version, which looked right.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Bucket, LimiterError, Quota, RateLimiter, Verdict};

/// How many came since when.
#[derive(Default)]
pub(crate) struct FirstVersion(Mutex<HashMap<Bucket, (Timestamp, u32)>>);

#[async_trait]
impl RateLimiter for FirstVersion {
    async fn take(
        &self,
        bucket: Bucket,
        quota: Quota,
        now: Timestamp,
    ) -> Result<Verdict, LimiterError> {
        let mut windows = self.0.lock().unwrap();
        let (since, count) = windows.entry(bucket).or_insert((now, 0));
        if *since + quota.window <= now {
            (*since, *count) = (now, 0);
        }
        let allowed = *count < quota.limit;
        *count += u32::from(allowed);
        let remaining = quota.limit - *count;
        Ok(Verdict { allowed, limit: quota.limit, remaining, reset_at: *since + quota.window })
    }
}
