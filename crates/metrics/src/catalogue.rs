//! Every metric there is: name, kind, unit, labels, help. Nothing else names one.

use std::fmt::Write;

use metrics::Unit;

/// What a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by these upper bounds.
    Histogram(&'static [f64]),
}

/// What a metric is.
#[derive(Debug)]
pub struct Metric {
    /// Its whole name, unit and `_total` included, as Prometheus wants it.
    pub name: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// What it is measured in.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it tells, for people.
    pub help: &'static str,
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, unit: Unit::Count, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, unit: Unit::Count, labels, help }
}

const fn seconds(
    name: &'static str,
    labels: &'static [&'static str],
    buckets: &'static [f64],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Histogram(buckets), unit: Unit::Seconds, labels, help }
}

/// A read takes about a millisecond, a login as long as a hash and its wait.
const REQUEST_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// From the cheapest hash that may be set to the longest wait for one.
const HASH_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0];

/// Logins.
pub static LOGINS: Metric = counter(
    "portcullis_logins_total",
    &["way", "outcome"],
    "Logins, by the way they came and by what became of them.",
);
/// Identifiers that were locked.
pub static LOCKOUTS: Metric = counter(
    "portcullis_lockouts_total",
    &[],
    "Times that failed logins locked an identifier for a client.",
);
/// Refresh tokens that were presented.
pub static REFRESHES: Metric = counter(
    "portcullis_refreshes_total",
    &["outcome"],
    "Refresh tokens that were presented, by what became of them. `reused` ended a session.",
);
/// Registrations and sign-ups.
pub static REGISTRATIONS: Metric = counter(
    "portcullis_registrations_total",
    &["contract", "outcome"],
    "Registrations (json) and sign-ups (form), by what became of them.",
);
/// Verifications of addresses.
pub static VERIFICATIONS: Metric = counter(
    "portcullis_email_verifications_total",
    &["outcome"],
    "Verification mails that were asked for again, and tokens that were presented.",
);
/// Password resets.
pub static RESETS: Metric = counter(
    "portcullis_password_resets_total",
    &["outcome"],
    "Password resets that were asked for, and tokens that were presented.",
);
/// Logouts.
pub static LOGOUTS: Metric = counter(
    "portcullis_logouts_total",
    &["contract", "outcome"],
    "Logouts with a refresh token (json) and without (form), by what became of them.",
);
/// What became of letters.
pub static MAILS: Metric = counter(
    "portcullis_mails_total",
    &["outcome"],
    "Attempts to deliver a mail, by their outcome. `buried` ones were given up.",
);
/// What became of jobs.
pub static JOBS: Metric = counter(
    "portcullis_jobs_total",
    &["kind", "outcome"],
    "Attempts at a background job, by their outcome. `buried` ones were given up.",
);
/// What limiters decided.
pub static LIMITER_DECISIONS: Metric = counter(
    "portcullis_limiter_decisions_total",
    &["limiter", "tier", "decision"],
    "Requests held against a rate limit. `fallback` is this process's own, while the first one fails.",
);
/// Answers.
pub static HTTP_REQUESTS: Metric = counter(
    "portcullis_http_requests_total",
    &["route", "method", "status"],
    "Requests that were answered, by route pattern, method and status class.",
);
/// How long answers took.
pub static HTTP_DURATION: Metric = seconds(
    "portcullis_http_request_duration_seconds",
    &["route", "method"],
    REQUEST_BUCKETS,
    "Time from a request's head to its answer.",
);
/// Requests under way.
pub static HTTP_UNDER_WAY: Metric = gauge(
    "portcullis_http_requests_under_way",
    &[],
    "Requests that have begun and are not answered.",
);
/// What became of passwords.
pub static HASHES: Metric = counter(
    "portcullis_password_hashes_total",
    &["outcome"],
    "Passwords that were to be hashed or verified. `refused` ones would have waited too long.",
);
/// How long they took.
pub static HASH_DURATION: Metric = seconds(
    "portcullis_password_hash_duration_seconds",
    &["operation"],
    HASH_BUCKETS,
    "Time that a password took to be hashed or verified, its wait included.",
);
/// Passwords that wait.
pub static HASHES_WAITING: Metric =
    gauge("portcullis_password_hashes_waiting", &[], "Passwords that wait for a hashing thread.");
/// How many connections a pool may have.
pub static POOL_LIMIT: Metric =
    gauge("portcullis_pool_limit", &["pool"], "Connections that a pool may have.");
/// How many it has.
pub static POOL_CONNECTIONS: Metric =
    gauge("portcullis_pool_connections", &["pool"], "Connections that a pool has.");
