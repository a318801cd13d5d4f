//! Making a connection.

use diesel_async::AsyncPgConnection;
use portcullis_domain::Cause;
use rustls::ClientConfig;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::Address;
use crate::address::CONNECT_PATIENCE;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server is not there, or does not let us in.
    #[error("{0} cannot be connected to")]
    Refused(String, #[source] Cause),
    /// The server does not answer.
    #[error("{0} does not answer")]
    Silent(String),
}

/// What is behind a [`ConnectError`], as far as an operator can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unconnected {
    /// Nobody is there, or nobody answers.
    Unreachable,
    /// User or password are not accepted, or not from here.
    Login,
    /// There is no database of that name.
    NoDatabase,
    /// It has no connection to spare.
    Full,
    /// There is no agreement about encryption, or its certificate is not trusted.
    Encryption,
    /// A connection pooler in between refuses what connections are told first.
    PoolerOptions,
    /// Something else.
    Other,
}

impl ConnectError {
    /// What is behind it.
    #[must_use]
    pub fn reason(&self) -> Unconnected {
        let Self::Refused(_, cause) = self else { return Unconnected::Unreachable };
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&**cause);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
                if let Some(answer) = error.as_db_error() {
                    return told(answer);
                }
                // The driver keeps its kinds to itself.
                if error.to_string().contains("TLS") {
                    return Unconnected::Encryption;
                }
            }
            if error.is::<std::io::Error>() {
                return Unconnected::Unreachable;
            }
            next = error.source();
        }
        Unconnected::Other
    }
}

fn told(answer: &DbError) -> Unconnected {
    let login = [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];
    match answer.code() {
        code if login.contains(code) => Unconnected::Login,
        code if *code == SqlState::INVALID_CATALOG_NAME => Unconnected::NoDatabase,
        code if *code == SqlState::TOO_MANY_CONNECTIONS => Unconnected::Full,
        _ if answer.message().contains("startup parameter") => Unconnected::PoolerOptions,
        _ => Unconnected::Other,
    }
}

/// Connects, in bounded time. The connection ends with what is returned, even
/// if its server still owes it an answer: one that is frozen keeps nothing open.
pub(crate) async fn connect(address: &Address) -> Result<AsyncPgConnection, ConnectError> {
    let made = async {
        Ok(if let Some(config) = &address.tls {
            let (client, connection) = address.driver.connect(tls(config)).await?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        } else {
            let (client, connection) = address.driver.connect(NoTls).await?;
            AsyncPgConnection::try_from_client_and_connection(client, connection).await?
        })
    };
    in_time(address, made).await
}

fn tls(config: &ClientConfig) -> MakeRustlsConnect {
    MakeRustlsConnect::new(config.clone())
}

/// The same, with nothing on top of the driver.
pub(crate) async fn connect_bare(address: &Address) -> Result<Client, ConnectError> {
    in_time(address, greet(address)).await
}

async fn in_time<T>(
    address: &Address,
    greeting: impl Future<Output = Result<T, Cause>>,
) -> Result<T, ConnectError> {
    match tokio::time::timeout(CONNECT_PATIENCE, greeting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(cause)) => Err(ConnectError::Refused(address.to_string(), cause)),
        Err(_) => Err(ConnectError::Silent(address.to_string())),
    }
}

/// Connects, and lets the connection run beside its client, which is told what
/// becomes of it.
async fn greet(address: &Address) -> Result<Client, Cause> {
    if let Some(config) = &address.tls {
        let (client, connection) = address.driver.connect(tls(config)).await?;
        tokio::spawn(connection);
        Ok(client)
    } else {
        let (client, connection) = address.driver.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}
