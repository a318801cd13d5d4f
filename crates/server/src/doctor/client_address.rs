//! Whose address a request counts under.

use super::finding::Finding;
use crate::settings::Parts;

const WHAT: &str = "client address";

pub(super) fn check(parts: &Parts) -> Option<Finding> {
    let (Ok(server), Ok(http)) = (&parts.server, &parts.http) else { return None };
    let proxies = &http.trusted_proxies;
    if let Some(all) = proxies.iter().find(|network| network.prefix_len() == 0) {
        return Some(Finding::wrong(
            WHAT,
            format!("X-Forwarded-For counts from anybody ({all})"),
            "name your proxies alone in TRUSTED_PROXIES: as it is, everybody chooses the address \
             that limits and locks count under",
        ));
    }
    if !proxies.is_empty() {
        let list: Vec<_> = proxies.iter().map(ToString::to_string).collect();
        let list = list.join(", ");
        return Some(Finding::ok(WHAT, format!("X-Forwarded-For counts from {list} alone")));
    }
    let told = "the other end of the connection; X-Forwarded-For counts from nobody";
    if http.is_https {
        let behind = if server.host.is_loopback() { "on this machine" } else { "somewhere" };
        return Some(Finding::warning(
            WHAT,
            told,
            format!(
                "PUBLIC_URL is https, so a proxy {behind} is in front: name its network in \
                 TRUSTED_PROXIES, or all clients share one address, its limits and its locks"
            ),
        ));
    }
    Some(Finding::ok(WHAT, told))
}