/// How many are free.
pub static POOL_AVAILABLE: Metric =
    gauge("portcullis_pool_available", &["pool"], "Connections of a pool that nobody uses.");
/// How many want one.
pub static POOL_WAITING: Metric =
    gauge("portcullis_pool_waiting", &["pool"], "Borrowers that wait for a connection of a pool.");
/// Whether dependencies answer.
pub static DEPENDENCY_UP: Metric = gauge(
    "portcullis_dependency_up",
    &["dependency"],
    "1 while a dependency answers, as /health tells; mail: while the last one was accepted.",
);
/// How callers were found.
pub static CALLER_LOOKUPS: Metric = counter(
    "portcullis_caller_lookups_total",
    &["result"],
    "Callers that were looked up in Redis: hit, miss, or bypassed since it could not be asked.",
);
/// What runs.
pub static BUILD_INFO: Metric =
    gauge("portcullis_build_info", &["version"], "1, with the version that runs.");
/// Since when it runs.
pub static PROCESS_START: Metric = Metric {
    name: "process_start_time_seconds",
    kind: Kind::Gauge,
    unit: Unit::Seconds,
    labels: &[],
    help: "When the process started, in seconds of Unix time.",
};
/// What it computed.
pub static PROCESS_CPU: Metric = Metric {
    name: "process_cpu_seconds_total",
    kind: Kind::Counter,
    unit: Unit::Seconds,
    labels: &[],
    help: "Processor time that the process has used, in whole seconds.",
};
/// What it holds in memory.
pub static PROCESS_MEMORY: Metric = Metric {
    name: "process_resident_memory_bytes",
    kind: Kind::Gauge,
    unit: Unit::Bytes,
    labels: &[],
    help: "Memory of the process that is in RAM.",
};
/// What it has open.
pub static PROCESS_OPEN_FILES: Metric =
    gauge("process_open_fds", &[], "Files and sockets that the process has open.");
/// What it may have open.
pub static PROCESS_MAX_FILES: Metric =
    gauge("process_max_fds", &[], "Files and sockets that the process may have open.");

/// All of them, in the order in which the documentation lists them.
pub static ALL: &[&Metric] = &[
    &LOGINS,
    &LOCKOUTS,
    &REFRESHES,
    &REGISTRATIONS,
    &VERIFICATIONS,
    &RESETS,
    &LOGOUTS,
    &MAILS,
    &JOBS,
    &LIMITER_DECISIONS,
    &HTTP_REQUESTS,
    &HTTP_DURATION,
    &HTTP_UNDER_WAY,
    &HASHES,
    &HASH_DURATION,
    &HASHES_WAITING,
    &POOL_LIMIT,
    &POOL_CONNECTIONS,
    &POOL_AVAILABLE,
    &POOL_WAITING,
    &DEPENDENCY_UP,
    &CALLER_LOOKUPS,
    &BUILD_INFO,
    &PROCESS_START,
    &PROCESS_CPU,
    &PROCESS_MEMORY,
    &PROCESS_OPEN_FILES,
    &PROCESS_MAX_FILES,
];

/// The catalogue as a table in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut table = String::from("| metric | kind | labels | meaning |\n|---|---|---|---|\n");
    for metric in ALL {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let labels = labels.join(", ");
        let _ = writeln!(table, "| `{}` | {kind} | {labels} | {} |", metric.name, metric.help);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_follow_the_rules_of_prometheus_and_are_unique() {
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for Metric { name, kind, unit, labels, help } in ALL {
            let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            assert!(is_plain(name) && labels.iter().all(|label| is_plain(label)), "{name}");
            assert!(name.starts_with("portcullis_") || name.starts_with("process_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert_eq!(name.contains("_seconds"), *unit == Unit::Seconds, "{name}");
            assert_eq!(name.ends_with("_bytes"), *unit == Unit::Bytes, "{name}");
            assert!(!help.is_empty() && !help.contains(['\n', '|']), "{name}");
            if let Kind::Histogram(buckets) = kind {
                assert!(buckets.is_sorted() && !buckets.is_empty(), "{name}");
            }
        }
    }

    #[test]
    fn the_documented_table_is_the_catalogue() {
        let document = include_str!("../../../docs/metrics.md");
        let (_, rest) = document.split_once("<!-- metrics:begin -->\n").expect("the table begins");
        let (table, _) = rest.split_once("<!-- metrics:end -->").expect("the table ends");
        assert_eq!(table, reference(), "docs/metrics.md: replace the table by this");
    }
}
