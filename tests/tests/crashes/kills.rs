//! Kills at random moments.

use std::time::{Duration, Instant};

use crate::checker::everything_is_there;
use crate::load::{Load, random};
use crate::world::World;

/// Kills in all, of four servers; `CRASH_KILLS` says otherwise.
const KILLS: usize = 60;
const SERVERS: usize = 4;
const PEOPLE: usize = 8;

fn kills_of_each() -> usize {
    let told = std::env::var("CRASH_KILLS").ok();
    let kills = told.map_or(KILLS, |number| number.parse().unwrap());
    kills.div_ceil(SERVERS)
}

/// Kills a server under load again and again, then looks what is there.
async fn survives(name: &str, mut world: World, passwords_of: usize) {
    let kills = kills_of_each();
    let load = Load::start(&world.client(), PEOPLE);
    let mut ready = Vec::new();
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(200 + random(500))).await;
        let killed = Instant::now();
        world.server.restart().await;
        ready.push(killed.elapsed());
    }
    load.stop().await;
    let report = everything_is_there(&world, passwords_of).await;
    ready.sort();
    let (median, slowest) = (ready[ready.len() / 2], ready[ready.len() - 1]);
    let (acknowledged, in_doubt) = (world.journal.acknowledged(), world.journal.in_doubt());
    println!(
        "{name}: {kills} kills; {acknowledged} acknowledged writes of {} people, {in_doubt} of \
         them asked for again; lost 0, half states 0; {} letters, lost 0, copies {}; ready \
         after {median:?} (median), {slowest:?} (slowest)",
        report.people, report.letters, report.duplicates
    );
    assert!(acknowledged >= kills as u64, "too little was going on");
    // Letters are sent side by side: a kill may come between several of them and
    // the note that they were sent.
    assert!(report.duplicates <= 3 * kills, "{} copies", report.duplicates);
    assert!(median < Duration::from_secs(2), "ready after {median:?} only");
    assert!(!world.server.log().contains("panicked at"), "{}", world.server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn r_01_what_was_acknowledged_survives_kills_at_random_moments_on_sqlite() {
    let (one, two) = tokio::join!(World::embedded(), World::embedded());
    tokio::join!(survives("SQLite", one, usize::MAX), survives("SQLite", two, usize::MAX));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_01_what_was_acknowledged_survives_kills_at_random_moments_on_postgres() {
    let (one, two) = tokio::join!(World::on_postgres(), World::on_postgres());
    tokio::join!(survives("Postgres", one, 50), survives("Postgres", two, 50));
}
