//! Every request, while each dependency fails in each way: what it is answered,
//! and how soon. The tables of `docs/outages.md` are made of what is seen here.

mod cast;
mod requests;
mod world;
mod written;

use std::time::{Duration, Instant};

use portcullis_testkit::Fault;
use portcullis_tests::eventually;

use cast::Cast;
use requests::{Asked, Seen};
use world::{Dependency, World};
use written::{AGAIN, Table};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/outages.md");
const BEGIN: &str = "<!-- outages:begin -->\n";
const END: &str = "<!-- outages:end -->";

/// Nobody waits longer, whatever is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// How soon everything works again. It takes less than two seconds; a machine
/// that is busy may take its time.
const RECOVERY: Duration = Duration::from_secs(5);

/// What can be wrong with the way to a dependency, and what it is called.
fn faults(dependency: Dependency) -> [(&'static str, Fault); 6] {
    // Redis counts as away after 250 ms, and a mail after the 2 s of this test's
    // `SMTP_URL`; Postgres is slow here, but there.
    let delay = match dependency {
        Dependency::Postgres => Duration::from_millis(20),
        Dependency::Redis => Duration::from_millis(600),
        Dependency::Smtp => Duration::from_secs(1),
    };
    [
        ("none", Fault::None),
        ("refuses", Fault::Refuse),
        ("hangs", Fault::Hang),
        ("resets", Fault::Cut { after: 0 }),
        ("is slow", Fault::slow(delay)),
        ("talks garbage", Fault::GARBAGE),
    ]
}

/// Asks everything while that is wrong, and sees to it that all is well again
/// afterwards.
async fn column(world: &World, number: usize, name: &str, fault: Fault) -> Vec<Seen> {
    let what = format!("{} {name}", world.dependency.name());
    let cast = Cast::prepare(world, number).await;
    let process = world.server.pid();
    world.proxy().set(fault);
    let seen = Asked::everything(world, &cast).answers().await;
    for seen in &seen {
        is_fair(world, fault, seen, &what);
    }
    cast.ended_stays_ended(world, &what).await;
    world.strict_limits_hold(number, &what).await;
    cast.left_is_left(world, &seen, &what).await;

    world.proxy().set(Fault::None);
    let back = Instant::now();
    eventually(&format!("the recovery, after {what}"), RECOVERY, async || {
        world.is_well(&cast).await.then_some(())
    })
    .await;
    println!("{what}: all is well {:?} after its end", back.elapsed());
    cast.ended_stays_ended(world, &what).await;
    cast.left_is_left(world, &seen, &what).await;
    assert_eq!(world.server.pid(), process, "{what}: it was started anew");
    assert!(!world.server.log().contains("panicked"), "{what}: {}", world.server.log());
    seen
}

/// Insists that an outage is told as one: never as the client's fault, never as
/// a defect, never late.
#[track_caller]
fn is_fair(world: &World, fault: Fault, seen: &Seen, what: &str) {
    let slow = matches!(fault, Fault::None | Fault::Slow { .. });
    let needs_it = world.dependency == Dependency::Postgres && seen.request.needs_the_database();
    let expected = if needs_it && !slow { 503 } else { seen.request.usual() };
    let (request, answer) = (seen.request.name(), &seen.answer);
    println!("{what}: {request}: {} after {:?}", answer.status, seen.took);
    assert_eq!(answer.status, expected, "{what}: {request}: {answer:?}");
    assert!(seen.took < PATIENCE, "{what}: {request} took {:?}", seen.took);
    if expected == 503 {
        assert!(answer.number("retry-after") >= 1, "{what}: {request}: {answer:?}");
    }
}

/// A row per request, a column per fault.
async fn table(dependency: Dependency) -> Table {
    let world = World::start(dependency).await;
    let mut columns = Vec::new();
    for (number, (name, fault)) in faults(dependency).into_iter().enumerate() {
        columns.push((name, column(&world, number, name, fault).await));
    }
    Table { name: dependency.name(), columns }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn r_14_r_22_r_23_r_28_every_request_is_answered_in_time_whatever_fails() {
    let (postgres, redis, smtp) = tokio::join!(
        table(Dependency::Postgres),
        table(Dependency::Redis),
        table(Dependency::Smtp),
    );
    is_documented(&[postgres, redis, smtp]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r_26_without_postgres_and_redis_the_answer_is_503_and_nobody_is_let_in() {
    let world = World::start(Dependency::Postgres).await;
    for (number, fault) in [Fault::Refuse, Fault::Hang].into_iter().enumerate() {
        let what = format!("both {fault:?}");
        let cast = Cast::prepare(&world, number).await;
        world.set_both(fault);
        for seen in Asked::everything(&world, &cast).answers().await {
            is_fair(&world, fault, &seen, &what);
        }
        cast.ended_stays_ended(&world, &what).await;
        world.strict_limits_hold(number, &what).await;
        world.set_both(Fault::None);
        eventually("the recovery", RECOVERY, async || world.is_well(&cast).await.then_some(()))
            .await;
        cast.ended_stays_ended(&world, &what).await;
    }
}

/// `UPDATE_DOCS=1` writes the tables into the page.
fn is_documented(tables: &[Table]) {
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let text: String = tables.iter().map(Table::text).collect();
        std::fs::write(PAGE, format!("{before}{BEGIN}{text}\n{END}{after}")).unwrap();
        return;
    }
    let mut lines = written.lines();
    for table in tables {
        table.is_told_by(&mut lines);
    }
    assert_eq!(lines.collect::<String>(), "", "more is written than was seen: {AGAIN}");
}
