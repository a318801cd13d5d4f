//! Servers as child processes that end when their owner does.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server process and its folder; both are gone when this is.
///
/// The server hangs on a pipe whose other end is ours: should this process be
/// killed, the pipe closes and the server ends all the same.
#[derive(Debug)]
pub(crate) struct Server {
    supervisor: Child,
    program: PathBuf,
    arguments: Vec<String>,
    folder: TempDir,
}

/// Waits for our end of the pipe to close, then ends the server at once. A
/// server that was stopped by a signal must go on to hear of its end. Unless it
/// was told that the folder is still needed, it takes that along: a test process
/// that ends by itself drops no statics.
const SUPERVISE: &str = r#""$@" </dev/null & server=$!; read -r word
    pkill -CONT -P $server; kill -CONT $server 2>/dev/null; kill -QUIT $server 2>/dev/null
    sleep 0.2; kill -KILL $server 2>/dev/null; wait; [ "$word" = keep ] || rm -rf "$0""#;

impl Server {
    /// Starts a program in a folder of its own.
    pub(crate) fn spawn(folder: TempDir, program: &Path, arguments: &[String]) -> Self {
        let supervisor = supervise(folder.path(), program, arguments);
        Self { supervisor, program: program.to_owned(), arguments: arguments.to_vec(), folder }
    }

    /// The same, as who we are, with the folder as its home: somebody else's
    /// program may lie where nobody else may look. The folder is not given away.
    pub(crate) fn spawn_as_ourselves(
        folder: TempDir,
        program: &Path,
        arguments: &[String],
        environment: &[(&str, &Path)],
    ) -> Self {
        let home = folder.path();
        let mut command = supervised(home, program, arguments);
        command.current_dir(home).env("HOME", home).envs(environment.iter().copied());
        let supervisor = command.spawn().unwrap();
        Self { supervisor, program: program.to_owned(), arguments: arguments.to_vec(), folder }
    }

    /// The same, as root, with the folder on a disk of its own of so many
    /// mebibytes, in memory, which others see by [`Server::disk`] only. It holds
    /// what the folder held, and is gone with the server.
    pub(crate) fn spawn_on_disk(
        folder: TempDir,
        size: u32,
        program: &Path,
        arguments: &[String],
    ) -> Self {
        let supervisor = supervise_on_disk(folder.path(), size, program, arguments);
        Self { supervisor, program: program.to_owned(), arguments: arguments.to_vec(), folder }
    }

