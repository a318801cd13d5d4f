//! Background jobs: ordered, carried out, cut off, given up.

use std::time::Duration;

use portcullis_tests::{Server, eventually, problem};

use crate::site::Site;

const PASSWORD: &str = "Correct-Horse-7";
/// How long a server may take to begin a job, and to end a small one.
const SOON: Duration = Duration::from_secs(10);
/// How long it may take to end a large one.
const LATER: Duration = Duration::from_mins(1);
/// More than are added before somebody can stop a server.
const MANY: usize = 60_000;

const OPEN: &str = "SELECT count(*) FROM jobs WHERE settled_at IS NULL";

fn order(site: &Site, count: usize) -> String {
    let count = count.to_string();
    let arguments = ["users", "seed", "--count", &count, "--password", PASSWORD, "--in-background"];
    let said = site.done(&arguments);
    let id = said.lines().find_map(|line| line.strip_prefix("job "));
    id.expect(&said).trim().to_owned()
}

/// Waits until all jobs are done.
async fn all_is_done(site: &Site, within: Duration) {
    eventually("the end of all jobs", within, async || {
        (site.done(&["jobs", "list", "--pending"]).trim() == "no job is waiting").then_some(())
    })
    .await;
}

/// A server in the middle of a large order.
async fn at_work(site: &Site) -> Server {
    let server = site.server().await;
    order(site, MANY);
    eventually("the first demo users", SOON, async || (site.count() > 0).then_some(())).await;
    server
}

/// How many demo users are left in the one order, as it was noted.
fn left(site: &Site) -> usize {
    site.sql("SELECT split_part(payload, ' ', 2) FROM jobs").parse().unwrap()
}

async fn a_running_server_adds_what_was_ordered(site: Site) {
    let id = order(&site, 2_500);
    assert!(site.addresses().is_empty(), "it was not left to a server");
    let pending = site.done(&["jobs", "list", "--pending"]);
    assert!(pending.contains(&id), "{pending}");
    assert!(pending.contains("2500 demo users from number 1"), "{pending}");
    let server = site.server().await;
    all_is_done(&site, SOON).await;
    site.has_demo_users(2_500);
    server.anonymous().log_in("adaeze.andersen.1@demo.example.com", PASSWORD).await.is(200);
    assert_eq!(site.done(&["jobs", "list"]).trim(), "no job was given up");
}

#[tokio::test]
async fn a_running_server_adds_demo_users_that_were_ordered_on_sqlite() {
    a_running_server_adds_what_was_ordered(Site::on_sqlite()).await;
}

#[tokio::test]
async fn a_running_server_adds_demo_users_that_were_ordered_on_postgres() {
    a_running_server_adds_what_was_ordered(Site::on_postgres()).await;
}

