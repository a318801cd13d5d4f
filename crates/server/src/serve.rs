//! `portcullis serve`.

use std::error::Error;
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use actix_http::HttpService;
use actix_server::{GracefulShutdownSignal, Server, ServerHandle};
use actix_service::{ServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::web;
use portcullis_http::{Api, Traffic};
use socket2::SockRef;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

use crate::connection::{Connection, HEAD_PATIENCE, IDLE_PATIENCE};
use crate::metrics::MetricsListener;
use crate::settings::{Database, MailProvider, Settings};
use crate::telemetry;
use crate::traces::Traces;
use crate::wire::{Wired, wire};
use crate::workers::Workers;

/// How long a client may take to close its end once we have closed ours.
const CLOSE_PATIENCE: Duration = Duration::from_secs(2);
/// Connections that a worker serves at the same time; others wait to be accepted.
/// One that is idle takes some 10 KiB, so that this many take 100 MiB.
const CONNECTIONS_PER_WORKER: usize = 10_000;
/// Connections that the kernel keeps waiting (it takes the smaller of this and
/// `net.core.somaxconn`, by default 4096).
const BACKLOG: i32 = 4096;

/// How long nobody may have asked for anything before open connections are cut:
/// longer than a client needs to send its next request.
const QUIET: Duration = Duration::from_millis(500);
/// How long connections that are being made have to be complete and taken, once
/// no new ones are.
const HANDSHAKES: Duration = Duration::from_millis(250);
/// How long that is waited for at most.
const LEAVE: Duration = Duration::from_secs(5);

/// Serves until it is told to stop.
pub(crate) fn serve() -> Result<(), Box<dyn Error>> {
    let settings = Settings::load()?;
    let traces = Traces::open(&settings)?;
    telemetry::start(&settings.log, &traces);
    let served = crate::runtime()?.block_on(async {
        let mut wired = wire(&settings).await?;
        wired.api = wired.api.traced_by(traces.of_requests());
        run(settings, wired).await
    });
    traces.close();
    served
}

async fn run(settings: Settings, wired: Wired) -> Result<(), Box<dyn Error>> {
    let api = web::Data::new(wired.api);
    let address = SocketAddr::new(settings.server.host, settings.server.port);
    let grace = settings.server.shutdown_grace;
    let leave = LEAVE.min(grace / 4);
    let cannot_listen = |error| format!("HOST, PORT: {address} cannot be listened on: {error}");
    let listener = listen(address).map_err(cannot_listen)?;
    let door = listener.try_clone()?;
    let server = Server::build()
        .workers(settings.server.workers)
        .max_concurrent_connections(CONNECTIONS_PER_WORKER)
        .shutdown_timeout(grace.saturating_sub(leave).as_secs().max(1))
        .disable_signals();
    let (draining, handed) = (server.graceful_shutdown_signal(), api.clone());
    let largest_body = settings.http.avatar_max_bytes;
    let server = server
        .listen("portcullis", listener, move || {
            // Called by each worker, which runs its requests itself.
            telemetry::group_lines_of_this_thread();
            connections(&handed, draining.clone(), largest_body)
        })
        .map_err(cannot_listen)?
        .run();
    let metrics = match (settings.server.metrics, wired.told) {
        (Some(address), Some((sampled, exposition))) => {
            let listener = MetricsListener::start(address, sampled, exposition, api.clone());
            Some(listener.map_err(|error| {
                format!("METRICS_ADDR: {address} cannot be listened on: {error}")
            })?)
        }
        _ => None,
    };
    if let Err(error) = introduce(&settings, wired.has_mailbox_page) {
        // Nobody has to read it.
        warn!(%error, "the greeting could not be written");
    }

    let workers = Workers::start(
        &wired.app,
        wired.database_clock,
        wired.key_watch,
        settings.seeding_user_count,
        &wired.metrics,
    );
    let handle = server.handle();
    let stop_workers = workers.stopper();
    let delay = settings.server.shutdown_delay;
    let stopper = tokio::spawn(async move {
        let name = asked_to_stop().await;
        info!(signal = name, "stopping: requests under way are finished first");
        tokio::spawn(async {
            asked_to_stop().await;
            warn!("stopping at once");
            std::process::exit(1);
        });
        withdraw(api.traffic(), delay).await;
        // Side by side with the last requests: together they have one grace.
        stop_workers();
        take_leave(api.traffic(), door, &handle, leave).await;
        handle.stop(true).await;
    });
    server.await?;
    stopper.abort();
    workers.stop().await;
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
    info!("stopped");
    Ok(())
}

/// Opens the socket that clients connect to.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    SockRef::from(&listener).listen(BACKLOG)?;
    Ok(listener)
}

