//! The commands of the program.

use portcullis_tests::{Server, run};

#[test]
fn help_names_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(folder.path(), &["--help"], &[]);
    assert!(outcome.status.success(), "{}", outcome.said());
    for command in
        ["serve", "migrate", "openapi", "config", "doctor", "keys", "healthcheck", "users"]
    {
        assert!(outcome.stdout.contains(command), "{command} is missing: {}", outcome.stdout);
    }
}

#[test]
fn an_unknown_command_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(!run(folder.path(), &["frobnicate"], &[]).status.success());
}

#[test]
fn migrating_makes_the_database_and_may_be_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let outcome = run(folder.path(), &["migrate"], &[]);
        assert!(outcome.status.success(), "{}", outcome.said());
    }
    assert!(folder.path().join("data/portcullis.db").is_file());
}

#[tokio::test]
async fn a_healthy_server_is_found_healthy() {
    let server = Server::start().await;
    let port = server.port().to_string();
    let outcome = run(server.folder(), &["healthcheck"], &[("PORT", &port)]);
    assert!(outcome.status.success(), "{}", outcome.said());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_not_healthy() {
    let mut server = Server::start().await;
    server.kill();
    let port = server.port().to_string();
    let outcome = run(server.folder(), &["healthcheck"], &[("PORT", &port)]);
    assert!(!outcome.status.success(), "{}", outcome.said());
}

#[test]
fn the_document_needs_no_settings_and_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = run(folder.path(), &["openapi"], &[]);
    assert!(outcome.status.success(), "{}", outcome.said());
    assert!(outcome.stdout.trim_start().starts_with('{'), "{}", outcome.stdout);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it leaves something behind");
}

#[tokio::test]
async fn r_37_a_log_reader_that_is_gone_takes_nothing_along() {
    let mut server = Server::start().await;
    server.restart_unread().await;
    for _ in 0..5 {
        server.anonymous().get("/health").await.is(200);
    }
    assert!(server.terminate().await.success());
}
