//! A server whose every dependency is behind a proxy that can fail.

use portcullis_testkit::{Fault, FaultProxy, Postgres, Redis, SmtpSink};
use portcullis_tests::{Anonymous, Answer, LoggedIn, Server};
use reqwest::Method;
use serde_json::json;

use super::cast::Cast;
use crate::backends::Backends;
use crate::letterbox::{Letterbox, VERIFICATION};

/// What a server depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dependency {
    Postgres,
    Redis,
    Smtp,
}

impl Dependency {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "Postgres",
            Self::Redis => "Redis",
            Self::Smtp => "SMTP",
        }
    }
}

/// A server, what it depends on, and which of that is going to fail.
pub(super) struct World {
    pub(super) dependency: Dependency,
    pub(super) server: Server,
    /// Another instance beside it, which limits requests.
    limited: Server,
    pub(super) sink: SmtpSink,
    proxies: [FaultProxy; 3],
    _redis: Redis,
}

/// Somebody with a verified address, and somebody with a username.
pub(super) const ANN: &str = "ann@example.com";
pub(super) const JOHN: &str = "johndoe";
/// Somebody who has not verified their address.
pub(super) const PAT: &str = "pat@example.com";

impl World {
    pub(super) async fn start(dependency: Dependency) -> Self {
        let (redis, sink) = (Redis::start(), SmtpSink::start().await);
        let proxies = [
            FaultProxy::to_port(Postgres::shared().port()),
            FaultProxy::to_port(redis.port()),
            FaultProxy::to(sink.address()),
        ];
        let backends = Backends::on(&proxies[0].url(&Postgres::shared().empty_database()))
            .with("REDIS_URL", &proxies[1].url(&redis.url()))
            .with_smtp(&format!("{}?timeout=2s", proxies[2].url(&sink.url())));
        let server = backends.instance().await;
        let limits = backends.with("RATE_LIMIT_ENABLED", "true").with("RATE_LIMIT_LENIENT", "9999");
        let limited = limits.with("TRUSTED_PROXIES", "127.0.0.1").instance().await;
        let world = Self { dependency, server, limited, sink, proxies, _redis: redis };
        world.anonymous().register(ANN).await.is(201);
        world.anonymous().register(PAT).await.is(201);
        world.anonymous().sign_up(JOHN, "john@example.com").await.is(201);
        let token = world.sink.mail(ANN, VERIFICATION).await.token();
        world.anonymous().verify(&token).await.is(200);
        world
    }

    /// The way to what is going to fail.
    pub(super) fn proxy(&self) -> &FaultProxy {
        match self.dependency {
            Dependency::Postgres => &self.proxies[0],
            Dependency::Redis => &self.proxies[1],
            Dependency::Smtp => &self.proxies[2],
        }
    }

    /// The ways to Postgres and to Redis are like that.
    pub(super) fn set_both(&self, fault: Fault) {
        self.proxies[0].set(fault);
        self.proxies[1].set(fault);
    }

    pub(super) fn anonymous(&self) -> Anonymous {
        self.server.anonymous()
    }

    pub(super) async fn logged_in(&self) -> LoggedIn {
        self.server.logged_in_again(ANN).await
    }

    /// Whether everything is used again, and works.
    pub(super) async fn is_well(&self, cast: &Cast) -> bool {
        let health = self.anonymous().get("/health").await;
        let renamed = cast.staying.patch_me(&json!({"name": "Ann Again"})).await;
        for answer in [&health, &renamed] {
            assert!([200, 503].contains(&answer.status), "{answer:?}");
        }
        health.status == 200
            && health.body["checks"]["redis"] == "healthy"
            && renamed.status == 200
            && cast.staying.me().await.status == 200
    }

    /// Ten tries of a minute pass and no more, also when nobody else can count.
    pub(super) async fn strict_limits_hold(&self, number: usize, what: &str) {
        for passed in 0..=10 {
            let path = "/api/v1/auth/password-reset/confirm";
            let request = self.limited.anonymous().request(Method::POST, path).json(&json!({}));
            let source = format!("192.0.2.{number}");
            let answer = Answer::to(request.header("x-forwarded-for", source)).await;
            let expected = if passed < 10 { 422 } else { 429 };
            assert_eq!(answer.status, expected, "{what}: after {passed} tries: {answer:?}");
        }
    }
}

/// A test that fails must not leave its servers waiting for something.
impl Drop for World {
    fn drop(&mut self) {
        for proxy in &self.proxies {
            proxy.set(Fault::None);
        }
    }
}
