//! Ending a process right before its n-th system call that changes something.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crashes/shim.c");

/// The library that counts, compiled once.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let library = folder.join("crash-point.so");
        // Another run may be using the one that is there.
        let made = folder.join(format!("crash-point-{}.so", std::process::id()));
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&made).arg(SOURCE);
        let output = compiler.arg("-ldl").output();
        let output = output.expect("these tests need cc: `apt-get install gcc libc6-dev`");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::rename(&made, &library).unwrap();
        library
    })
}

/// The counter of one process.
#[derive(Debug)]
pub(crate) struct CrashPoint(tempfile::NamedTempFile);

impl CrashPoint {
    pub(crate) fn new() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), 0_i64.to_ne_bytes()).unwrap();
        Self(file)
    }

    /// The settings of a process that is to end at this point.
    pub(crate) fn settings(&self) -> [(&'static str, String); 2] {
        let path = |path: &Path| path.display().to_string();
        [("LD_PRELOAD", path(library())), ("CRASH_POINT", path(self.0.path()))]
    }

    /// From now on so many calls are counted; before the last of them the process
    /// ends. None: nothing is counted.
    pub(crate) fn set(&self, calls: i64) {
        self.0.as_file().write_all_at(&calls.to_ne_bytes(), 0).unwrap();
    }

    /// How many calls are left.
    pub(crate) fn left(&self) -> i64 {
        let mut bytes = [0; 8];
        self.0.as_file().read_exact_at(&mut bytes, 0).unwrap();
        i64::from_ne_bytes(bytes)
    }
}
