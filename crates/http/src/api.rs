//! What every handler has at hand.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use ipnet::IpNet;
use portcullis_app::App;
use portcullis_domain::Timestamp;
use portcullis_domain::ports::{Admissions, Mailbox, RateLimiter};
use portcullis_metrics::{Metrics, Requests};

use crate::Traffic;
use crate::fallback::KnownPaths;
use crate::offers;
use crate::pages;
use crate::resources::health::Health;
use crate::traces::Traces;

/// The application and everything that only its HTTP face needs.
pub struct Api {
    pub(crate) app: App,
    pub(crate) limiters: Limiters,
    pub(crate) mailbox: Option<Arc<dyn Mailbox>>,
    pub(crate) settings: HttpSettings,
    pub(crate) document: Bytes,
    pub(crate) health: Health,
    pub(crate) known_paths: KnownPaths,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) traces: Option<Arc<dyn Traces>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) requests: Requests,
}

/// What is told in place of a version that is not told: clients expect a text there.
const HIDDEN: &str = "hidden";

/// Who counts requests.
#[derive(Clone)]
pub struct Limiters {
    /// The one that instances share, where there are several.
    pub shared: Arc<dyn RateLimiter>,
    /// This process's, for requests that try secrets while the other is away
    /// (contract §6).
    pub own: Arc<dyn RateLimiter>,
    /// Who knows the shared limits and the callers, where one place does.
    pub admissions: Option<Arc<dyn Admissions>>,
}

/// What an operator decides about the HTTP face.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// The version that `/health` and the API's description tell (`VERSION_DISCLOSURE`).
    pub version: Option<&'static str>,
    /// Whether `PUBLIC_URL` is https, so that browsers are told to insist on it.
    pub is_https: bool,
    /// Whether `/docs`, `/redoc` and `/openapi.json` exist (`DOCS_ENABLED`).
    pub docs: bool,
    /// Which pages of other origins may call (`CORS_ORIGINS`).
    pub cors: CorsOrigins,
    /// Whose forwarding headers count (`TRUSTED_PROXIES`).
    pub trusted_proxies: Vec<IpNet>,
    /// How often which requests are answered; `None` answers all of them.
    pub rate_limits: Option<RateLimits>,
    /// Largest picture that is taken, in bytes (`AVATAR_MAX_BYTES`).
    pub avatar_max_bytes: usize,
    /// Since when version 1 is deprecated, if it is (contract §8).
    pub deprecation: Option<Deprecation>,
}

/// Which origins' pages may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// All of them, without credentials.
    Any,
    /// These, with credentials.
    Listed(Vec<String>),
}

/// Requests per window (contract §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// The window (`RATE_LIMIT_WINDOW`).
    pub window: Duration,
    /// Login, registration and mail, per client (`RATE_LIMIT_STRICT`).
    pub strict: u32,
    /// Everything else, per client (`RATE_LIMIT_DEFAULT`).
    pub general: u32,
    /// Public documents, per client (`RATE_LIMIT_LENIENT`).
    pub public: u32,
    /// Authenticated requests, per user (`RATE_LIMIT_USER`).
    pub user: u32,
}

/// The end of version 1 (contract §8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// Since when it is deprecated (`API_V1_DEPRECATED_ON`).
    pub since: Timestamp,
    /// When it goes away (`API_V1_SUNSET_ON`).
    pub sunset: Option<Timestamp>,
    /// How to move on (`API_V1_MIGRATION_URL`).
    pub guide: Option<String>,
}

impl Api {
    /// Puts the HTTP face together. With a mailbox, its pages exist. Nothing is
    /// counted; see [`Api::counting_in`].
    #[must_use]
    pub fn new(
        app: App,
        limiters: Limiters,
        mailbox: Option<Arc<dyn Mailbox>>,
        settings: HttpSettings,
    ) -> Self {
        let mut document = crate::document();
        if settings.version.is_none() {
            HIDDEN.clone_into(&mut document.info.version);
        }
        let is_served = |path: &str| offers::is_served(path, app.services());
        let metrics = Metrics::off();
        let known_paths = KnownPaths::of(&document, is_served, mailbox.is_some(), settings.docs);
        Self {
            app,
            limiters,
            mailbox,
            settings,
            document: document.to_json().unwrap_or_default().into(),
            health: Health::default(),
            known_paths,
            traffic: Arc::default(),
            traces: None,
            requests: metrics.requests_over([]),
            metrics: Arc::new(metrics),
        }
    }

    /// The same, counting what it answers.
    #[must_use]
    pub fn counting_in(self, metrics: Arc<Metrics>) -> Self {
        let documented = crate::document().paths.paths.into_keys();
        let routes = documented.chain(pages::PATTERNS.map(str::to_owned));
        Self { requests: metrics.requests_over(routes), metrics, ..self }
    }

    /// The version, if whoever asks may know it.
    pub(crate) fn version(&self) -> &'static str {
        self.settings.version.unwrap_or(HIDDEN)
    }

    /// The same, telling of its requests.
    #[must_use]
    pub fn traced_by(self, traces: Option<Arc<dyn Traces>>) -> Self {
        Self { traces, ..self }
    }

    /// How its dependencies are, by the names that `/health` uses; what was found
    /// a moment ago is told again.
    pub async fn dependencies(&self) -> Vec<(&'static str, bool)> {
        self.health.dependencies(&self.app).await
    }

    /// Its requests, for whoever stops the server.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }
}
