//! Both contracts, from the first request to the last, on each mix of backends.

use std::time::Duration;

use portcullis_testkit::{MailApi, Redis, RedisCluster, RedisSentinel, SmtpSink};
use portcullis_tests::{PASSWORD, Server, eventually, problem};
use serde_json::json;

use crate::backends::{Backends, PUBLIC_URL};
use crate::letterbox::{Letterbox, RESET, VERIFICATION};

const ANOTHER: &str = "NewSecurePass456!";
const SIGNED_OUT: &str = "You were signed out for your safety";
/// Long enough for a replay to come in time on a busy machine.
const GRACE: (&str, &str) = ("REFRESH_GRACE", "2s");
const THRESHOLD: (&str, &str) = ("LOCKOUT_THRESHOLD", "3");

/// Contract A, from the registration to the login with a new password.
async fn contract_a(server: &Server, post: &impl Letterbox, email: &str) {
    let anonymous = server.anonymous();
    anonymous.register(email).await.is(201);
    anonymous.log_in(email, PASSWORD).await.is_problem(problem::NOT_VERIFIED);
    let mail = post.mail(email, VERIFICATION).await;
    let path = mail.link().strip_prefix(PUBLIC_URL).unwrap().to_owned();
    anonymous.get(&path).await.is(200);

    let first = server.logged_in_again(email).await;
    first.me().await.is(200);
    first.patch_me(&json!({"name": "Ann Other"})).await.is(200);
    assert_eq!(first.me().await.expect(200).str("/name"), "Ann Other");

    let second = first.refreshed().await;
    assert_ne!(second.refresh, first.refresh);
    assert_eq!(first.refreshed().await.refresh, second.refresh, "a replay in time");
    let refused = eventually("the end of the grace", Duration::from_secs(10), async || {
        let answer = anonymous.refresh(&first.refresh).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    refused.is_problem(problem::BAD_REFRESH);
    second.is_over().await;
    post.mail(email, SIGNED_OUT).await;

    let third = server.logged_in_again(email).await;
    let other = server.logged_in_again(email).await;
    third.log_out().await.is(204);
    third.is_over().await;
    other.is_alive().await;

    anonymous.request_reset(email).await.is(200);
    let token = post.mail(email, RESET).await.token();
    anonymous.confirm_reset(&token, ANOTHER).await.is(200);
    other.is_over().await;
    anonymous.log_in(email, PASSWORD).await.is_problem(problem::BAD_LOGIN);
    anonymous.log_in(email, ANOTHER).await.is(200);
}

/// Contract B, from the sign-up to the logout.
async fn contract_b(server: &Server, username: &str) {
    let first = server.signed_up(username, &format!("{username}@example.com")).await;
    assert_eq!(first.users_me().await.expect(200).str("/username"), username);
    let answer = server.anonymous().log_in_by_form(username, PASSWORD).await.expect(200);
    let second = server.anonymous().with_tokens_of(&answer);
    assert_eq!(second.refreshed().await.refresh, second.refresh);
    second.log_out_without_body().await.is(200);
    second.is_over().await;
    first.is_alive().await;
}

/// The lock after too many wrong passwords.
async fn lockout(server: &Server, username: &str) {
    for _ in 0..3 {
        let answer = server.anonymous().log_in_by_form(username, "wrong password").await;
        answer.is_problem(problem::BAD_FORM_LOGIN);
    }
    server.anonymous().log_in_by_form(username, PASSWORD).await.is_problem(problem::LOCKED);
}

/// The eleventh strict request of a minute is refused.
async fn strict_limit(server: &mut Server) {
    server.restart_with(&[("RATE_LIMIT_ENABLED", "true")]).await;
    let ask =
        async || server.anonymous().post("/api/v1/auth/password-reset/confirm", &json!({})).await;
    for left in (0..10).rev() {
        let answer = ask().await.expect(422);
        assert_eq!(answer.number("x-ratelimit-remaining"), left);
    }
    ask().await.is_problem(problem::TOO_MANY);
}

/// All of it, with mails that arrive where `post` says.
async fn everything<L: Letterbox>(backends: Backends, post: impl FnOnce(&Server) -> L) -> Server {
    let backends = backends.with(GRACE.0, GRACE.1).with(THRESHOLD.0, THRESHOLD.1);
    let mut server = backends.instance().await;
    let post = post(&server);
    contract_a(&server, &post, "ann@example.com").await;
    contract_b(&server, "johndoe").await;
    lockout(&server, "johndoe").await;
    strict_limit(&mut server).await;
    server
}

#[tokio::test]
async fn everything_works_on_postgres_redis_and_smtp() {
    let (redis, sink) = (Redis::start(), SmtpSink::start().await);
    let backends = Backends::new().with_redis(&redis).with_smtp(&sink.url());
    let server = everything(backends, |_| &sink).await;
    assert!(redis.command(&["keys", "portcullis:*"]).contains("portcullis:"), "Redis is unused");
    let checks = server.anonymous().get("/health").await.expect(200).body["checks"].clone();
    assert_eq!(checks, json!({"database": "healthy", "mail": "healthy", "redis": "healthy"}));
}

#[tokio::test]
async fn everything_works_on_postgres_alone() {
    everything(Backends::new(), Server::mailbox).await;
}

#[tokio::test]
async fn everything_works_on_the_embedded_database_and_redis() {
    let redis = Redis::start();
    let backends = Backends::on("sqlite://data/portcullis.db").with_redis(&redis);
    everything(backends, Server::mailbox).await;
    assert!(redis.command(&["keys", "portcullis:*"]).contains("portcullis:"), "Redis is unused");
}

#[tokio::test]
async fn everything_works_with_a_redis_cluster() {
    let cluster = RedisCluster::start();
    everything(Backends::new().with("REDIS_URL", &cluster.url()), Server::mailbox).await;
}

#[tokio::test]
async fn everything_works_behind_a_sentinel_and_after_its_failover() {
    let mut sentinel = RedisSentinel::start();
    let backends = Backends::new().with("REDIS_URL", &sentinel.url());
    let server = everything(backends, Server::mailbox).await;
    sentinel.stop_primary();
    sentinel.wait_for_failover();
    let anonymous = server.anonymous();
    eventually("the new primary", Duration::from_secs(10), async || {
        let health = anonymous.get("/health").await.expect(200);
        (health.body["checks"]["redis"] == "healthy").then_some(())
    })
    .await;
}

#[tokio::test]
async fn contract_a_works_with_mail_by_resend() {
    let api = MailApi::resend().await;
    let backends = by_api("resend").with("RESEND_BASE_URL", &api.url());
    contract_a(&backends.instance().await, &api, "ann@example.com").await;
}

#[tokio::test]
async fn contract_a_works_with_mail_by_brevo() {
    let api = MailApi::brevo().await;
    let backends = by_api("brevo").with("BREVO_BASE_URL", &api.url());
    contract_a(&backends.instance().await, &api, "ann@example.com").await;
}

#[tokio::test]
async fn the_second_provider_stands_in_while_the_first_is_away() {
    let (sink, api) = (SmtpSink::start().await, MailApi::resend().await);
    let backends =
        by_api("smtp,resend").with("SMTP_URL", &sink.url()).with("RESEND_BASE_URL", &api.url());
    let server = backends.instance().await;
    server.anonymous().register("ann@example.com").await.is(201);
    sink.mail("ann@example.com", VERIFICATION).await;
    assert!(api.mails().is_empty(), "{:?}", api.mails());

    sink.vanish().await;
    contract_a(&server, &api, "bob@example.com").await;
    let checks = server.anonymous().get("/health").await.expect(200).body["checks"].clone();
    assert_eq!(checks["mail"], "healthy", "some mailer takes mail");

    sink.come_back().await;
    server.anonymous().register("cleo@example.com").await.is(201);
    sink.mail("cleo@example.com", VERIFICATION).await;
    assert!(api.mails_to("cleo@example.com").await.is_empty());
}

fn by_api(providers: &str) -> Backends {
    Backends::new()
        .with(GRACE.0, GRACE.1)
        .with("MAIL_PROVIDER", providers)
        .with("MAIL_FROM", "Portcullis <noreply@example.com>")
        .with("RESEND_API_KEY", MailApi::KEY)
        .with("BREVO_API_KEY", MailApi::KEY)
}
