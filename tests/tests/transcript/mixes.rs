//! Mixes of adapters, put together as `portcullis serve` does, with a clock,
//! ids and randomness that can be foretold.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{HttpServer, web};
use portcullis_app::{App, Ports, Rules, Services};
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::{Counting, ManualClock};
use portcullis_crypto::{
    HashingPool, HashingScheme, JwtSettings, JwtTokens, PoolSettings, SealedTokens, ServerSecret,
};
use portcullis_domain::ports::{
    AccessTokens, AccountsArchive, Auxiliary, AvatarStore, Callers, Clock, DeviceStore,
    EntitlementStore, JobQueue, LoginStore, Mailbox, Mailer, OutboxQueue, RateLimiter,
    SessionStore, Store,
};
use portcullis_domain::{AccessClaims, AccessTokenId, LockoutPolicy, SessionId, UserId};
use portcullis_http::{Api, CorsOrigins, HttpSettings, Limiters, RateLimits};
use portcullis_memory::{MailboxMailer, MemoryLimiter, MemoryStore};
use portcullis_redis::{
    CacheKey, CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache, Redis,
    RedisAdmissions, RedisLimiter,
};
use portcullis_smtp::{SmtpMailer, SmtpSettings};
use portcullis_testkit::SmtpSink;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use uuid::Uuid;

use crate::delivery::Delivery;

const SECRET: &str = "the transcript's own secret, known to every reader";
const SENDER: &str = "Portcullis <noreply@example.org>";
const READERS: usize = 4;

/// Where accounts are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Storage {
    Memory,
    Sqlite,
    Postgres,
}

/// Where requests are counted and callers are remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limits {
    InProcess,
    Redis,
}

/// How mail leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mail {
    Mailbox,
    Smtp,
}

/// A choice of adapters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) storage: Storage,
    pub(crate) limits: Limits,
    pub(crate) mail: Mail,
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, limits, mail } = self;
        write!(f, "{storage:?} × {limits:?} × {mail:?}")
    }
}

/// A server that is told what time it is.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) address: SocketAddr,
    pub(crate) delivery: Delivery,
    access_tokens: Arc<JwtTokens>,
    handle: ServerHandle,
    /// Keeps the file of the embedded database.
    _folder: Option<TempDir>,
}

/// The ports of a durable store.
struct Stores {
    store: Arc<dyn Store>,
    sessions: Arc<dyn SessionStore>,
    callers: Arc<dyn Callers>,
    logins: Arc<dyn LoginStore>,
    outbox: Arc<dyn OutboxQueue>,
    jobs: Arc<dyn JobQueue>,
    devices: Arc<dyn DeviceStore>,
    avatars: Arc<dyn AvatarStore>,
    entitlements: Arc<dyn EntitlementStore>,
    archive: Arc<dyn AccountsArchive>,
    mailbox: Arc<dyn Mailbox>,
    folder: Option<TempDir>,
}

impl Stores {
    fn of<S>(store: S) -> Self
    where
        S: Store
            + SessionStore
            + Callers
            + LoginStore
            + OutboxQueue
            + JobQueue
            + DeviceStore
            + AvatarStore
            + EntitlementStore
            + AccountsArchive
            + Mailbox
            + Clone
            + 'static,
    {
        Self {
            store: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            callers: Arc::new(store.clone()),
            logins: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            jobs: Arc::new(store.clone()),
            devices: Arc::new(store.clone()),
            avatars: Arc::new(store.clone()),
            entitlements: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            mailbox: Arc::new(store),
            folder: None,
        }
    }

    async fn open(storage: Storage) -> Self {
        match storage {
            Storage::Memory => Self::of(MemoryStore::new()),
            Storage::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("portcullis.db");
                portcullis_sqlite::migrate(&file).unwrap();
                let stores = Self::of(portcullis_sqlite::open(&file, READERS).unwrap());
                Self { folder: Some(folder), ..stores }
            }
            Storage::Postgres => {
                let url = portcullis_testkit::Postgres::shared().empty_database();
                let address = url.parse().unwrap();
                portcullis_postgres::migrate(&address).await.unwrap();
                Self::of(portcullis_postgres::open(&address, READERS).unwrap())
            }
        }
    }

    fn with_callers_in(self, cache: &CallerCache) -> Self {
        Self {
            callers: Arc::new(CachedCallers::new(Arc::clone(&self.sessions), cache.clone())),
            store: Arc::new(CachedStore::new(self.store, cache.clone())),
            sessions: Arc::new(CachedSessions::new(self.sessions, cache.clone())),
            logins: Arc::new(CachedLogins::new(self.logins, cache.clone())),
            ..self
        }
    }
}

/// Redis, with a database of its own for each mix.
fn redis() -> Redis {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let url = format!("{}/{number}", portcullis_testkit::Redis::shared().url());
    Redis::open(&url.parse().unwrap()).unwrap()
}

