//! The program itself, and its commands that end by themselves.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long a command may take that should end by itself.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the program is: `PORTCULLIS_PROGRAM` if that is set, else beside the
/// folder of the test programs.
#[must_use]
pub fn program() -> PathBuf {
    let named = std::env::var_os("PORTCULLIS_PROGRAM").map(PathBuf::from);
    let program = named.unwrap_or_else(|| {
        let test = std::env::current_exe().unwrap();
        test.parent().unwrap().parent().unwrap().join("portcullis")
    });
    let program = program.canonicalize().unwrap_or(program);
    assert!(program.is_file(), "{} is missing; build it first: cargo build", program.display());
    program
}

/// The program, about to start in a folder with only this environment, by a
/// launcher if there is one.
pub(crate) fn command(
    folder: &Path,
    launcher: &[String],
    environment: &[(String, String)],
) -> Command {
    let mut command = match launcher {
        [] => Command::new(program()),
        [launcher, arguments @ ..] => {
            let mut command = Command::new(launcher);
            command.args(arguments).arg(program());
            command
        }
    };
    command.current_dir(folder).stdin(Stdio::null()).env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Outcome {
    /// Everything it wrote.
    #[must_use]
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// Runs a command of the program to its end, in a folder and with only this
/// environment.
#[must_use]
pub fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let environment: Vec<_> = owned(environment);
    let (mut stdout, mut stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
    let mut child = command(folder, &[], &environment)
        .args(arguments)
        .stdout(stdout.try_clone().unwrap())
        .stderr(stderr.try_clone().unwrap())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > DEADLINE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("portcullis {arguments:?} did not end:\n{}", read(&mut stderr));
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Outcome { status, stdout: read(&mut stdout), stderr: read(&mut stderr) }
}

pub(crate) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(file: &mut std::fs::File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
