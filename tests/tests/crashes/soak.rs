//! Everything at once, for as long as one likes.

use std::time::{Duration, Instant};

use portcullis_testkit::{Postgres, Redis};
use portcullis_tests::Server;

use crate::checker::everything_is_there;
use crate::load::Load;
use crate::world::World;

/// A short one; `SOAK_MINUTES=30` soaks, with a fault every twenty seconds.
const FAULTS: u32 = 7;
const PAUSE: Duration = Duration::from_secs(7);
/// How long after a fault trouble may still be its own. The rest of the pause is quiet.
const AFTERMATH: Duration = Duration::from_secs(5);
const _: () = assert!(PAUSE.as_millis() > AFTERMATH.as_millis());

/// What a process may use more at its end than right after its start: connections to
/// what it needs, and what it keeps at hand.
const MORE_KIB: u64 = 32 * 1024;
const MORE_DESCRIPTORS: usize = 64;

/// What a process uses.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    kib: u64,
    descriptors: usize,
}

impl Footprint {
    fn of(server: &Server) -> Self {
        Self { kib: server.resident_kib(), descriptors: server.open_descriptors() }
    }

    /// Insists that it is not much more than at the start.
    fn has_hardly_grown_since(self, start: Self) {
        println!("at its start a process used {start:?}, at its end {self:?}");
        assert!(self.kib < start.kib + MORE_KIB, "{start:?}, then {self:?}");
        assert!(
            self.descriptors < start.descriptors + MORE_DESCRIPTORS,
            "{start:?}, then {self:?}"
        );
    }
}

/// How many faults there are to be, and how far apart.
fn plan() -> (u32, Duration) {
    let minutes: Option<u32> =
        std::env::var("SOAK_MINUTES").ok().map(|minutes| minutes.parse().unwrap());
    minutes.map_or((FAULTS, PAUSE), |minutes| (minutes * 3, Duration::from_secs(20)))
}

/// Whether that fault ends the process, and another one follows.
fn replaces_the_process(number: u32) -> bool {
    [0, 6].contains(&(number % 7))
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

/// Lets that time pass, and insists that people got something done after the
/// aftermath of the last fault.
async fn goes_on(world: &World, pause: Duration) {
    tokio::time::sleep(AFTERMATH).await;
    let before = world.journal.acknowledged();
    tokio::time::sleep(pause.saturating_sub(AFTERMATH)).await;
    assert!(world.journal.acknowledged() > before, "nothing was going on outside of faults");
}

#[tokio::test(flavor = "multi_thread")]
async fn r_52_one_fault_after_the_other_under_load_loses_nothing() {
    let (mut postgres, mut redis) = (Postgres::start(&[]), Redis::start());
    let (address, cache) = (postgres.empty_database(), redis.url());
    let mut world = World::on(&address, &[("REDIS_URL", &cache)]).await;
    let load = Load::start(&world.client(), 6);
    let (faults, pause) = plan();
    let mut windows = Vec::new();
    let mut start = Footprint::of(&world.server);
    for number in 0..faults {
        goes_on(&world, pause).await;
        if replaces_the_process(number) {
            Footprint::of(&world.server).has_hardly_grown_since(start);
        }
        let began = Instant::now();
        let what = fault(number, &mut world, &mut postgres, &mut redis).await;
        windows.push((began, Instant::now() + AFTERMATH));
        println!("{what}: {:?}", began.elapsed());
        if replaces_the_process(number) {
            start = Footprint::of(&world.server);
        }
    }
    goes_on(&world, pause).await;
    Footprint::of(&world.server).has_hardly_grown_since(start);
    load.stop().await;
    let report = everything_is_there(&world, 20).await;
    let troubles = world.journal.troubles();
    let outside = troubles
        .iter()
        .filter(|(at, _)| !windows.iter().any(|(began, ended)| (began..=ended).contains(&at)));
    let outside: Vec<_> = outside.map(|(_, told)| told).collect();
    println!(
        "{faults} faults: {} acknowledged writes of {} people, lost 0; {} letters, lost 0, copies \
         {}; {} requests in trouble, {} of them outside of a fault",
        world.journal.acknowledged(),
        report.people,
        report.letters,
        report.duplicates,
        troubles.len(),
        outside.len()
    );
    assert!(outside.is_empty(), "{outside:?}");
    assert!(!world.server.log().contains("panicked at"), "{}", world.server.log());
}
