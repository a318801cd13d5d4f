//! Rotel, a collector of traces that others wrote.

use super::Emulator;
use crate::held_port::HeldPort;

/// A collector that tells what it understood, and passes nothing on: its binary comes
/// in the wheel `rotel`.
pub struct Rotel {
    emulator: Emulator,
    /// It also listens for gRPC, wanted or not.
    _grpc: HeldPort,
}

impl Rotel {
    /// Starts the program that `ROTEL` names, or `rotel-agent` of the path.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start() -> Self {
        let grpc = HeldPort::reserve();
        let grpc_address = grpc.address().to_string();
        let arguments = [
            "start",
            "--otlp-http-endpoint",
            "{address}",
            "--otlp-grpc-endpoint",
            &grpc_address,
            "--exporter",
            "blackhole",
            "--disable-batching",
            "--debug-log",
            "traces",
            "--debug-log-verbosity",
            "detailed",
        ];
        Self { emulator: Emulator::start("ROTEL", "rotel-agent", "rotel", &arguments), _grpc: grpc }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.emulator.url()
    }

    /// The spans that it understood, as it writes them down: `(name, value)` line by
    /// line, without their indentation.
    #[must_use]
    pub fn understood(&self) -> Vec<(String, String)> {
        let log = self.emulator.server.log();
        let pairs = log.lines().filter_map(|line| line.split_once(':'));
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
    }
}
