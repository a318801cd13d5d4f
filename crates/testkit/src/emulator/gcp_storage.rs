//! gcp-storage-emulator, which stands in for Google Cloud Storage, too.

use super::Emulator;

/// Google Cloud Storage as `pip install gcp-storage-emulator` offers it.
pub struct GcpStorageEmulator(Emulator);

impl GcpStorageEmulator {
    /// Starts the program that `GCP_STORAGE_EMULATOR` names, or
    /// `gcp-storage-emulator` of the path.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start() -> Self {
        let arguments = ["start", "--host=127.0.0.1", "--port={port}", "--in-memory"];
        let name = "gcp-storage-emulator";
        Self(Emulator::start("GCP_STORAGE_EMULATOR", name, name, &arguments))
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str) {
        let json = "content-type: application/json\r\n";
        let body = format!("{{\"name\":\"{name}\"}}");
        self.0.request("POST /storage/v1/b?project=demo", json, &body);
    }
}
