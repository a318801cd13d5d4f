//! Kills at every system call that changes something, in turn.

use std::path::Path;
use std::time::Duration;

use portcullis_testkit::Postgres;
use portcullis_tests::{Server, run};

use crate::checker::{everything_is_there, nothing_is_half_done};
use crate::database::Database;
use crate::load::Plan;
use crate::shim::CrashPoint;
use crate::world::World;

/// Where each database's migrations are.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");

/// Every so many points are tried; all of them with `CRASH_POINTS=all`.
fn stride(default: i64) -> i64 {
    if std::env::var("CRASH_POINTS").is_ok_and(|told| told == "all") { 1 } else { default }
}

/// Starts the server again when it has ended, and takes no time to have its
/// letters taken over. Ends never.
async fn supervise(server: &mut Server, database: &Database, point: &CrashPoint) {
    loop {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if server.has_ended() {
            point.set(0);
            server.restart().await;
            database.end_leases();
        }
    }
}

/// Waits until nothing is owed any more: the last mail may be under way.
async fn all_settled(database: &Database) {
    while database.owed() > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Lives whole lives with a server that ends at one point more each time, until
/// one passes without.
async fn every_point_of_a_life(first: i64, stride: i64) -> (i64, usize) {
    let point = CrashPoint::new();
    let preload = point.settings();
    let settings = preload.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut world = World::embedded_with(&settings).await;
    let client = world.client().patient();
    let plan = Plan { rounds: 1, resets: true, logs_out: true };
    let (mut calls, mut deaths) = (first, 0);
    loop {
        point.set(calls);
        let life = async {
            assert!(client.live(&format!("ann{calls}@example.com"), plan).await);
            all_settled(&world.database).await;
        };
        tokio::select! {
            () = life => {}
            () = supervise(&mut world.server, &world.database, &point) => {}
        }
        nothing_is_half_done(&world.database);
        if point.left() > 0 {
            break;
        }
        deaths += 1;
        calls += stride;
    }
    point.set(0);
    let report = everything_is_there(&world, usize::MAX).await;
    assert!(report.duplicates <= deaths, "{} copies, {deaths} kills", report.duplicates);
    println!(
        "{deaths} kills before every {stride}th of {calls} calls: lost 0, half states 0; {} \
         letters, lost 0, copies {}",
        report.letters, report.duplicates
    );
    (calls, deaths)
}

#[tokio::test(flavor = "multi_thread")]
async fn r_02_r_03_a_kill_before_any_system_call_of_a_life_leaves_nothing_by_half() {
    let stride = stride(12);
    let (one, two) = tokio::join!(
        every_point_of_a_life(1, 2 * stride),
        every_point_of_a_life(1 + stride, 2 * stride)
    );
    let deaths = one.1 + two.1;
    println!("{deaths} of about {} points tried, 0 failing", one.0.max(two.0));
    assert!(i64::try_from(deaths).unwrap() * stride >= 60, "a life has more calls than {}", one.0);
}

/// Migrates with a program that ends at one call more each time; each time the
/// next start completes it.
fn killed_half_way(name: &str, stride: i64, fresh: impl Fn(&Path) -> Database) {
    let (mut calls, mut deaths) = (1, 0);
    loop {
        let folder = tempfile::tempdir().unwrap();
        let database = fresh(folder.path());
        let point = CrashPoint::new();
        let (url, known) = match &database {
            Database::File(file) => (format!("sqlite://{}", file.display()), "sqlite"),
            Database::Postgres(url) => (url.clone(), "postgres"),
        };
        let preload = point.settings();
        let mut settings = preload.each_ref().map(|(name, value)| (*name, value.as_str())).to_vec();
        settings.extend([
            ("DATABASE_URL", url.as_str()),
            ("SECRET_KEY", "canary-secret-that-all-instances-share"),
        ]);
        point.set(calls);
        let killed = run(folder.path(), &["migrate"], &settings);
        let is_over = point.left() > 0;
        assert_eq!(killed.status.success(), is_over, "{}", killed.said());
        point.set(0);
        let completed = run(folder.path(), &["migrate"], &settings);
        assert!(completed.status.success(), "{}", completed.said());
        let [applied, users] = database
            .ask(["SELECT count(*) FROM __diesel_schema_migrations", "SELECT count(*) FROM users"]);
        let migrations = std::fs::read_dir(format!("{MIGRATIONS}/{known}")).unwrap().count();
        assert_eq!((applied[0].parse(), users[0].as_str()), (Ok(migrations), "0"));
        if is_over {
            break;
        }
        deaths += 1;
        calls += stride;
    }
    println!("{name}: {deaths} kills before every {stride}th of {calls} calls of a migration");
    assert!(deaths > 3, "{deaths} kills");
}

#[test]
fn r_44_a_migration_that_is_killed_half_way_is_completed_by_the_next_start_on_sqlite() {
    killed_half_way("SQLite", stride(8), |folder| Database::File(folder.join("portcullis.db")));
}

#[test]
fn r_44_a_migration_that_is_killed_half_way_is_completed_by_the_next_start_on_postgres() {
    killed_half_way("Postgres", stride(4), |_| {
        Database::Postgres(Postgres::shared().empty_database())
    });
}
