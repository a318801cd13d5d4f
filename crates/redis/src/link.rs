//! Connections, whichever way Redis is arranged.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleResult};
use deadpool_redis::redis::aio::{ConnectionLike, MultiplexedConnection};
use deadpool_redis::redis::cluster::ClusterClient;
use deadpool_redis::redis::cluster_async::ClusterConnection;
use deadpool_redis::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use deadpool_redis::redis::{
    self, AsyncConnectionConfig, Client, Cmd, ErrorKind, InfoDict, IntoConnectionInfo, Pipeline,
    RedisFuture, TlsCertificates, TlsMode, Value,
};
use tokio::sync::Mutex;

use crate::Address;
use crate::address::{Sentinel, Topology};

/// How long connecting to one server may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// How long finding a server among several, and connecting to it, may take.
pub(crate) const FIND_PATIENCE: Duration = Duration::from_millis(2_500);
/// How long one node of a cluster, of which others may be there, may take.
const NODE_PATIENCE: Duration = Duration::from_millis(300);
/// How long an answer may take. Redis answers in well under a millisecond;
/// nothing here is worth waiting longer for.
pub(crate) const ANSWER_PATIENCE: Duration = Duration::from_millis(250);

/// A connection, and which server process is at its other end. Clones share the
/// connection, and may ask at the same time.
#[derive(Clone)]
pub(crate) struct Link {
    connection: Connection,
    /// Names the server process, if this connection leads to that one and no
    /// other will step in for it.
    pub(crate) process: Option<Arc<str>>,
    identity: Arc<()>,
}

impl Link {
    fn over(connection: Connection) -> Self {
        Self { connection, process: None, identity: Arc::default() }
    }

    /// Whether both are clones of one.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.identity, &other.identity)
    }
}

#[derive(Clone)]
enum Connection {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match &mut self.connection {
            Connection::One(connection) => connection.req_packed_command(cmd),
            Connection::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match &mut self.connection {
            Connection::One(connection) => connection.req_packed_commands(cmd, offset, count),
            Connection::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match &self.connection {
            Connection::One(connection) => connection.get_db(),
            Connection::Cluster(connection) => connection.get_db(),
        }
    }
}

/// Makes links for the pool of a thread.
pub(crate) enum Linker {
    Alone(Box<Client>),
    Cluster(ClusterClient),
    Sentinel(Mutex<SentinelClient>),
}

impl Linker {
    pub(crate) fn new(address: &Address) -> redis::RedisResult<Self> {
        let certificates = match &address.ca {
            Some(file) => Some(TlsCertificates {
                client_tls: None,
                root_cert: Some(std::fs::read(file).map_err(|error| {
                    redis::RedisError::from((
                        ErrorKind::InvalidClientConfig,
                        "the file of certificates cannot be read",
                        format!("{}: {error}", file.display()),
                    ))
                })?),
            }),
            None => None,
        };
        Ok(match &address.topology {
            Topology::Alone(server) => Self::Alone(Box::new(match certificates {
                Some(certificates) => Client::build_with_tls((**server).clone(), certificates)?,
                None => Client::open((**server).clone())?,
            })),
            Topology::Cluster(nodes) => {
                let mut builder = ClusterClient::builder(nodes.clone())
                    .connection_timeout(NODE_PATIENCE)
                    .response_timeout(ANSWER_PATIENCE)
                    .retries(2);
                if let Some(certificates) = certificates {
                    builder = builder.certs(certificates);
                }
                Self::Cluster(builder.build()?)
            }
            Topology::Sentinel(sentinel) => {
                Self::Sentinel(Mutex::new(sentinel_client(sentinel, certificates)?))
            }
        })
    }
}

fn sentinel_client(
    sentinel: &Sentinel,
    certificates: Option<TlsCertificates>,
) -> redis::RedisResult<SentinelClient> {
    let addresses: redis::RedisResult<Vec<_>> = sentinel
        .sentinels
        .iter()
        .map(|url| url.as_str().into_connection_info().map(|info| info.addr().clone()))
        .collect();
    let mut builder = SentinelClientBuilder::new(
        addresses?,
        sentinel.service.clone(),
        SentinelServerType::Master,
    )?
    .set_client_to_redis_db(sentinel.database);
    if sentinel.is_tls {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(TlsMode::Secure);
    }
    if let Some(certificates) = certificates {
        builder = builder
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    if let Some(user) = &sentinel.user {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = &sentinel.password {
        builder = builder.set_client_to_redis_password(password);
    }
    builder.build()
}

impl Linker {
    async fn connect(&self) -> redis::RedisResult<Link> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_PATIENCE))
            .set_response_timeout(Some(ANSWER_PATIENCE));
        Ok(match self {
            Self::Alone(client) => {
                let made = client.get_multiplexed_async_connection_with_config(&config).await?;
                let mut link = Link::over(Connection::One(made));
                link.process = process(&mut link).await?.map(Arc::from);
                link
            }
            Self::Cluster(client) => {
                Link::over(Connection::Cluster(client.get_async_connection().await?))
            }
            Self::Sentinel(client) => {
                let mut client = client.lock().await;
                let made = client.get_async_connection_with_config(&config).await?;
                Link::over(Connection::One(made))
            }
        })
    }
}

impl Manager for Linker {
    type Type = Link;
    type Error = redis::RedisError;

    async fn create(&self) -> Result<Link, redis::RedisError> {
        // Apart, so that those who find a link do not carry its weight along.
        Box::pin(self.connect()).await
    }

    async fn recycle(&self, _: &mut Link, _: &Metrics) -> RecycleResult<redis::RedisError> {
        // One that failed has been taken out of the pool; asking the others
        // before each use would double the way.
        Ok(())
    }
}

/// The server process at the other end, if it stands alone.
async fn process(link: &mut Link) -> redis::RedisResult<Option<String>> {
    let mut info = redis::cmd("INFO");
    info.arg("server").arg("replication").arg("cluster");
    let info: InfoDict = match info.query_async(link).await {
        Ok(info) => info,
        // A user that may not ask gets along without.
        Err(error) if error.code() == Some("NOPERM") => return Ok(None),
        Err(error) => return Err(error),
    };
    let stands_alone = info.get::<String>("role").as_deref() == Some("master")
        && info.get::<u64>("connected_slaves") == Some(0)
        && info.get::<u64>("cluster_enabled") == Some(0);
    Ok(info.get::<String>("run_id").filter(|_| stands_alone))
}
