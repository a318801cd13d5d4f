//! `portcullis serve`.

use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::{HttpServer, web};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::settings::{Database, MailProvider, Settings};
use crate::telemetry;
use crate::wire::{Wired, wire};
use crate::workers::Workers;

/// How long a client may take to send its headers (contract §2: under 30 s).
const HEADER_PATIENCE: Duration = Duration::from_secs(10);
/// How long an idle connection is kept; above what proxies keep theirs.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Serves until it is told to stop.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let settings = Settings::load()?;
    telemetry::start(&settings.log);
    crate::runtime()?.block_on(async {
        let wired = wire(&settings).await?;
        run(settings, wired).await
    })
}

async fn run(settings: Settings, wired: Wired) -> Result<(), Box<dyn Error>> {
    let api = web::Data::new(wired.api);
    let address = SocketAddr::new(settings.server.host, settings.server.port);
    let grace = settings.server.shutdown_grace.as_secs().max(1);
    let server = HttpServer::new(move || portcullis_http::service(&api))
        .workers(settings.server.workers)
        .client_request_timeout(HEADER_PATIENCE)
        .keep_alive(KEEP_ALIVE)
        // Whoever hangs up is not worked for: their password is not hashed.
        .h1_allow_half_closed(false)
        .shutdown_timeout(grace)
        .disable_signals()
        .bind(address)
        .map_err(|error| format!("HOST, PORT: {address} cannot be listened on: {error}"))?
        .run();
    introduce(&settings, wired.has_mailbox_page)?;

    let workers = Workers::start(&wired.app);
    let handle = server.handle();
    let stop_workers = workers.stopper();
    let stopper = tokio::spawn(async move {
        let name = asked_to_stop().await;
        info!(signal = name, "stopping: requests under way are finished first");
        tokio::spawn(async {
            asked_to_stop().await;
            warn!("stopping at once");
            std::process::exit(1);
        });
        // Side by side with the last requests: together they have one grace.
        stop_workers();
        handle.stop(true).await;
    });
    server.await?;
    stopper.abort();
    workers.stop().await;
    info!("stopped");
    Ok(())
}

/// Waits for SIGTERM or SIGINT, and names it.
async fn asked_to_stop() -> &'static str {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// Says what runs, and where to look.
fn introduce(settings: &Settings, has_mailbox_page: bool) -> std::io::Result<()> {
    let address = SocketAddr::new(settings.server.host, settings.server.port);
    let url = &settings.server.public_url;
    let mut out = std::io::stdout().lock();
    writeln!(out, "Portcullis {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  listening  http://{address}")?;
    if settings.http.docs {
        writeln!(out, "  docs       {url}/docs")?;
    }
    if has_mailbox_page {
        writeln!(out, "  mailbox    {url}/dev/mailbox")?;
    }
    match &settings.database.database {
        Database::Sqlite(file) => writeln!(out, "  database   SQLite, {}", file.display())?,
        Database::Postgres(address) => writeln!(out, "  database   Postgres, {address}")?,
    }
    writeln!(
        out,
        "  limits     {}",
        match (settings.http.rate_limits, &settings.redis) {
            (Some(_), Some(address)) => format!("in Redis, {address}"),
            (Some(_), None) => "in process".to_owned(),
            (None, _) => "off".to_owned(),
        }
    )?;
    writeln!(out, "  tokens     {}", settings.keys.algorithm.name())?;
    let keeps_mails = settings.mail.providers.is_empty();
    if keeps_mails {
        writeln!(out, "  mail       kept in the mailbox, sent to nobody")?;
    } else {
        let names: Vec<_> = settings.mail.providers.iter().map(MailProvider::name).collect();
        writeln!(out, "  mail       by {}, as {}", names.join(", then "), settings.mail.from)?;
    }
    if keeps_mails && !has_mailbox_page {
        warn!("MAIL_PROVIDER=mailbox sends nothing, and its page exists on a loopback HOST only");
    }
    out.flush()
}
