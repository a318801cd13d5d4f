//! Postgres dies, and its standby takes over at the same address.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use portcullis_testkit::{Fault, FaultProxy, Postgres};
use portcullis_tests::eventually;
use serde_json::json;

use super::load::Load;
use super::writes_again;
use crate::backends::Backends;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_16_a_promoted_standby_is_used_at_once_and_has_all_that_was_acknowledged() {
    let mut primary = Postgres::start(&["synchronous_commit=on"]);
    let standby = primary.synchronous_standby();
    let address = FaultProxy::to_port(primary.port());
    let database = primary.empty_database();
    let server = Backends::on(&address.url(&database)).instance().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let load = Load::start(&server, 4).await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let gone = Instant::now();
    primary.stop();
    address.set(Fault::Refuse);
    address.lead_to(SocketAddr::from(([127, 0, 0, 1], standby.port())));
    address.set(Fault::None);
    // It can be read already; what it refuses to write is not taken for written.
    eventually("reading from the standby", Duration::from_secs(5), async || {
        (john.me().await.status == 200).then_some(())
    })
    .await;
    for _ in 0..5 {
        john.patch_me(&json!({"name": "Nobody"})).await.is_refused(503, "SERVICE_UNAVAILABLE");
        assert_ne!(john.me().await.expect(200).str("/name"), "Nobody");
    }
    server.anonymous().register("ann@example.com").await.is(503);
    server.anonymous().request_reset("john@example.com").await.is(503);

    standby.promote();
    let written = writes_again(&john).await;
    println!("written {written:?} after the promotion, {:?} in all", gone.elapsed());
    server.anonymous().register("ann@example.com").await.is(201);
    let total = load.stop().await;
    println!("{}", total.told());
    assert!(total.good.len() > 50, "{}", total.told());
}
