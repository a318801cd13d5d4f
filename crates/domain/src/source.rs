//! Where a request comes from.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// A client's network address: IPv4-mapped addresses as IPv4.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceAddress(IpAddr);

impl SourceAddress {
    /// Takes a socket's or a trusted proxy's word for it.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address itself.
    #[must_use]
    pub const fn address(self) -> IpAddr {
        self.0
    }

    /// What limits and counters take for one client: the address, of IPv6 its
    /// /64, since that is the least a subscriber is given (contract §6).
    #[must_use]
    pub const fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        }
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What a client calls itself, cut to [`UserAgent::MAX_CHARS`] and cleared of
/// control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    /// Most characters that are kept.
    pub const MAX_CHARS: usize = 256;

    /// Takes the header's text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(Self::MAX_CHARS).collect())
    }

    /// The kept text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The client of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub source: SourceAddress,
    /// What it calls itself.
    pub user_agent: Option<UserAgent>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> String {
        SourceAddress::new(text.parse().unwrap()).network().to_string()
    }

    #[test]
    fn an_ipv6_client_is_its_64() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:2::1"), "2001:db8:1:2::");
        assert_eq!(network("2001:db8:1:3::1"), "2001:db8:1:3::");
    }

    #[test]
    fn a_mapped_ipv4_client_is_ipv4() {
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn a_user_agent_is_cut_and_cleared() {
        let agent = UserAgent::new(&format!("a\n\u{1b}[31m{}", "b".repeat(300)));
        assert_eq!(agent.as_str().chars().count(), 256);
        assert!(agent.as_str().starts_with("a[31mb"));
    }
}