#[tokio::test]
async fn a_killed_servers_job_is_taken_over_where_it_was_once_its_lease_ends() {
    let site = Site::on_postgres();
    let mut first = at_work(&site).await;
    first.kill();
    let there = site.count();
    assert!(there < MANY, "it was done already");
    assert_eq!(there % 1_000, 0, "half a step is there");
    let noted = MANY - left(&site);
    assert!(noted == there || noted + 1_000 == there, "{noted} were noted, {there} are there");

    let second = site.server().await;
    let held = "SELECT due_at - now() BETWEEN interval '30 s' AND interval '1 min' FROM jobs";
    assert_eq!(site.sql(held), "t", "the lease is not a minute");
    assert_eq!(site.count(), there, "a leased job was taken");
    // The lease ends; waiting for that would take too long.
    site.sql("UPDATE jobs SET due_at = now()");
    all_is_done(&site, LATER).await;
    site.has_demo_users(MANY);
    assert_eq!(site.sql("SELECT attempts FROM jobs"), "2");
    second.anonymous().log_in("adaeze.andersen.1@demo.example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_gives_its_job_back_as_far_as_it_has_come() {
    let site = Site::on_postgres();
    let mut first = at_work(&site).await;
    assert_eq!(first.terminate().await.code(), Some(0), "{}", first.log());
    let there = site.count();
    assert!(there < MANY, "it was done already");
    assert_eq!(left(&site), MANY - there, "not all that is done was noted");
    assert_eq!(site.sql("SELECT attempts, due_at <= now() FROM jobs"), "0|t", "it is held");
    let _second = site.server().await;
    all_is_done(&site, LATER).await;
    site.has_demo_users(MANY);
}

#[tokio::test]
async fn two_instances_do_each_job_once() {
    let site = Site::on_postgres();
    let (here, there) = tokio::join!(site.server(), site.server());
    site.sql(
        "INSERT INTO jobs (id, kind, payload, created_at, attempts, due_at)
         SELECT gen_random_uuid(), 'seed_users', (n * 50 + 1) || ' 50 !', now(), 0, now()
         FROM generate_series(0, 59) AS n",
    );
    eventually("the end of all jobs", LATER, async || (site.sql(OPEN) == "0").then_some(())).await;
    site.has_demo_users(3_000);
    assert_eq!(site.sql("SELECT max(attempts) FROM jobs"), "1", "a job was done twice");
    drop((here, there));
}

#[tokio::test]
async fn of_several_instances_one_adds_the_demo_users_of_each_ten_seconds() {
    let site = Site::on_postgres().with("SEEDING_USER_COUNT", "3");
    let (here, there) = tokio::join!(site.server(), site.server());
    assert!(here.log().contains("not for production"), "{}", here.log());
    // Two times ten seconds begin within twenty.
    eventually("the demo users of two times", Duration::from_secs(25), async || {
        (site.count() >= 6 && site.sql(OPEN) == "0").then_some(())
    })
    .await;
    drop((here, there));
    let jobs = "SELECT count(*), count(DISTINCT key), max(attempts) FROM jobs
         WHERE settled_at IS NOT NULL";
    let done = site.count() / 3;
    assert_eq!(site.sql(jobs), format!("{done}|{done}|1"));
    let with_password = "SELECT count(*) FROM users WHERE password_hash <> '!'";
    assert_eq!(site.sql(with_password), "0");
    let unasked = Site::on_postgres();
    let calm = unasked.server().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(unasked.sql("SELECT count(*) FROM jobs"), "0", "{}", calm.log());
    assert_eq!(unasked.count(), 0, "{}", calm.log());
}

#[tokio::test]
async fn a_job_that_was_given_up_is_listed_with_its_reason_and_done_when_told_so() {
    let site = Site::on_postgres();
    let server = site.server().await;
    let id = "7d5f0a3c-6f0e-4a43-9d0e-0f2a6a1d2b3c";
    site.sql(&format!(
        "INSERT INTO jobs (id, kind, payload, created_at, attempts, due_at)
         VALUES ('{id}', 'make_coffee', 'black', now() - interval '2 days', 0, now())"
    ));
    let line = eventually("a job that was given up", SOON, async || {
        let listed = site.done(&["jobs", "list"]);
        listed.lines().find(|line| line.contains(id)).map(str::to_owned)
    })
    .await;
    assert!(line.contains("make_coffee") && line.contains("newer version"), "{line}");
    eventually("a warning", SOON, async || {
        server.log().contains("portcullis jobs list").then_some(())
    })
    .await;

    let unknown = site.run(&["jobs", "retry", "00000000-0000-0000-0000-000000000000"]);
    assert!(!unknown.status.success(), "{}", unknown.said());
    // As if the newer version ran now.
    site.sql("UPDATE jobs SET kind = 'seed_users', payload = '1 5 !'");
    let retried = site.done(&["jobs", "retry", "--all"]);
    assert!(retried.contains("1 due again"), "{retried}");
    all_is_done(&site, SOON).await;
    site.has_demo_users(5);
    assert_eq!(site.done(&["jobs", "list"]).trim(), "no job was given up");
    assert!(!site.run(&["jobs", "retry", id]).status.success(), "it is done, and due again");
    let refused = server.anonymous().log_in("adaeze.andersen.1@demo.example.com", PASSWORD).await;
    refused.is_problem(problem::BAD_LOGIN);
}
