//! The service over parts that misbehave, on a real socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod health;
mod panics;
mod parts;

use std::net::SocketAddr;

use actix_web::{HttpServer, web};
use portcullis_app::Ports;
use portcullis_http::Api;

/// A server with one worker: whoever loses it loses all.
fn serve(ports: Ports) -> (SocketAddr, web::Data<Api>) {
    let api = parts::api(ports);
    let shared = api.clone();
    let server = HttpServer::new(move || portcullis_http::service(&shared))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    (address, api)
}
