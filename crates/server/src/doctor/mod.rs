//! `portcullis doctor`: looks at everything that serving needs, and changes none of it.

mod client_address;
mod database;
mod finding;
mod folder;
mod keys;
mod mail;
mod postgres;
mod redis;
mod report;
mod risks;
mod services;
mod settings;
mod sqlite;
#[cfg(feature = "otlp")]
mod traces;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use self::finding::{Finding, State};
use crate::settings::Parts;

/// How long one check may take: the dead cost no more, since checks run side by side.
const PATIENCE: Duration = Duration::from_secs(3);

/// Checks, tells, and returns what the program ends with.
pub(crate) fn doctor(is_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let parts = Parts::load();
    let runtime = crate::runtime()?;
    let findings = runtime.block_on(examine(&parts));
    // A name that is still being looked up is not waited for.
    runtime.shutdown_background();
    if is_json {
        report::print_json(&findings)?;
    } else {
        report::print_table(&findings)?;
    }
    let is_well = findings.iter().all(|finding| finding.state != State::Wrong);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn examine(parts: &Parts) -> Vec<Finding> {
    let (database, redis, mail, keys, services, traces) = tokio::join!(
        in_time("database", database::check(parts)),
        in_time("redis", redis::check(parts)),
        mail::check(parts),
        in_time("keys", keys::check(parts)),
        services::check(parts),
        traces::check(parts),
    );
    let mut findings = settings::check(parts);
    findings.extend([database, redis, mail, keys, services, traces].into_iter().flatten());
    findings.extend(client_address::check(parts));
    findings.extend(risks::check(parts));
    findings
}

/// What a check has to say, or that it takes too long. Checks that have several things
/// to say hold each of them to its time, so that one that is silent hides no other.
async fn in_time(what: &'static str, check: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| {
        vec![Finding::wrong(
            what,
            format!("no answer within {} s", PATIENCE.as_secs()),
            "see whether the address is right, and whether a firewall drops what is sent there",
        )]
    })
}

/// Runs what may wait for a disk where it holds up nothing else.
async fn on_a_thread(
    what: &'static str,
    look: impl FnOnce() -> Vec<Finding> + Send + 'static,
) -> Vec<Finding> {
    #[expect(clippy::disallowed_methods, reason = "nothing is served meanwhile")]
    let looked = tokio::task::spawn_blocking(look).await;
    looked.unwrap_or_else(|error| {
        vec![Finding::wrong(what, format!("the check failed: {error}"), "report this defect")]
    })
}

#[cfg(not(feature = "otlp"))]
mod traces {
    use std::future::{Ready, ready};

    use super::finding::Finding;
    use crate::settings::Parts;

    pub(super) fn check(_: &Parts) -> Ready<Vec<Finding>> {
        ready(vec![Finding::off("trace collector", "not in this build")])
    }
}

/// A duration as people read it.
fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}
