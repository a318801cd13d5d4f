//! A Redis that is not there, or does not let us in.

use std::net::TcpListener;

use portcullis_testkit::{Redis, free_port};

use super::{CANARY, is_refused};
use crate::backends::Backends;

/// A server starts without it, and says so: nothing needs it.
async fn starts_without(url: &str) {
    let server = Backends::new().with("REDIS_URL", url).instance().await;
    let health = server.anonymous().get("/health").await.expect(200);
    assert_eq!(health.str("/checks/redis"), "degraded");
    let log = server.log();
    assert!(log.contains("REDIS_URL") && !log.contains(CANARY), "{log}");
    server.signed_up("johndoe", "john@example.com").await.is_alive().await;
}

#[tokio::test]
async fn r_10_a_redis_that_is_not_there_keeps_no_server_from_starting() {
    starts_without(&format!("redis://:{CANARY}@127.0.0.1:{}", free_port())).await;
}

#[tokio::test]
async fn r_10_a_redis_that_does_not_answer_keeps_no_server_from_starting() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    starts_without(&format!("redis://:{CANARY}@127.0.0.1:{port}")).await;
}

#[test]
fn a_wrong_password_for_redis_is_told() {
    let redis = Redis::start_with(&["--requirepass", "canary-right"]);
    let url = format!("redis://:canary-wrong@127.0.0.1:{}", redis.port());
    // Redis 7 says WRONGPASS; the driver adds words of its own.
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "uthentication failed");
    let url = format!("redis://127.0.0.1:{}", redis.port());
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "uthentication");
}
