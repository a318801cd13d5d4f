//! The tour in the README works as it is written.

use std::path::Path;
use std::process::Command;

use portcullis_tests::Server;

const BEGIN: &str = "<!-- tour:begin -->";
const END: &str = "<!-- tour:end -->";

/// The commands between the marks: the insides of their fenced blocks.
fn commands(readme: &str) -> String {
    let (_, rest) = readme.split_once(BEGIN).expect("README.md has a line <!-- tour:begin -->");
    let (tour, _) = rest.split_once(END).expect("README.md has a line <!-- tour:end -->");
    let mut is_inside = false;
    let mut commands = String::new();
    for line in tour.lines() {
        if line.starts_with("```") {
            is_inside = !is_inside;
        } else if is_inside {
            commands += line;
            commands.push('\n');
        }
    }
    commands
}

#[tokio::test]
async fn the_tour_of_the_readme_works_as_it_is_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(path).expect("there is a README.md");
    let server = Server::start_with(&[("PUBLIC_URL", "http://127.0.0.1:{port}")]).await;
    let script = commands(&readme).replace("http://localhost:8000", &server.url());
    assert!(script.contains("curl"), "the tour has no commands: {script:?}");
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .output()
        .expect("install it: apt-get install bash");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}\n{errors}\n{}", server.log());
    for documented in [
        "Registration successful. Please check your email to verify your account.",
        "Email verified successfully",
        "\"token_type\":\"bearer\"",
        "Successfully logged out",
    ] {
        // The tour may print its answers in one line or laid out.
        let found = said.contains(documented) || said.contains(&documented.replace(':', ": "));
        assert!(found, "{documented} is missing:\n{said}\n{errors}");
    }
}
