//! What a stranger reads in the `OpenAPI` document is what the server does.

use std::process::Command;

use portcullis_tests::{LoggedIn, Server};

/// Contract A refuses well-formed credentials and tokens with 400, bytes that are
/// no picture are refused with 415, and the limits of bodies and requests refuse
/// what no schema can describe.
const CONFIGURATION: &str = r#"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 415, 422]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 413, 415, 422]
"#;

/// Lets Schemathesis loose on the operations that its selection names; returns
/// what it reports.
fn explore(server: &Server, caller: &LoggedIn, selection: &[&str]) -> String {
    let program = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let configuration = server.folder().join("schemathesis.toml");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let output = Command::new(&program)
        .arg("--config-file")
        .arg(&configuration)
        .arg("run")
        .arg(format!("{}/openapi.json", server.url()))
        .args(["--checks", "all", "--seed", "1", "--workers", "2"])
        .args(["--request-timeout", "10", "--no-color"])
        .arg("--header")
        .arg(format!("Authorization: Bearer {}", caller.access))
        .args(selection)
        .current_dir(server.folder())
        .output()
        .unwrap_or_else(|error| {
            panic!("{program} does not start ({error}); install it: pip install schemathesis")
        });
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Somebody who is logged in at a server that locks nobody out.
async fn served() -> (Server, LoggedIn) {
    let settings = [
        ("LOCKOUT_THRESHOLD", "100000"),
        ("LOCKOUT_ACCOUNT_THRESHOLD", "100000"),
        ("OBJECT_STORE_URL", "file:objects"),
    ];
    let server = Server::start_with(&settings).await;
    let ann = server.logged_in("ann@example.com").await;
    (server, ann)
}

/// Ending the session would end the rest; what this deployment does not offer is
/// not there.
const APART: [&str; 2] =
    ["--exclude-path-regex", "logout$|/auth/firebase$|/me/devices/|/purchases"];

/// All that needs no memory of an earlier request.
const SINGLE: [&str; 4] = ["--phases", "examples,coverage,fuzzing", "--max-examples", "60"];

#[tokio::test]
async fn hd_08_the_document_and_the_server_agree() {
    let (server, ann) = served().await;
    explore(&server, &ann, &[SINGLE.as_slice(), &APART].concat());
    ann.me().await.is(200);
}

#[tokio::test]
async fn hd_08_the_document_and_the_server_agree_about_logging_out() {
    // Apart from the rest, which needs the session to live.
    let (server, ann) = served().await;
    explore(&server, &ann, &[&SINGLE[..], &["--include-path-regex", "logout$"]].concat());
}

/// The links of the document: from a registration to its mail and its login, from
/// a session to its refreshes.
#[tokio::test]
async fn hd_08_what_follows_from_an_answer_is_what_the_document_says() {
    let (server, ann) = served().await;
    let stateful = ["--phases", "stateful", "--max-examples", "150"];
    let report = explore(&server, &ann, &[stateful.as_slice(), &APART].concat());
    let links = report.lines().find(|line| line.contains("API Links:"));
    let links = links.unwrap_or_else(|| panic!("no links are told of: {report}"));
    println!("{}", links.trim());
    assert!(!links.contains(" 0 covered") && !links.contains(" 0 selected"), "{links}");
    ann.me().await.is(200);
}
