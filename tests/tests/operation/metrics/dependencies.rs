//! What the server depends on, and the process that it is.

use portcullis_testkit::{Postgres, Reaction, Redis, SmtpSink, Step};
use portcullis_tests::{PASSWORD, Server};

use super::observed::Observed;

#[tokio::test]
async fn mails_and_their_server_are_told() {
    let sink = SmtpSink::start().await;
    let url = sink.url();
    let settings = [("MAIL_PROVIDER", "smtp"), ("SMTP_URL", &*url)];
    let observed = Observed::start(&settings).await;
    let mails = |how| format!("portcullis_mails_total{{outcome=\"{how}\"}}");
    observed.anonymous().register("ann@example.com").await.is(201);
    observed.becomes(&mails("sent"), |sent| sent == 1.0).await;
    sink.once(Step::Rcpt, Reaction::reply("550 no such mailbox"));
    observed.anonymous().register("bob@example.com").await.is(201);
    observed.becomes(&mails("buried"), |buried| buried == 1.0).await;
    sink.on(Step::Rcpt, Reaction::reply("450 later"));
    observed.anonymous().register("eve@example.com").await.is(201);
    observed.becomes(&mails("postponed"), |postponed| postponed >= 1.0).await;
    observed.becomes("portcullis_dependency_up{dependency=\"mail\"}", |up| up == 0.0).await;
    sink.accept();
    observed.becomes(&mails("sent"), |sent| sent == 2.0).await;
    observed.becomes("portcullis_dependency_up{dependency=\"mail\"}", |up| up == 1.0).await;
}

#[tokio::test]
async fn redis_and_what_it_knows_are_told() {
    let mut redis = Redis::start();
    let url = redis.url();
    let observed = Observed::start(&[("REDIS_URL", &*url), ("RATE_LIMIT_ENABLED", "true")]).await;
    let ann = observed.server.logged_in("ann@example.com").await;
    let up = "portcullis_dependency_up{dependency=\"redis\"}";
    observed.becomes(up, |up| up == 1.0).await;
    for _ in 0..3 {
        ann.me().await.is(200);
    }
    let now = observed.port.scrape().await;
    let found = |how| now.value(&format!("portcullis_caller_lookups_total{{result=\"{how}\"}}"));
    assert!(found("hit") >= 1.0 && found("miss") >= 1.0, "{}", now.text);
    assert_eq!(found("hit") + found("miss") + found("bypassed"), 3.0);
    assert!(now.value("portcullis_pool_connections{pool=\"redis\"}") >= 1.0, "{}", now.text);
    redis.stop();
    ann.me().await.is(200);
    observed.anonymous().log_in("bob@example.com", PASSWORD).await.is(400);
    observed.becomes(up, |up| up == 0.0).await;
    let now = observed.port.scrape().await;
    let strict = |limiter, decision| {
        let labels = format!("limiter=\"{limiter}\",tier=\"strict\",decision=\"{decision}\"");
        now.value(&format!("portcullis_limiter_decisions_total{{{labels}}}"))
    };
    assert_eq!((strict("first", "failed"), strict("fallback", "allowed")), (1.0, 1.0));
    assert!(now.value("portcullis_caller_lookups_total{result=\"bypassed\"}") >= 1.0);
}

#[tokio::test]
async fn a_database_that_is_away_shows_and_metrics_are_still_told() {
    let mut postgres = Postgres::start(&[]);
    let address = postgres.empty_database();
    let secret = "a-secret-that-is-long-enough-for-anybody";
    let settings = [("DATABASE_URL", &*address), ("SECRET_KEY", secret), ("BCRYPT_ROUNDS", "10")];
    let mut observed = Observed::start(&settings).await;
    let up = "portcullis_dependency_up{dependency=\"database\"}";
    assert_eq!(observed.last.value(up), 1.0);
    assert!(observed.last.value("portcullis_pool_limit{pool=\"database\"}") >= 1.0);
    postgres.stop();
    observed.becomes(up, |up| up == 0.0).await;
    let answer = observed.anonymous().log_in("ann@example.com", PASSWORD).await;
    let unavailable = "portcullis_logins_total{way=\"json\",outcome=\"unavailable\"}";
    observed.is(answer, 503, unavailable).await;
    postgres.start_again();
    observed.becomes(up, |up| up == 1.0).await;
}

#[tokio::test]
async fn the_process_and_its_build_are_told() {
    let (server, port) = Server::start_measured(&[]).await;
    let version = server.anonymous().get("/health").await.expect(200).str("/version").to_owned();
    let now = port.scrape().await;
    assert_eq!(now.value(&format!("portcullis_build_info{{version=\"{version}\"}}")), 1.0);
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century are exact")]
    let age = portcullis_tests::unix_now() as f64 - now.value("process_start_time_seconds");
    assert!((-2.0..60.0).contains(&age), "{age}");
    assert!(now.value("process_resident_memory_bytes") > 1e6);
    let (open, limit) = (now.value("process_open_fds"), now.value("process_max_fds"));
    assert!(open > 3.0 && open < limit, "{open} of {limit}");
    assert_eq!(now.value("portcullis_dependency_up{dependency=\"database\"}"), 1.0);
    assert_eq!(now.value("portcullis_pool_limit{pool=\"database_writes\"}"), 1.0);
}
