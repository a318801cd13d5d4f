//! Somebody else's issuer of signed tokens.

use serde_json::{Value, json};

use super::Emulator;
use super::script::script;
use crate::held_port::HeldPort;

/// `oauth2-mock-server`: it makes keys, publishes them as a JSON Web Key Set, and
/// signs whatever claims it is given.
pub struct TokenIssuer(Emulator);

impl TokenIssuer {
    /// Starts one on a free loopback port, without a key.
    ///
    /// # Panics
    /// When it is not installed.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("issuer.mjs");
        std::fs::write(&own, include_str!("issuer.mjs")).unwrap();
        // The library lies beside the program.
        let library =
            script("OAUTH2_MOCK_SERVER", "oauth2-mock-server").with_file_name("index.mjs");
        let arguments = [library.to_str().unwrap(), "{port}"];
        Self(Emulator::start_script(
            folder,
            HeldPort::reserve(),
            "oauth2-mock-server",
            &own,
            &arguments,
        ))
    }

    /// Where its keys are.
    #[must_use]
    pub fn keys_url(&self) -> String {
        format!("{}/jwks", self.0.url())
    }

    /// Makes a key and publishes it beside those that it has.
    ///
    /// # Panics
    /// When it does not know the algorithm.
    pub fn add_key(&self, algorithm: &str, id: &str) {
        self.0.post("/keys", &json!({"alg": algorithm, "kid": id}));
    }

    /// A token with these claims and no others, signed by the key of that name.
    ///
    /// # Panics
    /// When there is no such key.
    #[must_use]
    pub fn mint(&self, key_id: &str, claims: &Value) -> String {
        self.0.post("/mint", &json!({"kid": key_id, "claims": claims}))
    }
}