/// The defaults, but for limits that a conversation can reach.
fn rules() -> Rules {
    let lockout =
        LockoutPolicy { per_source: 5, per_identifier: 8, duration: Duration::from_hours(1) };
    Rules { lockout, ..Rules::default() }
}

fn http_settings() -> HttpSettings {
    let window = Duration::from_mins(1);
    HttpSettings {
        version: Some(env!("CARGO_PKG_VERSION")),
        is_https: false,
        docs: true,
        cors: CorsOrigins::Any,
        // The client says where it comes from: a story has an address of its own.
        trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()],
        rate_limits: Some(RateLimits { window, strict: 8, general: 10, public: 9, user: 7 }),
        avatar_max_bytes: 1024 * 1024,
        deprecation: None,
    }
}

/// Starts a server of that mix.
pub(crate) async fn start(mix: Mix) -> Server {
    let secret = ServerSecret::parse(SECRET.into()).unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let counting = Arc::new(Counting::default());
    let mut stores = Stores::open(mix.storage).await;

    let own: Arc<dyn RateLimiter> = Arc::new(MemoryLimiter::new());
    let mut limiters = Limiters { shared: Arc::clone(&own), own, admissions: None };
    let mut auxiliaries: Vec<(&'static str, Arc<dyn Auxiliary>)> = Vec::new();
    if let Limits::Redis = mix.limits {
        let redis = redis();
        let limiter = RedisLimiter::new(redis.clone(), "transcript");
        let cache = CallerCache::new(redis.clone(), &CacheKey(secret.cache_key()));
        let callers = CachedCallers::new(Arc::clone(&stores.sessions), cache.clone());
        limiters.admissions = Some(Arc::new(RedisAdmissions::new(limiter.clone(), callers)));
        limiters.shared = Arc::new(limiter);
        stores = stores.with_callers_in(&cache);
        auxiliaries.push(("redis", Arc::new(redis)));
    }

    let (delivery, mailer, shown) = mail(mix.mail, &stores.mailbox, clock.clone()).await;
    let said = JwtSettings {
        issuer: "http://localhost:8000".to_owned(),
        audience: "portcullis".to_owned(),
    };
    let access_tokens = Arc::new(JwtTokens::symmetric(said, &secret, None));
    let hashing = PoolSettings { threads: 1, queue: 8, patience: Duration::from_mins(1) };
    let scheme = HashingScheme::BcryptSha256 { cost: 4 };
    let ports = Ports {
        store: stores.store,
        sessions: stores.sessions,
        callers: stores.callers,
        logins: stores.logins,
        outbox: stores.outbox,
        jobs: stores.jobs,
        devices: stores.devices,
        avatars: stores.avatars,
        entitlements: stores.entitlements,
        services: Services::default(),
        archive: stores.archive,
        hasher: Arc::new(HashingPool::start(scheme, hashing).unwrap()),
        access_tokens: access_tokens.clone(),
        opaque_tokens: Arc::new(SealedTokens::new(&secret, None)),
        mailer,
        clock: clock.clone(),
        ids: counting.clone(),
        randomness: counting,
        auxiliaries,
    };
    let app = App::new(ports, rules());
    let api = web::Data::new(Api::new(app.clone(), limiters, shown, http_settings()));
    let server = HttpServer::new(move || portcullis_http::service(&api))
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    tokio::spawn(running);
    Server { app, clock, address, delivery, access_tokens, handle, _folder: stores.folder }
}

/// Where mails go, who brings them there, and the mailbox if it has a page.
async fn mail(
    kind: Mail,
    mailbox: &Arc<dyn Mailbox>,
    clock: Arc<ManualClock>,
) -> (Delivery, Arc<dyn Mailer>, Option<Arc<dyn Mailbox>>) {
    match kind {
        Mail::Mailbox => {
            let mailer = MailboxMailer::new(Arc::clone(mailbox), clock, SENDER.to_owned());
            let delivery = Delivery::Mailbox(Arc::clone(mailbox));
            (delivery, Arc::new(mailer), Some(Arc::clone(mailbox)))
        }
        Mail::Smtp => {
            let sink = SmtpSink::start().await;
            let settings = SmtpSettings::parse(&sink.url()).unwrap();
            let mailer = SmtpMailer::new(settings, SENDER, clock).unwrap();
            (Delivery::Smtp { sink, seen: 0 }, Arc::new(mailer), None)
        }
    }
}

impl Server {
    /// An access token under its own key, of somebody who does not exist.
    pub(crate) fn token_of_nobody(&self) -> String {
        let nobody = Uuid::from_u128(u128::MAX);
        let issued_at = self.clock.now().floor_to_second();
        let claims = AccessClaims {
            user: UserId::new(nobody),
            session: SessionId::new(nobody),
            id: AccessTokenId::new(nobody),
            issued_at,
            expires_at: issued_at + Duration::from_mins(30),
        };
        self.access_tokens.sign(claims).unwrap().expose_secret().to_owned()
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}
