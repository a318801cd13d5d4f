//! `GET /metrics`, on a listener of its own and on no other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header;
use actix_web::{App, HttpResponse, HttpServer, web};
use portcullis_http::Api;
use portcullis_metrics::Exposition;

use super::Sampled;

/// How often what histograms were told is sorted, if nobody reads it.
const SORTING_PAUSE: Duration = Duration::from_secs(5);
/// How long who asks may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than all that read metrics together.
const CONNECTIONS: usize = 64;

/// The text format that everybody reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

struct Told {
    sampled: Sampled,
    exposition: Exposition,
    api: web::Data<Api>,
}

/// Tells metrics until it is stopped.
pub(crate) struct MetricsListener {
    server: ServerHandle,
    sorting: tokio::task::JoinHandle<()>,
}

impl MetricsListener {
    /// Listens.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(crate) fn start(
        address: SocketAddr,
        sampled: Sampled,
        exposition: Exposition,
        api: web::Data<Api>,
    ) -> std::io::Result<Self> {
        let sorted = exposition.clone();
        let told = Arc::new(Told { sampled, exposition, api });
        let server = HttpServer::new(move || {
            let told = web::Data::from(Arc::clone(&told));
            App::new().app_data(told).route("/metrics", web::get().to(tell))
        })
        .workers(1)
        .max_connections(CONNECTIONS)
        .client_request_timeout(PATIENCE)
        .shutdown_timeout(1)
        .disable_signals()
        .bind(address)?
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        let sorting = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SORTING_PAUSE).await;
                sorted.sort_observations();
            }
        });
        Ok(Self { server: handle, sorting })
    }

    /// Stops at once: a reader asks again.
    pub(crate) async fn stop(self) {
        self.sorting.abort();
        self.server.stop(false).await;
    }
}

async fn tell(told: web::Data<Told>) -> HttpResponse {
    told.sampled.sample(&told.api).await;
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, TEXT))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(told.exposition.render())
}
