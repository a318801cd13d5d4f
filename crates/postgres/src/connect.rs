//! Making a connection.

use diesel::ConnectionError;
use diesel_async::AsyncPgConnection;
use portcullis_domain::Cause;
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

/// Connects, in bounded time.
pub(crate) async fn connect(address: &Address) -> Result<AsyncPgConnection, ConnectError> {
    in_time(address, greet(address)).await
}

/// The same, with nothing on top of the driver.
pub(crate) async fn connect_bare(address: &Address) -> Result<Client, ConnectError> {
    in_time(address, greet_bare(address)).await
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

async fn greet_bare(address: &Address) -> Result<Client, Cause> {
    // What becomes of the connection, its client is told.
    if let Some(config) = &address.tls {
        let tls = MakeRustlsConnect::new(rustls::ClientConfig::clone(config));
        let (client, connection) = address.driver.connect(tls).await?;
        tokio::spawn(connection);
        Ok(client)
    } else {
        let (client, connection) = address.driver.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

async fn greet(address: &Address) -> Result<AsyncPgConnection, Cause> {
    let set_up = |error: ConnectionError| -> Cause { error.into() };
    if let Some(config) = &address.tls {
        let tls = MakeRustlsConnect::new(rustls::ClientConfig::clone(config));
        let (client, connection) = address.driver.connect(tls).await?;
        let made = AsyncPgConnection::try_from_client_and_connection(client, connection);
        made.await.map_err(set_up)
    } else {
        let (client, connection) = address.driver.connect(NoTls).await?;
        let made = AsyncPgConnection::try_from_client_and_connection(client, connection);
        made.await.map_err(set_up)
    }
}
