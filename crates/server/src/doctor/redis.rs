//! Redis.

use std::error::Error;
use std::time::Duration;

use portcullis_domain::error::with_causes;
use portcullis_redis::{Address, Inspection, InspectionError, inspect};

use super::finding::Finding;
use super::millis;
use crate::settings::Parts;

const WHAT: &str = "redis";
const ENCRYPTION: &str = "redis encryption";
const EVICTION: &str = "redis eviction";
/// A way there and back that takes longer is felt: each request makes one.
const FAR: Duration = Duration::from_millis(10);

pub(super) async fn check(parts: &Parts) -> Vec<Finding> {
    let Ok(address) = &parts.redis else { return Vec::new() };
    let Some(address) = address else {
        return vec![without(parts)];
    };
    match inspect(address).await {
        Ok(inspection) => {
            vec![reached(address, &inspection), encryption(address), eviction(&inspection)]
        }
        Err(error) => vec![unreached(address, &error)],
    }
}

/// Several instances share a database, and may be without Redis.
fn without(parts: &Parts) -> Finding {
    let is_shared = parts.database.as_ref().is_ok_and(|database| !database.is_embedded());
    if is_shared {
        return Finding::warning(
            WHAT,
            "REDIS_URL is not set: each instance counts its own limits",
            "set REDIS_URL where there is more than one instance",
        );
    }
    Finding::off(WHAT, "REDIS_URL is not set: limits are counted in process")
}

fn unreached(address: &Address, error: &InspectionError) -> Finding {
    let told = match error {
        InspectionError::Answer(refusal) if !refusal.is_absence() => {
            let words = refusal.source().map(with_causes).unwrap_or_default();
            format!("{address}: it lets nobody in like this: {words}")
        }
        _ => format!("{address}: {}", with_causes(error)),
    };
    let advice = match error {
        InspectionError::Answer(error) if error.is_absence() => {
            "see whether Redis runs there, whether REDIS_URL names its host and port, and whether a \
             firewall is in between; until it is back the server goes on without it"
        }
        InspectionError::Answer(_) => {
            "see user and password in REDIS_URL (percent-encoded), the user's rights (ACL), and \
             whether it speaks TLS (rediss://); the server does not start like this"
        }
        InspectionError::Open(_) => "see REDIS_URL, and the file that ca= names",
    };
    Finding::wrong(WHAT, told, advice)
}

fn reached(address: &Address, inspection: &Inspection) -> Finding {
    let version = inspection.version.as_deref().unwrap_or("of a version that it does not tell");
    let told = format!("Redis {version}, {address}, {}", millis(inspection.round_trip));
    if inspection.is_replica {
        return Finding::wrong(
            WHAT,
            format!("{told}: a replica, which takes no writes"),
            "name the primary in REDIS_URL",
        );
    }
    if inspection.round_trip > FAR {
        let advice = "move Redis nearer: every request asks it; what takes 250 ms counts as lost";
        return Finding::warning(WHAT, told, advice);
    }
    Finding::ok(WHAT, told)
}

fn encryption(address: &Address) -> Finding {
    match (address.is_encrypted(), address.is_local()) {
        (true, _) => Finding::ok(ENCRYPTION, "TLS"),
        (false, true) => Finding::ok(ENCRYPTION, "none, on this machine"),
        (false, false) => Finding::warning(
            ENCRYPTION,
            "none: its password crosses the network in the clear",
            "rediss:// in REDIS_URL",
        ),
    }
}

/// Every key that is kept there has an end of its own. Under `allkeys-*` whoever else
/// uses the server can push out counters of limits at any time, and the tries that
/// they counted are forgotten.
fn eviction(inspection: &Inspection) -> Finding {
    let Some(policy) = &inspection.eviction else {
        return Finding::warning(
            EVICTION,
            "it does not tell this user its policy",
            "see that maxmemory-policy is noeviction or volatile-ttl",
        );
    };
    let told = match inspection.max_memory {
        Some(0) | None => format!("{policy}, without a limit of memory"),
        Some(bytes) => format!("{policy}, at {} MiB", bytes >> 20),
    };
    if policy == "noeviction" || policy.starts_with("volatile-") {
        return Finding::ok(EVICTION, told);
    }
    Finding::warning(
        EVICTION,
        told,
        "maxmemory-policy noeviction (or volatile-ttl): a full Redis would forget counters of \
         limits before their time, and with them the tries that they counted",
    )
}
