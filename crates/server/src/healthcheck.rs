//! `portcullis healthcheck`: a server's health as an exit code.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use crate::settings::Settings;

/// Longer than a server that is up needs, shorter than a container's patience.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn healthcheck(url: Option<String>) -> Result<(), Box<dyn Error>> {
    let origin = match url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => origin(&Settings::load()?),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build()?;
        let answer = client.get(format!("{origin}/health")).send().await?;
        if answer.status().is_success() {
            println!("healthy");
            Ok(())
        } else {
            Err(format!("{origin}/health answers {}", answer.status()).into())
        }
    })
}

/// A server that listens everywhere listens on loopback too.
fn origin(settings: &Settings) -> String {
    let host = match settings.server.host {
        host if !host.is_unspecified() => host,
        IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    };
    format!("http://{}", std::net::SocketAddr::new(host, settings.server.port))
}
