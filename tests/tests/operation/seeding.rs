//! `portcullis users seed`.

use std::io::{BufRead, BufReader};
use std::process::Output;
use std::time::Duration;

use portcullis_tests::{Outcome, eventually, problem};

use crate::site::{Site, send};

const PASSWORD: &str = "Correct-Horse-7";
const FIRST: &str = "adaeze.andersen.1";

fn seed(site: &Site, arguments: &[&str]) -> Outcome {
    site.run(&[&["users", "seed"], arguments].concat())
}

/// Insists on a summary; gives all that was said.
#[track_caller]
fn seeded(outcome: &Outcome, added: usize, already_there: usize) -> String {
    assert!(outcome.status.success(), "{}", outcome.said());
    let number = |heading: &str| -> usize {
        let line = outcome.stdout.lines().find_map(|line| line.strip_prefix(heading));
        line.unwrap_or_else(|| panic!("{heading}: {}", outcome.said()))
            .split_whitespace()
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let counts = (number("added"), number("already there"));
    assert_eq!(counts, (added, already_there), "{}", outcome.said());
    assert_eq!(outcome.stderr, "", "there is no terminal to show progress on");
    outcome.stdout.clone()
}

/// The password that was drawn.
fn told(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("password ")).expect(said);
    line.split_whitespace().next().unwrap().to_owned()
}

async fn demo_users_log_in(site: Site) {
    let password = told(&seeded(&seed(&site, &["--count", "1200"]), 1_200, 0));
    site.has_demo_users(1_200);
    let server = site.server().await;
    let address = format!("{FIRST}@demo.example.com");
    server.anonymous().log_in(&address, &password).await.is(200);
    server.anonymous().log_in_by_form(FIRST, &password).await.is(200);
    let user = server.logged_in_with(&address, &password).await;
    assert_eq!(user.me().await.str("/name"), "Adaeze Andersen");

    // Beside the server: whoever is there stays as they are.
    let other = told(&seeded(&seed(&site, &["--count", "1203"]), 3, 1_200));
    assert_ne!(other, password, "a password is drawn for each run");
    site.has_demo_users(1_203);
    server.anonymous().log_in(&address, &password).await.is(200);
    server.anonymous().log_in(&address, &other).await.is_problem(problem::BAD_LOGIN);
    assert!(!server.log().contains(&password), "the password is in the log");
}

#[tokio::test]
async fn demo_users_log_in_with_the_password_that_was_told_on_sqlite() {
    demo_users_log_in(Site::on_sqlite()).await;
}

#[tokio::test]
async fn demo_users_log_in_with_the_password_that_was_told_on_postgres() {
    demo_users_log_in(Site::on_postgres()).await;
}

#[tokio::test]
async fn a_password_of_ones_own_is_used_and_not_repeated() {
    let site = Site::on_sqlite().with("PASSWORD_POLICY", "composition");
    let said = seeded(&seed(&site, &["--count", "2", "--password", PASSWORD]), 2, 0);
    assert!(!said.contains(PASSWORD), "{said}");
    let server = site.server().await;
    server.anonymous().log_in_by_form(FIRST, PASSWORD).await.is(200);
}

#[test]
fn a_password_that_anybody_would_guess_is_refused_and_nobody_is_added() {
    let site = Site::on_sqlite();
    for weak in ["short", "password1", "TestPassword123 but much too long".repeat(40).as_str()] {
        let refused = seed(&site, &["--count", "2", "--password", weak]);
        assert!(!refused.status.success(), "{}", refused.said());
        assert!(refused.stderr.contains("--password"), "{}", refused.said());
    }
    assert_eq!(site.addresses(), Vec::<String>::new());
}

#[test]
fn a_count_that_makes_no_sense_is_refused() {
    let site = Site::on_sqlite();
    for count in ["0", "-1", "1.5", "many", "1000001"] {
        let refused = seed(&site, &["--count", count]);
        assert!(!refused.status.success(), "{}", refused.said());
        assert!(refused.stderr.contains("--count"), "{}", refused.said());
    }
    assert!(seed(&site, &[]).stderr.contains("--count"));
}

