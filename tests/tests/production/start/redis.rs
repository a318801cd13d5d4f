//! A Redis that is not there or does not let us in.

use std::net::TcpListener;

use portcullis_testkit::{Redis, free_port};

use super::{CANARY, is_refused};
use crate::backends::Backends;

#[test]
fn a_redis_that_is_not_there_is_told() {
    let url = format!("redis://:{CANARY}@127.0.0.1:{}", free_port());
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "refused");
}

#[test]
fn a_redis_that_does_not_answer_is_told() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("redis://:{CANARY}@127.0.0.1:{port}");
    is_refused(&Backends::new().with("REDIS_URL", &url), "REDIS_URL", "does not answer");
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
