//! Replaces an earlier version by this one, under load.

#![expect(clippy::unwrap_used, reason = "a harness fails by panicking")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use portcullis_testkit::Postgres;
use portcullis_tests::deployment::{Deployment, LEFT_OUT};

const HELP: &str = "\
Replaces an earlier version by this one, under load: two instances of the earlier
one serve behind nginx, on one Postgres and one Redis, and are replaced in turn.
The first of this version lays its schema beside the other. It panics if a request
fails, or if a session of either version is not one of the other.

Usage: just upgrade <commit>            builds that commit's program first
       upgrade <path of a program>      with one that is there already

The program of this version is the one that PORTCULLIS_PROGRAM names.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [option] if option == "--help" || option == "-h" => println!("{HELP}"),
        [previous] if Path::new(previous).is_file() => replace(previous).await,
        _ => {
            eprintln!("one program is needed, that of an earlier version; see --help");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

async fn replace(previous: &str) {
    // Whoever starts the server appends this version's program, which is left out.
    let instead = "previous=$1; shift 2; exec \"$previous\" \"$@\"";
    let launcher = ["sh", "-c", instead, "sh", previous];
    let mut deployment = Deployment::start_by(&launcher).await;
    let before = migrations(&deployment);
    let load = deployment.load();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for number in [0, 1] {
        let [one, two] = &mut deployment.instances;
        let (replaced, other) = if number == 0 { (one, &*two) } else { (two, &*one) };
        assert_eq!(replaced.terminate().await.code(), Some(0), "{}", replaced.log());
        replaced.restart_by(&[]).await;
        tokio::time::sleep(LEFT_OUT).await;
        // Sessions of either are sessions of the other.
        let name = format!("new{number}");
        let opened = replaced.signed_up(&name, &format!("{name}@example.com")).await;
        opened.at(other).is_alive().await;
        opened.at(other).log_out().await.is(204);
        opened.at(replaced).users_me().await.is(401);
        let name = format!("other{number}");
        let opened = other.signed_up(&name, &format!("{name}@example.com")).await;
        opened.at(replaced).refreshed().await.at(other).is_alive().await;
        deployment.john.at(replaced).is_alive().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let (answered, slowest) = load.never_failed().await;
    let after = migrations(&deployment);
    println!(
        "from {before} to {after} migrations: {answered} requests, 0 failed, the slowest {slowest:?}"
    );
    assert!(after > before, "the earlier version has this schema");
    assert!(answered > 100, "{answered} requests only");
}

fn migrations(deployment: &Deployment) -> u32 {
    let sql = "SELECT count(*) FROM __diesel_schema_migrations";
    Postgres::shared().sql(&deployment.database, sql).trim().parse().unwrap()
}
