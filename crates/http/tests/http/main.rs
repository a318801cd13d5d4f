//! The service over parts that misbehave, on a real socket.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod health;
mod panics;

use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::{HttpServer, web};
use portcullis_app::{App, Ports, Rules};
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::{
    Counting, ManualClock, PlainHasher, PlainTokens, ScriptedMailer,
};
use portcullis_http::{Api, CorsOrigins, HttpSettings, Limiters, Readiness};
use portcullis_memory::{MemoryLimiter, MemoryStore};

/// Everything in memory.
fn ports() -> Ports {
    let store = MemoryStore::new();
    let counting = Arc::new(Counting::default());
    Ports {
        store: Arc::new(store.clone()),
        sessions: Arc::new(store.clone()),
        callers: Arc::new(store.clone()),
        logins: Arc::new(store.clone()),
        outbox: Arc::new(store),
        hasher: Arc::new(PlainHasher::default()),
        access_tokens: Arc::new(PlainTokens),
        opaque_tokens: Arc::new(PlainTokens),
        mailer: Arc::new(ScriptedMailer::default()),
        clock: Arc::new(ManualClock::at(START)),
        ids: counting.clone(),
        randomness: counting,
        auxiliaries: Vec::new(),
    }
}

/// A server with one worker: whoever loses it loses all.
fn serve(ports: Ports) -> (SocketAddr, Readiness) {
    let settings = HttpSettings {
        version: "0",
        is_https: true,
        docs: false,
        cors: CorsOrigins::Any,
        trusted_proxies: Vec::new(),
        rate_limits: None,
        deprecation: None,
    };
    let limiter = Arc::new(MemoryLimiter::new());
    let limiters = Limiters { shared: limiter.clone(), own: limiter };
    let app = App::new(ports, Rules::default());
    let api = Api::new(app, limiters, None, settings);
    let readiness = api.readiness();
    let api = web::Data::new(api);
    let server = HttpServer::new(move || portcullis_http::service(&api))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    tokio::spawn(server.run());
    (address, readiness)
}
