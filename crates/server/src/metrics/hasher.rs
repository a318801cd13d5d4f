//! Passwords that are hashed, and those that are not.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use portcullis_domain::ports::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};
use portcullis_metrics::{HashOperation, HashOutcome, Metrics};
use tracing::{Instrument, debug_span};

/// Counts what a hasher does.
pub(crate) struct MeasuredHasher {
    inner: Arc<dyn PasswordHasher>,
    metrics: Arc<Metrics>,
}

impl MeasuredHasher {
    pub(crate) fn new(inner: Arc<dyn PasswordHasher>, metrics: Arc<Metrics>) -> Self {
        Self { inner, metrics }
    }

    fn count<T>(
        &self,
        operation: HashOperation,
        asked: Instant,
        finished: &Result<T, HasherError>,
    ) {
        let outcome = match finished {
            Ok(_) => {
                self.metrics.hash_duration.record((operation,), asked.elapsed());
                HashOutcome::Computed
            }
            Err(HasherError::Overloaded) => HashOutcome::Refused,
            Err(HasherError::Cancelled) => HashOutcome::Abandoned,
            Err(HasherError::Failed(_)) => HashOutcome::Failed,
        };
        self.metrics.hashes.count((outcome,));
    }
}

#[async_trait]
impl PasswordHasher for MeasuredHasher {
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError> {
        let admitted = self.inner.admit(cancellation);
        if admitted.is_err() {
            self.metrics.hashes.count((HashOutcome::Refused,));
        }
        admitted
    }

    async fn hash(&self, turn: Turn, password: Password) -> Result<PasswordHash, HasherError> {
        let asked = Instant::now();
        let finished =
            self.inner.hash(turn, password).instrument(debug_span!("hash_password")).await;
        self.count(HashOperation::Hash, asked, &finished);
        finished
    }

    async fn verify(
        &self,
        turn: Turn,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError> {
        let asked = Instant::now();
        let finished = self
            .inner
            .verify(turn, password, hash)
            .instrument(debug_span!("verify_password"))
            .await;
        self.count(HashOperation::Verify, asked, &finished);
        finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_conformance::fakes::PlainHasher;
    use portcullis_metrics::Exposition;

    #[tokio::test]
    async fn each_password_is_counted_once() {
        let (metrics, exposition) = Exposition::start("0").unwrap();
        let hasher = MeasuredHasher::new(Arc::new(PlainHasher::default()), Arc::new(metrics));
        let password = Password::parse("SecurePass123!").unwrap();
        let turn = || hasher.admit(Cancellation::default()).unwrap();
        let hash = hasher.hash(turn(), password.clone()).await.unwrap();
        for hash in [Some(hash), None] {
            hasher.verify(turn(), password.clone(), hash).await.unwrap();
        }
        let text = exposition.render();
        for line in [
            "portcullis_password_hashes_total{outcome=\"computed\"} 3",
            "portcullis_password_hash_duration_seconds_count{operation=\"hash\"} 1",
            "portcullis_password_hash_duration_seconds_count{operation=\"verify\"} 2",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}:\n{text}");
        }
    }
}
