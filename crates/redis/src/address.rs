//! Where Redis is, as `REDIS_URL` says it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use deadpool_redis::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use percent_encoding::percent_decode_str;

/// How Redis is arranged, and where.
///
/// * `redis://[user:password@]host:port[/database]`, `rediss://…` with TLS: one
///   server;
/// * several of them, separated by commas: a cluster;
/// * `redis+sentinel://[user:password@]host:port,host:port/service[/database]`,
///   `rediss+sentinel://…`: the primary that these sentinels name. User and
///   password are the data servers'.
///
/// With TLS, `?ca=` names a file of certificates to trust instead of the
/// system's.
#[derive(Clone)]
pub struct Address {
    pub(crate) topology: Topology,
    pub(crate) ca: Option<PathBuf>,
    shown: String,
}

#[derive(Clone)]
pub(crate) enum Topology {
    Alone(Box<ConnectionInfo>),
    Cluster(Vec<ConnectionInfo>),
    Sentinel(Sentinel),
}

#[derive(Clone)]
pub(crate) struct Sentinel {
    pub(crate) sentinels: Vec<String>,
    pub(crate) service: String,
    pub(crate) is_tls: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
}

/// Shows where, never as whom.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// The hosts, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// Why a text is no address of Redis. It never repeats the text, which may
/// hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin as it must.
    #[error("must begin with redis://, rediss://, redis+sentinel:// or rediss+sentinel://")]
    Scheme,
    /// One of its parts is not of the form it must have.
    #[error("must be redis://[user:password@]host:port[/database], or several by commas")]
    Malformed,
    /// The sentinels' service is missing.
    #[error("must be redis+sentinel://host:port,…/service[/database]")]
    Service,
    /// Only `ca` is known.
    #[error("has an unknown option after the question mark; only ca is known")]
    Option,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (base, ca) = match text.split_once('?') {
            None => (text, None),
            Some((base, option)) => {
                let file = option.strip_prefix("ca=").ok_or(AddressError::Option)?;
                (base, Some(PathBuf::from(file)))
            }
        };
        let sentinel = |is_tls| move |rest: &str| sentinel(rest, is_tls);
        let topology = if let Some(rest) = base.strip_prefix("redis+sentinel://") {
            sentinel(false)(rest)?
        } else if let Some(rest) = base.strip_prefix("rediss+sentinel://") {
            sentinel(true)(rest)?
        } else {
            servers(base)?
        };
        Ok(Self { topology, ca, shown: without_credentials(base) })
    }
}

impl Address {
    /// Whether one server answers for every key, and no replica will step in
    /// for it at another address.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        matches!(self.topology, Topology::Alone(_))
    }

    /// Whether all that is said on the way is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        match &self.topology {
            Topology::Sentinel(sentinel) => sentinel.is_tls,
            _ => self.nodes().iter().all(|node| matches!(node, ConnectionAddr::TcpTls { .. })),
        }
    }

    /// Whether all of it is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let nodes = self.nodes();
        !nodes.is_empty()
            && nodes.iter().all(|node| match node {
                ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => {
                    host == "localhost"
                        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
                }
                ConnectionAddr::Unix(_) => true,
                _ => false,
            })
    }

    fn nodes(&self) -> Vec<ConnectionAddr> {
        match &self.topology {
            Topology::Alone(node) => vec![node.addr().clone()],
            Topology::Cluster(nodes) => nodes.iter().map(|node| node.addr().clone()).collect(),
            Topology::Sentinel(sentinel) => {
                let read = |url: &String| url.as_str().into_connection_info().ok();
                let infos = sentinel.sentinels.iter().filter_map(read);
                infos.map(|info| info.addr().clone()).collect()
            }
        }
    }
}

