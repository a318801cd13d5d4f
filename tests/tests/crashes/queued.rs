//! Kills while mail waits.

use std::time::{Duration, Instant};

use portcullis_tests::{at_once, eventually};

use crate::checker::everything_is_there;
use crate::load::Plan;
use crate::world::World;

const LETTERS: usize = 200;
/// How soon all of it must have arrived.
const DRAIN: Duration = Duration::from_mins(1);

async fn two_hundred_mails_outlive_their_server(name: &str, mut world: World) {
    world.sink.vanish().await;
    let client = world.client().hasty();
    at_once(8, |worker| {
        let client = client.clone();
        async move {
            for number in (worker..LETTERS).step_by(8) {
                let plan = Plan { rounds: 0, resets: false, logs_out: false };
                client.live(&format!("ann{number}@example.com"), plan).await;
            }
        }
    })
    .await;
    world.server.kill();
    assert_eq!(world.database.owed(), LETTERS);
    world.sink.come_back().await;
    world.server.restart().await;
    let started = Instant::now();
    let database = &world.database;
    eventually("every mail", DRAIN, async || {
        tokio::time::sleep(Duration::from_millis(250)).await;
        (database.owed() == 0).then_some(())
    })
    .await;
    let took = started.elapsed();
    let report = everything_is_there(&world, 0).await;
    println!(
        "{name}: {} mails {took:?} after the kill, copies {}",
        report.letters, report.duplicates
    );
    assert_eq!((report.letters, report.duplicates), (LETTERS, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_04_mails_that_wait_when_the_server_is_killed_arrive_once_each_on_sqlite() {
    two_hundred_mails_outlive_their_server("SQLite", World::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_04_mails_that_wait_when_the_server_is_killed_arrive_once_each_on_postgres() {
    two_hundred_mails_outlive_their_server("Postgres", World::on_postgres().await).await;
}
