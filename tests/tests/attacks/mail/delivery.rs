//! On the way to the mail server.

use std::time::{Duration, Instant};

use portcullis_testkit::{Reaction, SmtpSink, Step};
use portcullis_tests::{Answer, Mail, NAME, eventually, run};
use reqwest::Method;

use super::{SENDER, mailing_with, register_as};

const ANOTHER: &str = "NewSecurePass456!";

/// The token's life begins with the first attempt to send it.
#[tokio::test]
async fn r_35_a_link_that_died_while_mail_was_away_is_not_sent() {
    let sink = SmtpSink::start().await;
    let server = mailing_with(&sink, &[("RESET_TOKEN_TTL", "2s")]).await;
    register_as(&server, "ann@example.com", NAME).await.is(201);
    sink.wait_for(1).await;
    sink.on(Step::Mail, Reaction::reply("451 4.3.0 come back later"));
    server.anonymous().request_reset("ann@example.com").await.is(200);
    let tried = || sink.commands().iter().filter(|line| line.starts_with("MAIL")).count();
    eventually("the first attempt", Duration::from_secs(10), async || (tried() > 1).then_some(()))
        .await;
    let first_attempt = Instant::now();
    sink.accept();
    let database = format!("sqlite://{}/data/portcullis.db", server.folder().display());
    eventually("the letter is given up", Duration::from_secs(20), async || {
        let listed = run(server.folder(), &["outbox", "list"], &[("DATABASE_URL", &database)]);
        listed.stdout.contains("its link expired").then_some(())
    })
    .await;
    assert!(first_attempt.elapsed() > Duration::from_secs(2));
    assert_eq!(sink.messages().len(), 1, "a dead link was sent");

    server.anonymous().request_reset("ann@example.com").await.is(200);
    let token = Mail::from(&sink.wait_for(2).await[1]).token();
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
}

#[tokio::test]
async fn ml_09_ml_10_a_server_that_asks_for_tls_starts_with_no_less() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "smtp://ann:canary@mail.example.com?starttls=never",
        "smtp://ann:canary@192.0.2.1?starttls=never",
        "smtp://mail.example.com?starttls=optional",
        "smtps://mail.example.com?starttls=never",
    ] {
        let settings = [("MAIL_PROVIDER", "smtp"), ("MAIL_FROM", SENDER), ("SMTP_URL", url)];
        let outcome = run(folder.path(), &["serve"], &settings);
        assert!(!outcome.status.success(), "{url}: {}", outcome.said());
        assert!(outcome.said().contains("SMTP_URL: "), "{}", outcome.said());
        assert!(!outcome.said().contains("canary"), "{}", outcome.said());
    }
}

/// A man in the middle who takes the offer of `STARTTLS` out gets neither a
/// password nor a mail.
#[tokio::test]
async fn ml_09_ml_10_without_tls_neither_password_nor_mail_leaves_the_server() {
    let sink = SmtpSink::with_login("ann", "canary-password").await;
    let port = sink.address().port();
    let url = format!("smtp://ann:canary-password@localhost:{port}?starttls=required&timeout=2s");
    let server = mailing_with(&sink, &[("SMTP_URL", &url)]).await;
    register_as(&server, "ann@example.com", NAME).await.is(201);
    eventually("an attempt", Duration::from_secs(10), async || {
        sink.commands().iter().any(|line| line.starts_with("EHLO")).then_some(())
    })
    .await;
    let health = eventually("mail is away", Duration::from_secs(10), async || {
        let health = server.anonymous().get("/health").await;
        (health.body["checks"]["mail"] == "degraded").then_some(health)
    })
    .await;
    health.is(200);
    let commands = sink.commands();
    let is_harmless = |line: &String| line.starts_with("EHLO") || line == "QUIT";
    assert!(commands.iter().all(is_harmless), "{commands:?}");
    assert!(sink.messages().is_empty());
    let answer = Answer::to(server.anonymous().request(Method::GET, "/health")).await;
    assert!(!answer.text.contains("canary"), "{}", answer.text);
    assert!(!server.log().contains("canary"), "{}", server.log());
}
