//! Where and how the server runs.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::parse;
use super::reader::{Reader, Wrong};

/// Where and how the server runs.
pub(crate) struct ServerSettings {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) public_url: String,
    pub(crate) workers: usize,
    /// Where metrics are told, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) shutdown_grace: Duration,
    pub(crate) shutdown_delay: Duration,
}

pub(super) fn server(reader: &mut Reader) -> Result<ServerSettings, Wrong> {
    let host = reader.get("HOST", parse::host);
    let port = reader.get("PORT", parse::whole_number(1, u16::MAX));
    let public_url = reader.get("PUBLIC_URL", parse::origin);
    let workers = reader.get("WORKERS", parse::whole_number(1, 512));
    let metrics = reader.optional("METRICS_ADDR", parse::socket);
    if let (Ok(Some(metrics)), Ok(host), Ok(port)) = (&metrics, &host, &port)
        && metrics.port() == *port
        && (metrics.ip() == *host || metrics.ip().is_unspecified() || host.is_unspecified())
    {
        reader.object("METRICS_ADDR", "must not be the address of HOST and PORT");
    }
    let shutdown_grace = reader.get("SHUTDOWN_GRACE", parse::duration);
    let shutdown_delay = reader.get("SHUTDOWN_DELAY", parse::duration_or_none);
    Ok(ServerSettings {
        host: host?,
        port: port?,
        public_url: public_url?,
        workers: workers?,
        metrics: metrics?,
        shutdown_grace: shutdown_grace?,
        shutdown_delay: shutdown_delay?,
    })
}

/// Tokens and links with tokens travel under `PUBLIC_URL`: in the clear only on
/// this machine, or in development, where the server is embedded and listens to
/// this machine alone.
pub(super) fn insist_on_https(
    reader: &mut Reader,
    server: Option<&ServerSettings>,
    is_development: bool,
) {
    let Some(server) = server else { return };
    if !is_development && !parse::is_https_or_local(&server.public_url) {
        reader.object("PUBLIC_URL", "must begin with https://, unless it names this machine");
    }
}
