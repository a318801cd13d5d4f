//! Google's own emulator of Firebase Authentication.

use serde_json::{Value, json};

use super::Emulator;
use super::script::script;
use crate::held_port::HeldPort;
use crate::port::free_port;

/// The Authentication emulator of `firebase-tools`: no login, no download, and
/// tokens that nobody signed. Whoever bears `owner` or anything that begins with
/// `ya29.` administers the project for which it is started, `demo-portcullis`.
pub struct FirebaseEmulator(Emulator);

impl FirebaseEmulator {
    /// Starts one on free loopback ports. This takes some ten seconds.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), HeldPort::reserve());
        let at = |port: u16| json!({"host": "127.0.0.1", "port": port});
        let settings = json!({"emulators": {
            "auth": at(port.address().port()),
            "hub": at(free_port()),
            "logging": at(free_port()),
            "ui": {"enabled": false},
            "singleProjectMode": false
        }});
        std::fs::write(folder.path().join("firebase.json"), settings.to_string()).unwrap();
        let arguments = ["emulators:start", "--only", "auth", "--project", "demo-portcullis"];
        let program = script("FIREBASE", "firebase");
        Self(Emulator::start_script(folder, port, "firebase-tools", &program, &arguments))
    }

    /// Where it is: `127.0.0.1:…`, as `FIREBASE_AUTH_EMULATOR_HOST` names it.
    #[must_use]
    pub fn host(&self) -> String {
        self.0.address().to_string()
    }

    /// Asks it as the administrator of a project would, for what no port offers
    /// (`accounts:update`).
    ///
    /// # Panics
    /// When it refuses.
    #[must_use]
    pub fn as_admin(&self, project: &str, method: &str, body: &Value) -> Value {
        let path = format!("/identitytoolkit.googleapis.com/v1/projects/{project}/{method}");
        serde_json::from_str(&self.0.post(&path, body)).unwrap()
    }

    /// Asks it as an app would, for example to sign somebody in
    /// (`signInWithPassword`).
    ///
    /// # Panics
    /// When it refuses.
    #[must_use]
    pub fn as_app(&self, method: &str, body: &Value) -> Value {
        let path = format!("/identitytoolkit.googleapis.com/v1/accounts:{method}?key=demo");
        serde_json::from_str(&self.0.post(&path, body)).unwrap()
    }
}
