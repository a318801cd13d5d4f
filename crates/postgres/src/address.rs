//! Where the database is, as `DATABASE_URL` says it.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use portcullis_sql::STATEMENT_TIMEOUT;
use rustls::ClientConfig;
use tokio_postgres::config::SslMode;

use crate::tls::{self, Trust};

/// How long making a connection may take, its greeting included.
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// How long what was sent may go unacknowledged, and a connection unused before
/// its other end is asked after: a server that fell silent behind a network that
/// is gone is noticed within twice this, and its connection given back.
const SILENCE: Duration = Duration::from_secs(10);

/// When a server is to end a transaction whose client says nothing more: it may
/// have been cut off, with rows locked.
const ABANDONED: Duration = Duration::from_secs(10);

/// What the statements are written for, whatever the database's default is.
const ISOLATION: &str = r"-c default_transaction_isolation=read\ committed";

/// A database, who to be there, and whom to trust on the way.
///
/// `postgres://user:password@host:port/database`, with `?sslmode=` one of
/// `disable`, `prefer` (the default), `require` and `verify-full`, and
/// `&sslrootcert=` a file of certificates to trust instead of the system's.
#[derive(Clone)]
pub struct Address {
    pub(crate) driver: tokio_postgres::Config,
    /// `None` for no encryption at all.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    encryption: Encryption,
}

/// Shows where, never as whom.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Host, port and database, without user and password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use tokio_postgres::config::Host;
        let ports = self.driver.get_ports();
        for (index, host) in self.driver.get_hosts().iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => write!(f, "{separator}{name}:{port}")?,
                Host::Unix(folder) => write!(f, "{separator}{}:{port}", folder.display())?,
            }
        }
        write!(f, "/{}", self.driver.get_dbname().or(self.driver.get_user()).unwrap_or_default())
    }
}

/// Why a text is no address of a database. It never repeats the text, which
/// may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It does not begin as it must.
    #[error("must begin with postgres://")]
    Scheme,
    /// The driver cannot read it.
    #[error("is not an address of Postgres: {0}")]
    Malformed(#[source] tokio_postgres::Error),
    /// It names no host.
    #[error("names no host")]
    NoHost,
    /// There is no such way to encrypt.
    #[error("sslmode must be one of: disable, prefer, require, verify-full")]
    SslMode,
    /// The certificates to trust cannot be had.
    #[error("sslrootcert: {0}: {1}")]
    RootCertificates(PathBuf, String),
    /// The system's certificates cannot be had.
    #[error("the system's certificates cannot be read: {0}")]
    SystemCertificates(#[source] rustls::Error),
}

/// What is asked of the way to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// None at all.
    Never,
    /// Whatever the server offers; who it is is not looked at.
    Perhaps,
    /// Always; who the server is is not looked at.
    Unproven,
    /// Always, with a certificate that is trusted.
    Proven,
}

impl Address {
    /// What is asked of the way there.
    #[must_use]
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Whether it is on this machine, by a socket or a loopback address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        use tokio_postgres::config::Host;
        self.driver.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => {
                name == "localhost"
                    || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
        })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let is_ours = ["postgres://", "postgresql://"].iter().any(|start| text.starts_with(start));
        if !is_ours {
            return Err(AddressError::Scheme);
        }
        // The driver refuses options that it does not know.
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for option in query.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(PathBuf::from(value)),
                _ => rest.push(option),
            }
        }
        let mut driver: tokio_postgres::Config =
            format!("{base}?{}", rest.join("&")).parse().map_err(AddressError::Malformed)?;
        if driver.get_hosts().is_empty() {
            return Err(AddressError::NoHost);
        }
        let (ssl, trust) = match (mode.unwrap_or("prefer"), roots) {
            ("disable", _) => (SslMode::Disable, None),
            ("prefer", None) => (SslMode::Prefer, Some(Trust::Anybody)),
            ("prefer", Some(file)) => (SslMode::Prefer, Some(Trust::Of(file))),
            ("require", None) => (SslMode::Require, Some(Trust::Anybody)),
            ("require" | "verify-full", Some(file)) => (SslMode::Require, Some(Trust::Of(file))),
            ("verify-full", None) => (SslMode::Require, Some(Trust::System)),
            _ => return Err(AddressError::SslMode),
        };
        let hosts = u32::try_from(driver.get_hosts().len()).unwrap_or(1).max(1);
        // Shared by all hosts, or a silent one would leave none for the next.
        driver.ssl_mode(ssl).connect_timeout(CONNECT_PATIENCE / hosts);
        driver.tcp_user_timeout(SILENCE);
        driver.keepalives_idle(SILENCE).keepalives_interval(SILENCE / 5).keepalives_retries(5);
        if driver.get_application_name().is_none() {
            driver.application_name("portcullis");
        }
        // What the address says itself comes last and so prevails.
        let said = driver.get_options().unwrap_or_default().to_owned();
        let limits = format!(
            "-c statement_timeout={} -c idle_in_transaction_session_timeout={}",
            STATEMENT_TIMEOUT.as_millis(),
            ABANDONED.as_millis()
        );
        driver.options(format!("{limits} {ISOLATION} {said}").trim_end());
        let encryption = match (ssl, &trust) {
            (SslMode::Require, Some(Trust::Of(_) | Trust::System)) => Encryption::Proven,
            (SslMode::Require, _) => Encryption::Unproven,
            (SslMode::Disable, _) => Encryption::Never,
            _ => Encryption::Perhaps,
        };
        let tls = trust.map(tls::client_config).transpose()?;
        Ok(Self { driver, tls: tls.map(Arc::new), encryption })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let address: Address =
            "postgres://ann:c4n4ry@db.example.com:5433/auth?sslmode=require".parse().unwrap();
        assert_eq!(address.to_string(), "db.example.com:5433/auth");
        assert!(!format!("{address:?}").contains("c4n4ry"));
        let socket: Address = "postgres://ann@%2Frun%2Fpostgresql/auth".parse().unwrap();
        assert_eq!(socket.to_string(), "/run/postgresql:5432/auth");
    }

    #[test]
    fn a_network_that_is_gone_is_noticed() {
        let address: Address = "postgres://ann@db.example.com/auth".parse().unwrap();
        assert_eq!(address.driver.get_tcp_user_timeout(), Some(&SILENCE));
        assert!(address.driver.get_keepalives());
        let asked = 5 * address.driver.get_keepalives_interval().unwrap();
        assert_eq!(address.driver.get_keepalives_idle() + asked, 2 * SILENCE);
    }

    #[test]
    fn each_way_to_encrypt_is_understood_and_others_are_refused() {
        let parse = |mode: &str| format!("postgres://a@h/d?sslmode={mode}").parse::<Address>();
        assert!(parse("disable").unwrap().tls.is_none());
        for mode in ["prefer", "require", "verify-full"] {
            assert!(parse(mode).unwrap().tls.is_some(), "{mode}");
        }
        assert!(matches!(parse("sometimes").unwrap_err(), AddressError::SslMode));
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for text in [
            "mysql://ann:c4n4ry@h/d",
            "postgres://ann:c4n4ry@h:port/d",
            "postgres://ann:c4n4ry@h/d?colour=blue",
            "postgres://ann:c4n4ry@h/d?sslmode=verify-full&sslrootcert=/nowhere",
            "postgres:///auth",
        ] {
            let told = text.parse::<Address>().unwrap_err().to_string();
            assert!(!told.contains("c4n4ry"), "{told}");
        }
    }
}