/// What becomes of a connection: HTTP/1.1, and nothing else. HTTP/2 is a proxy's
/// business, with its own ways to flood a server.
fn connections(
    api: &web::Data<Api>,
    draining: GracefulShutdownSignal,
    largest_body: usize,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error: std::fmt::Debug, InitError = ()>
+ use<> {
    let http = HttpService::build()
        .client_request_timeout(HEAD_PATIENCE)
        .client_disconnect_timeout(CLOSE_PATIENCE)
        .keep_alive(IDLE_PATIENCE)
        // Whoever hangs up is not worked for: their password is not hashed.
        .h1_allow_half_closed(false)
        .graceful_shutdown_signal(move || {
            let draining = draining.clone();
            async move { draining.notified().await }
        })
        .on_connect_ext(|connection: &Connection, data| {
            data.insert(connection.exchange());
        })
        .h1(map_config(portcullis_http::service(api), |()| AppConfig::default()));
    fn_service(move |stream: TcpStream| async move {
        let peer = stream.peer_addr().ok();
        // Answers are small and whole: there is nothing to wait for.
        drop(stream.set_nodelay(true));
        Ok((Connection::new(stream, largest_body), peer))
    })
    .and_then(http)
}

/// Lets load balancers know first, and gives them time to heed it.
async fn withdraw(traffic: &Traffic, delay: Duration) {
    traffic.withdraw();
    if !delay.is_zero() {
        info!(?delay, "/health/ready says so; serving on until load balancers have seen it");
        tokio::time::sleep(delay).await;
    }
}

/// Refuses new connections, and lets the clients of open ones know.
///
/// Connections that have been accepted are served, and each answer is its
/// connection's last; those on which nobody asks for anything are left to the
/// server's own stop, which cuts them. It must not come sooner: a request may be
/// on its way on a connection that looks idle.
async fn take_leave(
    traffic: &Traffic,
    door: TcpListener,
    server: &ServerHandle,
    at_most: Duration,
) {
    traffic.leave();
    turn_newcomers_away(&door);
    tokio::time::sleep(HANDSHAKES.min(at_most / 4)).await;
    // Closing the socket is the server's, and comes with its stop, which would
    // forget connections that no worker has taken yet.
    server.pause().await;
    if let Err(error) = SockRef::from(&door).shutdown(Shutdown::Read) {
        warn!(%error, "new connections are still accepted");
    }
    let started = Instant::now();
    while started.elapsed() < at_most {
        let begun = traffic.begun();
        tokio::time::sleep(QUIET.min(at_most)).await;
        if traffic.is_quiet() && traffic.begun() == begun {
            return;
        }
    }
}

/// Ignores who asks for a connection from now on: a socket that stops listening
/// resets those that are complete and that nobody has taken yet. Their clients ask
/// again a second later (RFC 6298 §2), and are refused then.
#[cfg(target_os = "linux")]
fn turn_newcomers_away(door: &TcpListener) {
    use socket2::SockFilter;
    // Classic BPF over a TCP header (RFC 9293 §3.1): what has SYN set among the flags,
    // and not ACK, is dropped.
    let filter = [
        SockFilter::new(0x30, 0, 0, 13),
        SockFilter::new(0x54, 0, 0, 0x12),
        SockFilter::new(0x15, 0, 1, 0x02),
        SockFilter::new(0x06, 0, 0, 0),
        SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(door).attach_filter(&filter) {
        warn!(%error, "who connects at this moment may be cut");
    }
}

/// Elsewhere there is no such way.
#[cfg(not(target_os = "linux"))]
fn turn_newcomers_away(_: &TcpListener) {}

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
    if let Some(address) = settings.server.metrics {
        writeln!(out, "  metrics    http://{address}/metrics")?;
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
    if settings.seeding_user_count.is_some() {
        warn!("SEEDING_USER_COUNT adds demo users again and again; not for production");
    }
    if keeps_mails && !has_mailbox_page {
        warn!("MAIL_PROVIDER=mailbox sends nothing, and its page exists on a loopback HOST only");
    }
    out.flush()
}
