//! Everything at once, for as long as one likes.

use std::fs;
use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis};

use crate::checker::everything_is_there;
use crate::load::Load;
use crate::world::World;

/// A short one; `SOAK_MINUTES=30` soaks, with a fault every twenty seconds.
const FAULTS: u32 = 7;
const PAUSE: Duration = Duration::from_secs(4);
/// How long after a fault trouble may still be its own.
const AFTERMATH: Duration = Duration::from_secs(8);

/// How many faults there are to be, and how far apart.
fn plan() -> (u32, Duration) {
    let minutes: Option<u32> =
        std::env::var("SOAK_MINUTES").ok().map(|minutes| minutes.parse().unwrap());
    minutes.map_or((FAULTS, PAUSE), |minutes| (minutes * 3, Duration::from_secs(20)))
}

async fn fault(
    number: u32,
    world: &mut World,
    postgres: &mut Postgres,
    redis: &mut Redis,
) -> &'static str {
    match number % 7 {
        0 => {
            world.server.restart().await;
            "the server is killed"
        }
        1 => {
            postgres.stop();
            postgres.start_again();
            "Postgres is killed"
        }
        2 => {
            redis.stop();
            tokio::time::sleep(Duration::from_secs(1)).await;
            redis.start_again();
            "Redis is killed"
        }
        3 => {
            postgres.hang(true);
            tokio::time::sleep(Duration::from_secs(1)).await;
            postgres.hang(false);
            "Postgres hangs"
        }
        4 => {
            world.sink.vanish().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            world.sink.come_back().await;
            "the mail server is away"
        }
        5 => {
            redis.hang(true);
            tokio::time::sleep(Duration::from_secs(1)).await;
            redis.hang(false);
            "Redis hangs"
        }
        _ => {
            assert_eq!(world.server.terminate().await.code(), Some(0));
            world.server.restart().await;
            "the server is replaced"
        }
    }
}

fn descriptors(world: &World) -> usize {
    fs::read_dir(format!("/proc/{}/fd", world.server.pid())).unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn r_52_one_fault_after_the_other_under_load_loses_nothing() {
    let (mut postgres, mut redis) = (Postgres::start(&[]), Redis::start());
    let (address, cache) = (postgres.empty_database(), redis.url());
    let mut world = World::on(&address, &[("REDIS_URL", &cache)]).await;
    let load = Load::start(&world.client(), 6);
    let (faults, pause) = plan();
    let mut windows = Vec::new();
    for number in 0..faults {
        tokio::time::sleep(pause).await;
        let began = Instant::now();
        let what = fault(number, &mut world, &mut postgres, &mut redis).await;
        windows.push((began, Instant::now() + AFTERMATH));
        println!("{what}: {:?}", began.elapsed());
    }
    tokio::time::sleep(pause).await;
    load.stop().await;
    let report = everything_is_there(&world, 20).await;
    let troubles = world.journal.troubles();
    let outside = troubles
        .iter()
        .filter(|(at, _)| !windows.iter().any(|(began, ended)| (began..=ended).contains(&at)));
    let outside: Vec<_> = outside.map(|(_, told)| told).collect();
    let open = descriptors(&world);
    println!(
        "{faults} faults: {} acknowledged writes of {} people, lost 0; {} letters, lost 0, copies \
         {}; {} requests in trouble, {} of them outside of a fault; {open} descriptors at the end",
        world.journal.acknowledged(),
        report.people,
        report.letters,
        report.duplicates,
        troubles.len(),
        outside.len()
    );
    assert!(outside.is_empty(), "{outside:?}");
    assert!(open < 200, "{open} descriptors are open");
    assert!(!world.server.log().contains("panicked at"), "{}", world.server.log());
}
