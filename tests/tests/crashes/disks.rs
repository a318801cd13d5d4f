//! Disks that are full or fail, and a process without free descriptors.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_testkit::Postgres;
use portcullis_tests::{Answer, Server, eventually, problem};

/// How soon everything works again after the cause is gone.
const RECOVERY: Duration = Duration::from_secs(10);

/// Puts the server's data on a disk of 16 MiB that nobody else sees and that is
/// gone with it. The server stays the child that was started.
const ON_A_SMALL_DISK: [&str; 6] = [
    "unshare",
    "-m",
    "sh",
    "-c",
    "mkdir -p data && mount -t tmpfs -o size=16m,mode=700 portcullis data && exec \"$@\"",
    "sh",
];

/// A file that takes all the room that a disk has, until it is dropped.
struct Filler(PathBuf);

impl Filler {
    fn of(folder: &Path) -> Self {
        let path = folder.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [1 << 20, 4_096] {
            while file.write(&vec![0; size]).is_ok_and(|written| written > 0) {}
        }
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

#[track_caller]
fn is_unavailable(answer: &Answer) {
    answer.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(answer.number("retry-after") >= 1, "{answer:?}");
}

fn did_not_panic(server: &Server) {
    assert!(!server.log().contains("panicked at"), "{}", server.log());
}

#[tokio::test]
async fn r_36_a_full_disk_under_sqlite_stops_writes_only_and_only_until_there_is_room() {
    let settings = [("DATABASE_URL", "sqlite://data/portcullis.db")];
    let server = Server::start_by(&ON_A_SMALL_DISK, &settings).await;
    let (anonymous, john) =
        (server.anonymous(), server.signed_up("johndoe", "j@example.com").await);
    let disk = PathBuf::from(format!("/proc/{}/root", server.pid()))
        .join(server.folder().strip_prefix("/").unwrap())
        .join("data");
    for round in 0..3 {
        let filler = Filler::of(&disk);
        // What room is left in files that are there is used up first.
        let mut acknowledged = Vec::new();
        let refused = loop {
            let email = format!("ann{round}-{}@example.com", acknowledged.len());
            let answer = anonymous.register(&email).await;
            if answer.status != 201 {
                is_unavailable(&answer);
                break email;
            }
            acknowledged.push(email);
            assert!(acknowledged.len() < 500, "the disk is not full");
        };
        john.me().await.is(200);
        anonymous.get("/.well-known/jwks.json").await.is(200);
        is_unavailable(&anonymous.log_in_by_form("johndoe", portcullis_tests::PASSWORD).await);
        is_unavailable(&john.patch_me(&serde_json::json!({"name": "Other"})).await);
        drop(filler);
        // What was refused has not happened, and what was not has.
        eventually("a write", RECOVERY, async || {
            let answer = anonymous.register(&refused).await;
            if answer.status == 503 {
                return None;
            }
            answer.is(201);
            Some(())
        })
        .await;
        for email in &acknowledged {
            anonymous.register(email).await.is_problem(problem::EMAIL_TAKEN);
        }
        john.is_alive().await;
        println!(
            "round {round}: {} writes before the disk was full, none lost",
            acknowledged.len()
        );
    }
    did_not_panic(&server);
}

fn settings_of(database: &str) -> [(&str, &str); 3] {
    [
        ("DATABASE_URL", database),
        ("SECRET_KEY", "canary-secret-that-all-instances-share"),
        ("BCRYPT_ROUNDS", "10"),
    ]
}

/// Asks for mails, one address after the other, until that fails. Returns the
/// addresses for which it was acknowledged.
async fn write_until_refused(server: &Server, name: &str) -> Vec<String> {
    let mut acknowledged = Vec::new();
    loop {
        let email = format!("{name}{}@example.com", acknowledged.len());
        let answer = server.anonymous().request_reset(&email).await;
        if answer.status != 200 {
            is_unavailable(&answer);
            return acknowledged;
        }
        acknowledged.push(email);
        assert!(acknowledged.len() < 5_000, "nothing is refused");
    }
}

/// Waits until writes work again, and insists that no acknowledged one is lost.
async fn nothing_was_lost(server: &Server, postgres: &Postgres, url: &str, written: &[String]) {
    let anonymous = server.anonymous();
    eventually("a write", RECOVERY, async || {
        let answer = anonymous.request_reset("later@example.com").await;
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(())
    })
    .await;
    let there = postgres.sql(url, "SELECT recipient FROM outbox");
    let there: std::collections::HashSet<&str> = there.lines().collect();
    let lost: Vec<_> = written.iter().filter(|email| !there.contains(email.as_str())).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), written.len());
}