    /// The folder as the server sees it.
    pub(crate) fn disk(&self) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.supervisor.id()));
        root.join(self.folder.path().strip_prefix("/").unwrap())
    }

    /// The ids of the processes that the server itself has started.
    pub(crate) fn children(&self) -> Vec<String> {
        children(&self.supervisor.id().to_string()).iter().flat_map(|one| children(one)).collect()
    }

    /// Starts it again where it has been.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        self.supervisor = supervise(self.folder.path(), &self.program, &self.arguments);
    }

    /// Waits until `answers` says that it does.
    pub(crate) fn wait_until(&mut self, answers: impl Fn() -> bool) {
        let started = Instant::now();
        while !answers() {
            if let Some(status) = self.supervisor.try_wait().unwrap() {
                panic!("a server ended ({status}):\n{}", self.log());
            }
            assert!(started.elapsed() < PATIENCE, "a server does not answer:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has said so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Sends the server and all processes that it has started a signal, parents
    /// first: one that stands still starts no others.
    pub(crate) fn signal(&self, name: &str) {
        let mut parents = children(&self.supervisor.id().to_string());
        while !parents.is_empty() {
            // One that ended meanwhile needs no signal.
            let _ = Command::new("kill").arg(format!("-{name}")).args(&parents).output().unwrap();
            parents = parents.iter().flat_map(|parent| children(parent)).collect();
        }
    }

    /// Sends the server alone a signal that ends it, and waits until it and all
    /// that it has started are gone. [`Self::start_again`] brings it back.
    pub(crate) fn end_by(&self, name: &str) {
        let server = children(&self.supervisor.id().to_string());
        let mut all = server.clone();
        all.extend(server.iter().flat_map(|server| children(server)));
        run(Command::new("kill").arg(format!("-{name}")).args(&server));
        until("a server that was told to end is gone", || all.iter().all(|id| !is_running(id)));
    }

    /// Stops the server without a goodbye, and waits for its end.
    pub(crate) fn stop(&mut self) {
        if let Some(mut pipe) = self.supervisor.stdin.take() {
            // It may have ended already.
            let _ = pipe.write_all(b"keep\n");
        }
        self.supervisor.wait().unwrap();
    }
}

/// The ids of the processes that a process has started; often none.
fn children(parent: &str) -> Vec<String> {
    let output = Command::new("pgrep").args(["-P", parent]).output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Whether there is such a process that has not ended.
fn is_running(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn supervise(folder: &Path, program: &Path, arguments: &[String]) -> Child {
    let mut command = supervised(folder, program, arguments);
    unprivileged(&mut command).current_dir("/");
    command.spawn().unwrap()
}

/// A program that ends when our end of its pipe does; what it says is written to
/// its folder.
fn supervised(folder: &Path, program: &Path, arguments: &[String]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", SUPERVISE]).arg(folder).arg(program).args(arguments);
    logged(&mut command, folder);
    command
}

fn logged(command: &mut Command, folder: &Path) {
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
}

/// Mounts a disk over the folder, then gives up being root.
const ON_DISK: &str = r#"folder=$0; size=$1; user=$2; group=$3; shift 3
    seed=$(mktemp -d) && cp -a "$folder/." "$seed" &&
    mount -t tmpfs -o "size=${size}m,mode=700,uid=$user,gid=$group" tmpfs "$folder" &&
    cp -a "$seed/." "$folder" && rm -rf "$seed" &&
    exec setpriv --reuid "$user" --regid "$group" --clear-groups "$@""#;

fn supervise_on_disk(folder: &Path, size: u32, program: &Path, arguments: &[String]) -> Child {
    let (user, group) = somebody_else()
        .expect("a disk of its own needs root, or a user who may mount in a namespace");
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", ON_DISK]).arg(folder);
    command.args([size, user, group].map(|number| number.to_string()));
    command.args(["sh", "-c", SUPERVISE]).arg(folder).arg(program).args(arguments);
    logged(&mut command, folder);
    command.current_dir("/").spawn().unwrap()
}

/// Waits for a condition that servers bring about between them.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A folder that the server's user may write to; in memory where there is one.
pub(crate) fn folder(name: &str) -> TempDir {
    let shared_memory = Path::new("/dev/shm");
    let parent =
        if shared_memory.is_dir() { shared_memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::Builder::new().prefix(name).tempdir_in(parent).unwrap();
    give_away(folder.path());
    folder
}

/// Gives a file or folder to the user as whom servers run.
pub(crate) fn give_away(path: &Path) {
    if let Some((user, group)) = somebody_else() {
        chown(path, Some(user), Some(group)).unwrap();
    }
}

/// Copies a file into a server's folder, for that server's eyes only; returns
/// where it is.
pub(crate) fn lend(folder: &Path, file: &Path) -> PathBuf {
    let copy = folder.join(file.file_name().unwrap());
    std::fs::copy(file, &copy).unwrap();
    std::fs::set_permissions(&copy, Permissions::from_mode(0o600)).unwrap();
    give_away(&copy);
    copy
}

/// Servers of databases refuse to run as root, and none needs to.
pub(crate) fn unprivileged(command: &mut Command) -> &mut Command {
    if let Some((user, group)) = somebody_else() {
        command.uid(user).gid(group);
    }
    command
}

/// Whom to be instead of root: the user of the Postgres package, or nobody.
fn somebody_else() -> Option<(u32, u32)> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    if uid.split_whitespace().nth(1) != Some("0") {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let entry = |name: &str| users.lines().find(|line| line.starts_with(&format!("{name}:")));
    let entry = entry("postgres").or_else(|| entry("nobody"))?;
    let mut fields = entry.split(':').skip(2).map(|field| field.parse().unwrap());
    Some((fields.next()?, fields.next()?))
}

/// Finds a server's program, or says which package has it.
pub(crate) fn program(name: &str, elsewhere: &[PathBuf], package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = elsewhere.to_vec();
    folders.extend(std::env::split_paths(&path));
    folders.extend(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let found = folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("these tests need {name}: install it with `apt-get install {package}`")
    })
}

/// Runs a program to its end; fails with what it said.
pub(crate) fn run(command: &mut Command) -> String {
    let output = match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => panic!("{command:?} is missing"),
        output => output.unwrap(),
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_a_server_that_ran_as_ourselves() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        let arguments = ["-c", "pwd; echo $HOME $WORD; exec sleep 600"].map(str::to_owned);
        let word = [("WORD", Path::new("word"))];
        let server = Server::spawn_as_ourselves(folder, Path::new("sh"), &arguments, &word);
        let said = format!("{0}\n{0} word\n", home.display());
        until("it says where it is", || server.log() == said);
        let processes = children(&server.supervisor.id().to_string());
        assert!(!processes.is_empty() && processes.iter().all(|id| is_running(id)));
        drop(server);
        assert!(!processes.iter().any(|id| is_running(id)) && !home.exists());
    }
}
