//! The mail provider is away.

use std::time::{Duration, Instant};

use portcullis_testkit::SmtpSink;

use super::shows;
use crate::backends::Backends;
use crate::letterbox::{Letterbox, VERIFICATION};

#[tokio::test]
async fn r_28_mail_that_cannot_leave_changes_no_answer_and_arrives_later() {
    let sink = SmtpSink::start().await;
    let server = Backends::new().with_smtp(&sink.url()).instance().await;
    // Once with a provider, to compare.
    server.anonymous().register("first@example.com").await.is(201);
    sink.mail("first@example.com", VERIFICATION).await;
    sink.vanish().await;
    let started = Instant::now();
    server.anonymous().register("ann@example.com").await.is(201);
    server.anonymous().request_reset("first@example.com").await.is(200);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    shows(&server, "mail", "degraded").await;
    assert_eq!(server.anonymous().get("/health").await.expect(200).str("/status"), "healthy");
    sink.come_back().await;
    let token = sink.mail("ann@example.com", VERIFICATION).await.token();
    server.anonymous().verify(&token).await.is(200);
    shows(&server, "mail", "healthy").await;
}
