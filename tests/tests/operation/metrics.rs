//! Metrics: what became of everything, once each, and nobody's words among it.

#![expect(clippy::float_cmp, reason = "what is compared exactly is whole")]

mod dependencies;
mod observed;
mod outcomes;
mod prometheus;
mod series;
mod work;

use portcullis_tests::Server;

#[tokio::test]
async fn op_11_there_are_metrics_only_where_they_were_asked_for() {
    let (mut server, port) = Server::start_measured(&[]).await;
    for path in ["/metrics", "/metrics/", "//metrics", "/%6detrics"] {
        server.anonymous().get(path).await.is_refused(404, "NOT_FOUND");
    }
    port.scrape().await;
    for path in ["/", "/health", "/metrics/", "/docs", "/api/v1/auth/me"] {
        port.get(path).await.is(404);
    }
    assert!(server.log().contains(&port.setting()), "{}", server.log());
    server.restart_with(&[("METRICS_ADDR", "")]).await;
    assert!(!port.is_open().await);
    server.anonymous().get("/metrics").await.is_refused(404, "NOT_FOUND");
}
