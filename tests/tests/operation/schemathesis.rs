//! What a stranger reads in the `OpenAPI` document is what the server does.

use std::process::Command;

use portcullis_tests::{LoggedIn, Server};

/// Contract A refuses well-formed credentials and tokens with 400, and the
/// limits of bodies and requests refuse what no schema can describe.
const CONFIGURATION: &str = r#"
[checks]
positive_data_acceptance.expected-statuses = ["2xx", 400, 401, 403, 404, 422]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 413, 415, 422]
"#;

/// Lets Schemathesis loose on the operations that its selection names.
fn explore(server: &Server, caller: &LoggedIn, selection: &[&str]) {
    let program = std::env::var("SCHEMATHESIS").unwrap_or_else(|_| "schemathesis".to_owned());
    let configuration = server.folder().join("schemathesis.toml");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let output = Command::new(&program)
        .arg("--config-file")
        .arg(&configuration)
        .arg("run")
        .arg(format!("{}/openapi.json", server.url()))
        .args(["--checks", "all", "--max-examples", "60", "--seed", "1", "--workers", "2"])
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
}

#[tokio::test]
async fn hd_08_the_document_and_the_server_agree() {
    let server = Server::start_with(&[
        ("LOCKOUT_THRESHOLD", "100000"),
        ("LOCKOUT_ACCOUNT_THRESHOLD", "100000"),
    ])
    .await;
    let ann = server.logged_in("ann@example.com").await;
    explore(&server, &ann, &["--exclude-path-regex", "logout$"]);
    ann.me().await.is(200);
}

#[tokio::test]
async fn hd_08_the_document_and_the_server_agree_about_logging_out() {
    // Apart from the rest, which needs the session to live.
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    explore(&server, &ann, &["--include-path-regex", "logout$"]);
}