#[tokio::test]
async fn among_other_accounts_demo_users_are_added_only_when_somebody_insists() {
    let site = Site::on_sqlite();
    seeded(&seed(&site, &["--count", "3"]), 3, 0);
    let server = site.server().await;
    server.anonymous().register("ann@example.com").await.is(201);
    let refused = seed(&site, &["--count", "5"]);
    assert!(!refused.status.success(), "{}", refused.said());
    assert!(refused.stderr.contains("--yes"), "{}", refused.said());
    assert_eq!(refused.stdout, "", "a password is told for nothing");
    assert_eq!(site.addresses().len(), 4);
    seeded(&seed(&site, &["--count", "5", "--yes"]), 2, 3);
    assert_eq!(site.addresses().len(), 6);
}

#[tokio::test]
async fn somebody_who_has_a_demo_users_name_keeps_it() {
    let site = Site::on_sqlite();
    let server = site.server().await;
    server.signed_up(FIRST, "ada@example.com").await;
    let outcome = seed(&site, &["--count", "3", "--yes"]);
    let said = seeded(&outcome, 2, 0);
    assert!(said.contains("not added      1 "), "{said}");
    server.anonymous().log_in_by_form(FIRST, portcullis_tests::PASSWORD).await.is(200);
}

/// More than are added before somebody can kill it.
const MANY: usize = 60_000;

async fn a_killed_seeding_goes_on(site: Site) {
    let many = MANY.to_string();
    let arguments = ["users", "seed", "--count", &many, "--password", PASSWORD];
    let mut child = site.begun(&arguments);
    eventually("the first demo users", Duration::from_secs(20), async || {
        // The database may not be there yet. One line is enough: until all were
        // read, the seeding would be over.
        let mut export = site.begun(&["users", "export"]);
        let mut line = String::new();
        BufReader::new(export.stdout.take().unwrap()).read_line(&mut line).unwrap();
        export.kill().unwrap();
        export.wait().unwrap();
        (!line.is_empty()).then_some(())
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let first = site.addresses().len();
    assert!((1_000..MANY).contains(&first), "{first} are there");
    assert_eq!(first % 1_000, 0, "half a batch is there");
    seeded(&site.run(&arguments), MANY - first, first);
    site.has_demo_users(MANY);
}

#[tokio::test]
async fn a_seeding_that_was_killed_goes_on_when_it_is_repeated_on_sqlite() {
    a_killed_seeding_goes_on(Site::on_sqlite()).await;
}

#[tokio::test]
async fn a_seeding_that_was_killed_goes_on_when_it_is_repeated_on_postgres() {
    a_killed_seeding_goes_on(Site::on_postgres()).await;
}

#[tokio::test]
async fn a_seeding_that_is_asked_to_stop_ends_its_batch_and_says_how_to_go_on() {
    let site = Site::on_sqlite();
    let many = MANY.to_string();
    let arguments = ["users", "seed", "--count", &many, "--password", PASSWORD];
    let child = site.begun(&arguments);
    eventually("the first demo users", Duration::from_secs(20), async || {
        let exported = site.run(&["users", "export"]);
        (exported.status.success() && !exported.stdout.is_empty()).then_some(())
    })
    .await;
    send("-INT", &child);
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let said = String::from_utf8([stdout, stderr].concat()).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("as asked; what was added stays; run the same command again"), "{said}");
    let first = site.addresses().len();
    assert!(said.contains(&format!("added          {first}\n")), "{first}: {said}");
    seeded(&site.run(&arguments), MANY - first, first);
}

/// `script` is a terminal for the program; what is redirected does not reach it.
#[test]
fn a_terminal_shows_how_far_it_has_come_and_standard_output_stays_clean() {
    let site = Site::on_sqlite();
    let program = portcullis_tests::program();
    let command = format!("'{}' users seed --count 5000 > out.txt", program.display());
    let typescript = site.launched("script", &["-qec", &command, "/dev/null"]);
    let Output { status, stdout, .. } = typescript.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{shown}");
    for told in ["20 %", "1000 users", "100 %", "5000 users", "left"] {
        assert!(shown.contains(told), "{told:?} is not shown: {shown:?}");
    }
    let written = std::fs::read_to_string(site.folder().join("out.txt")).unwrap();
    assert!(written.contains("added          5000\n"), "{written}");
    assert!(!written.contains('\u{1b}') && !written.contains('%'), "{written:?}");
    assert!(!shown.contains(&told(&written)), "the password is shown twice");
}
