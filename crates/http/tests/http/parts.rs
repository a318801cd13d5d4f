//! A service over parts in memory, for tests and benchmarks.

use std::sync::Arc;

use actix_web::web;
use portcullis_app::{App, Ports, Rules, Services};
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::{
    Counting, ManualClock, PlainHasher, PlainTokens, ScriptedMailer,
};
use portcullis_http::{Api, CorsOrigins, HttpSettings, Limiters};
use portcullis_memory::{MemoryLimiter, MemoryStore};

/// Everything in memory.
pub(crate) fn ports() -> Ports {
    let store = MemoryStore::new();
    let counting = Arc::new(Counting::default());
    Ports {
        store: Arc::new(store.clone()),
        devices: Arc::new(store.clone()),
        avatars: Arc::new(store.clone()),
        entitlements: Arc::new(store.clone()),
        services: Services::default(),
        sessions: Arc::new(store.clone()),
        callers: Arc::new(store.clone()),
        logins: Arc::new(store.clone()),
        outbox: Arc::new(store.clone()),
        jobs: Arc::new(store.clone()),
        archive: Arc::new(store),
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

/// The service over those.
pub(crate) fn api(ports: Ports) -> web::Data<Api> {
    let settings = HttpSettings {
        version: Some("0"),
        is_https: true,
        docs: false,
        cors: CorsOrigins::Any,
        trusted_proxies: Vec::new(),
        rate_limits: None,
        avatar_max_bytes: 1024 * 1024,
        deprecation: None,
    };
    let limiter = Arc::new(MemoryLimiter::new());
    let limiters = Limiters { shared: limiter.clone(), own: limiter, admissions: None };
    web::Data::new(Api::new(App::new(ports, Rules::default()), limiters, None, settings))
}
