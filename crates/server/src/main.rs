//! The `portcullis` binary.

use std::process::ExitCode;

/// A request asks for memory in some hundred small pieces, which this one gives
/// faster than the system's (`docs/performance.md`, where the time of a read goes).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    portcullis_server::run()
}
