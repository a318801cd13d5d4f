//! Making a connection.

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
    let made = async { Ok(AsyncPgConnection::try_from(greet(address).await?).await?) };
    in_time(address, made).await
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
