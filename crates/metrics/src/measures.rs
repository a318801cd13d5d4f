//! The handles, one family for each metric of the catalogue.

use std::sync::Arc;

use metrics::NoopRecorder;

use crate::catalogue;
use crate::family::Registry;
use crate::{
    Contract, Counters, Decision, Dependency, Durations, Gauges, HashOperation, HashOutcome,
    JobKind, JobOutcome, Limiter, LoginOutcome, LoginWay, LogoutOutcome, LookupResult, MailOutcome,
    Pool, RefreshOutcome, RegistrationOutcome, Requests, ResetOutcome, Tier, VerificationOutcome,
};

/// Everything that is counted and measured; see the catalogue for what each tells.
pub struct Metrics {
    registry: Registry,
    /// [`catalogue::LOGINS`].
    pub logins: Counters<(LoginWay, LoginOutcome)>,
    /// [`catalogue::LOCKOUTS`].
    pub lockouts: Counters<()>,
    /// [`catalogue::REFRESHES`].
    pub refreshes: Counters<(RefreshOutcome,)>,
    /// [`catalogue::REGISTRATIONS`].
    pub registrations: Counters<(Contract, RegistrationOutcome)>,
    /// [`catalogue::VERIFICATIONS`].
    pub verifications: Counters<(VerificationOutcome,)>,
    /// [`catalogue::RESETS`].
    pub resets: Counters<(ResetOutcome,)>,
    /// [`catalogue::LOGOUTS`].
    pub logouts: Counters<(Contract, LogoutOutcome)>,
    /// [`catalogue::MAILS`].
    pub mails: Counters<(MailOutcome,)>,
    /// [`catalogue::JOBS`].
    pub jobs: Counters<(JobKind, JobOutcome)>,
    /// [`catalogue::LIMITER_DECISIONS`].
    pub limiter_decisions: Counters<(Limiter, Tier, Decision)>,
    /// [`catalogue::HTTP_UNDER_WAY`].
    pub http_under_way: Gauges<()>,
    /// [`catalogue::HASHES`].
    pub hashes: Counters<(HashOutcome,)>,
    /// [`catalogue::HASH_DURATION`].
    pub hash_duration: Durations<(HashOperation,)>,
    /// [`catalogue::HASHES_WAITING`].
    pub hashes_waiting: Gauges<()>,
    /// [`catalogue::POOL_LIMIT`].
    pub pool_limit: Gauges<(Pool,)>,
    /// [`catalogue::POOL_CONNECTIONS`].
    pub pool_connections: Gauges<(Pool,)>,
    /// [`catalogue::POOL_AVAILABLE`].
    pub pool_available: Gauges<(Pool,)>,
    /// [`catalogue::POOL_WAITING`].
    pub pool_waiting: Gauges<(Pool,)>,
    /// [`catalogue::DEPENDENCY_UP`].
    pub dependency_up: Gauges<(Dependency,)>,
    /// [`catalogue::CALLER_LOOKUPS`].
    pub caller_lookups: Counters<(LookupResult,)>,
    /// [`catalogue::PROCESS_START`].
    pub process_start: Gauges<()>,
    /// [`catalogue::PROCESS_CPU`].
    pub process_cpu: Counters<()>,
    /// [`catalogue::PROCESS_MEMORY`].
    pub process_memory: Gauges<()>,
    /// [`catalogue::PROCESS_OPEN_FILES`].
    pub process_open_files: Gauges<()>,
    /// [`catalogue::PROCESS_MAX_FILES`].
    pub process_max_files: Gauges<()>,
}

impl Metrics {
    /// Counts nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::in_registry(Arc::new(NoopRecorder))
    }

    pub(crate) fn in_registry(registry: Registry) -> Self {
        Self {
            logins: Counters::of(&catalogue::LOGINS, &registry),
            lockouts: Counters::of(&catalogue::LOCKOUTS, &registry),
            refreshes: Counters::of(&catalogue::REFRESHES, &registry),
            registrations: Counters::of(&catalogue::REGISTRATIONS, &registry),
            verifications: Counters::of(&catalogue::VERIFICATIONS, &registry),
            resets: Counters::of(&catalogue::RESETS, &registry),
            logouts: Counters::of(&catalogue::LOGOUTS, &registry),
            mails: Counters::of(&catalogue::MAILS, &registry),
            jobs: Counters::of(&catalogue::JOBS, &registry),
            limiter_decisions: Counters::of(&catalogue::LIMITER_DECISIONS, &registry),
            http_under_way: Gauges::of(&catalogue::HTTP_UNDER_WAY, &registry),
            hashes: Counters::of(&catalogue::HASHES, &registry),
            hash_duration: Durations::of(&catalogue::HASH_DURATION, &registry),
            hashes_waiting: Gauges::of(&catalogue::HASHES_WAITING, &registry),
            pool_limit: Gauges::of(&catalogue::POOL_LIMIT, &registry),
            pool_connections: Gauges::of(&catalogue::POOL_CONNECTIONS, &registry),
            pool_available: Gauges::of(&catalogue::POOL_AVAILABLE, &registry),
            pool_waiting: Gauges::of(&catalogue::POOL_WAITING, &registry),
            dependency_up: Gauges::of(&catalogue::DEPENDENCY_UP, &registry),
            caller_lookups: Counters::of(&catalogue::CALLER_LOOKUPS, &registry),
            process_start: Gauges::of(&catalogue::PROCESS_START, &registry),
            process_cpu: Counters::of(&catalogue::PROCESS_CPU, &registry),
            process_memory: Gauges::of(&catalogue::PROCESS_MEMORY, &registry),
            process_open_files: Gauges::of(&catalogue::PROCESS_OPEN_FILES, &registry),
            process_max_files: Gauges::of(&catalogue::PROCESS_MAX_FILES, &registry),
            registry,
        }
    }

    /// Requests over these route patterns.
    #[must_use]
    pub fn requests_over(&self, patterns: impl IntoIterator<Item = String>) -> Requests {
        Requests::over(&self.registry, patterns)
    }
}
