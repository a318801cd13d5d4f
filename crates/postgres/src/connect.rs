//! Making a connection.

use diesel_async::AsyncPgConnection;
use portcullis_domain::Cause;
use rustls::ClientConfig;
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