#[tokio::test]
async fn r_36_a_full_disk_under_postgres_stops_writes_only_and_only_until_there_is_room() {
    let postgres = Postgres::start_on_disk(160, &["max_wal_size=32MB", "min_wal_size=32MB"]);
    let url = postgres.empty_database();
    let server = Server::start_with(&settings_of(&url)).await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let filler = Filler::of(&postgres.disk());
    let written = write_until_refused(&server, "ann").await;
    // Reads go on.
    john.me().await.is(200);
    server.anonymous().get("/health").await.is(200);
    drop(filler);
    nothing_was_lost(&server, &postgres, &url, &written).await;
    john.is_alive().await;
    println!("{} writes before the disk was full, none lost", written.len());
    did_not_panic(&server);
}

/// System calls of running processes that fail, until it is dropped.
struct Failing(Child);

impl Failing {
    /// Follows processes that are there; those that they start are left alone
    /// unless `children` says otherwise.
    fn calls(calls: &str, processes: &[String], children: bool) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-qq", "-o", "/dev/null", "-e"]).arg(format!("trace={calls}"));
        strace.arg("-e").arg(format!("inject={calls}:error=EIO"));
        strace.args(children.then_some("-f"));
        strace.args(processes.iter().flat_map(|process| ["-p", process]));
        let started = strace.stdin(Stdio::null()).spawn();
        Self(started.expect("these tests need strace: `apt-get install strace`"))
    }

    /// Waits until it has a hold of a process.
    async fn holds(&self, process: &str) {
        let status = format!("/proc/{process}/status");
        eventually("strace", Duration::from_secs(5), async || {
            // One that has ended was held: a call of its failed at once.
            let status = fs::read_to_string(&status).unwrap_or_default();
            (!status.contains("TracerPid:\t0")).then_some(())
        })
        .await;
    }
}

impl Drop for Failing {
    fn drop(&mut self) {
        // Asked to end, strace lets go of the processes.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        drop(asked.and_then(|_| self.0.wait()));
    }
}

#[tokio::test]
async fn r_38_a_postgres_that_cannot_sync_loses_nothing_that_was_acknowledged() {
    let postgres = Postgres::start(&["fsync=on", "wal_sync_method=fdatasync"]);
    let url = postgres.empty_database();
    let server = Server::start_with(&settings_of(&url)).await;
    let mut written = Vec::new();
    for round in 0..3 {
        server.anonymous().request_reset(&format!("before{round}@example.com")).await.is(200);
        written.push(format!("before{round}@example.com"));
        let processes = postgres.workers();
        let failing = Failing::calls("fsync,fdatasync", &processes, false);
        failing.holds(&processes[0]).await;
        written.extend(write_until_refused(&server, &format!("ann{round}-")).await);
        drop(failing);
        nothing_was_lost(&server, &postgres, &url, &written).await;
    }
    println!("3 panics of Postgres: {} acknowledged writes, none lost", written.len());
    did_not_panic(&server);
}

#[tokio::test]
async fn r_38_a_sqlite_that_cannot_sync_acknowledges_nothing() {
    let server = Server::start().await;
    let (anonymous, john) =
        (server.anonymous(), server.signed_up("johndoe", "j@example.com").await);
    let pid = server.pid().to_string();
    let failing = Failing::calls("fsync,fdatasync", std::slice::from_ref(&pid), true);
    failing.holds(&pid).await;
    let refused = eventually("a sync that fails", Duration::from_secs(5), async || {
        let answer = anonymous.register("ann@example.com").await;
        (answer.status != 201).then_some(answer)
    });
    is_unavailable(&refused.await);
    john.me().await.is(200);
    drop(failing);
    eventually("a write", RECOVERY, async || {
        let answer = anonymous.register("ann@example.com").await;
        (answer.status != 503).then(|| answer.is(201))
    })
    .await;
    john.is_alive().await;
    did_not_panic(&server);
}