fn servers(base: &str) -> Result<Topology, AddressError> {
    let read = |url: &str| {
        if !url.starts_with("redis://") && !url.starts_with("rediss://") {
            return Err(AddressError::Scheme);
        }
        url.into_connection_info().map_err(|_| AddressError::Malformed)
    };
    let mut nodes: Vec<_> = base.split(',').map(read).collect::<Result<_, _>>()?;
    match nodes.pop() {
        Some(only) if nodes.is_empty() => Ok(Topology::Alone(Box::new(only))),
        Some(last) => {
            nodes.push(last);
            Ok(Topology::Cluster(nodes))
        }
        None => Err(AddressError::Malformed),
    }
}

fn sentinel(rest: &str, is_tls: bool) -> Result<Topology, AddressError> {
    let (credentials, rest) = match rest.rsplit_once('@') {
        Some((credentials, rest)) => (Some(credentials), rest),
        None => (None, rest),
    };
    let (hosts, path) = rest.split_once('/').ok_or(AddressError::Service)?;
    let (service, database) = path.split_once('/').unwrap_or((path, "0"));
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(std::borrow::Cow::into_owned).map_err(|_| AddressError::Malformed)
    };
    let (user, password) = match credentials {
        None => (None, None),
        Some(credentials) => {
            let (user, password) = credentials.split_once(':').ok_or(AddressError::Malformed)?;
            (Some(decode(user)?).filter(|user| !user.is_empty()), Some(decode(password)?))
        }
    };
    let sentinels: Vec<String> = hosts.split(',').map(|host| format!("redis://{host}")).collect();
    let is_host = |url: &String| url.as_str().into_connection_info().is_ok();
    if service.is_empty() || !sentinels.iter().all(is_host) {
        return Err(AddressError::Service);
    }
    Ok(Topology::Sentinel(Sentinel {
        sentinels,
        service: decode(service)?,
        is_tls,
        user,
        password,
        database: database.parse().map_err(|_| AddressError::Service)?,
    }))
}

/// What stands between the first scheme and the last `@` may be credentials.
fn without_credentials(base: &str) -> String {
    match (base.split_once("://"), base.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => base.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Address, AddressError> {
        text.parse()
    }

    #[test]
    fn each_arrangement_is_understood() {
        assert!(parse("redis://localhost:6379").unwrap().is_alone());
        assert!(parse("rediss://ann:secret@example.com:6380/2?ca=/tmp/ca.pem").unwrap().is_alone());
        let cluster = parse("redis://a:1,redis://b:2,redis://c:3").unwrap();
        assert!(matches!(&cluster.topology, Topology::Cluster(nodes) if nodes.len() == 3));
        let watched = parse("redis+sentinel://:p%40ss@a:26379,b:26379/auth/3").unwrap();
        let Topology::Sentinel(sentinel) = &watched.topology else { panic!("{watched:?}") };
        assert_eq!(sentinel.sentinels, ["redis://a:26379", "redis://b:26379"]);
        assert_eq!((sentinel.service.as_str(), sentinel.database), ("auth", 3));
        assert_eq!(sentinel.password.as_deref(), Some("p@ss"));
    }

    #[test]
    fn credentials_are_never_shown() {
        for text in [
            "redis://ann:c4n4ry@a:6379",
            "redis://ann:c4n4ry@a:1,redis://ann:c4n4ry@b:2",
            "redis+sentinel://ann:c4n4ry@a:1,b:2/auth",
            "redis+sentinel://:c4n4ry,c4n4ry@a:1,b:2/auth",
        ] {
            let address = parse(text).unwrap();
            assert!(!format!("{address} {address:?}").contains("c4n4ry"), "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, refused) in [
            ("http://localhost", AddressError::Scheme),
            ("localhost:6379", AddressError::Scheme),
            ("redis://host:port", AddressError::Malformed),
            ("redis+sentinel://a:26379", AddressError::Service),
            ("redis+sentinel://a:26379/", AddressError::Service),
            ("redis://a:1?colour=blue", AddressError::Option),
        ] {
            assert_eq!(parse(text).unwrap_err(), refused, "{text}");
        }
    }
}
