//! Runs simulators until it is stopped, and prints the settings that lead to them.

#![expect(clippy::unwrap_used, reason = "a test service fails by panicking")]

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use portcullis_simulators::app_store::{AppStore, Purchase};
use portcullis_simulators::google::{Bearers, Device, Messaging, RsaKey, TokenEndpoint};
use portcullis_simulators::{Service, Simulator};

const PROJECT: &str = "demo-portcullis";
const CLIENT: &str = "server@demo-portcullis.iam.gserviceaccount.com";
const BUNDLE: &str = "com.example.app";
const APP: i64 = 1_234;
/// The highest port after which there are two more.
const LAST_PORT: i64 = 65_533;
const DEVICE: &str = "simulated-device";
const PURCHASES: [(&str, &str); 2] =
    [("2000000000000001", "pro.monthly"), ("2000000000000002", "coins")];

/// Simulators of Firebase Cloud Messaging and Apple's App Store, on loopback ports
///
/// They know one device, `simulated-device`, and have sold two things:
/// 2000000000000001 (pro.monthly) and 2000000000000002 (coins). What is printed
/// are settings of Portcullis; everything is made anew at each start.
#[derive(Parser)]
#[command(after_help = "Example:\n  portcullis-simulators > .env &    then: portcullis")]
struct Cli {
    /// Where the keys and the root certificate are written
    #[arg(long, default_value = "simulated")]
    folder: PathBuf,
    /// The first of three ports; 0 for any three that are free
    #[arg(long, default_value_t = 9310, value_parser = clap::value_parser!(u16).range(..=LAST_PORT))]
    port: u16,
}

fn main() {
    let Cli { folder, port } = Cli::parse();
    fs::create_dir_all(&folder).unwrap();
    let folder = folder.canonicalize().unwrap();
    let (key, bearers) = (Arc::new(RsaKey::generate()), Bearers::default());
    let [port, second, third] = [0, 1, 2].map(|number| if port == 0 { 0 } else { port + number });

    let endpoint = TokenEndpoint::by_the_clock(bearers.clone()).knowing(CLIENT, Arc::clone(&key));
    let endpoint = start(endpoint, port);
    let mut messaging = Messaging::new(PROJECT, bearers);
    messaging.put(DEVICE, Device::Registered);
    let messaging = start(messaging, second);
    let mut store = AppStore::new(BUNDLE, APP, "Production");
    store.sell(Purchase::subscription(PURCHASES[0].0, PURCHASES[0].1));
    store.sell(Purchase::consumable(PURCHASES[1].0, PURCHASES[1].1));
    let apple = start(store, third);

    let key_file = write(&folder, "google.pem", &key.private_pem());
    let root = folder.join("root.pem");
    let (apple_key, key_id, issuer) = apple.with(|store| {
        store.authority.write_root(&root);
        let credentials = &store.credentials;
        (credentials.private_key(), credentials.key_id.clone(), credentials.issuer_id.clone())
    });
    let apple_file = write(&folder, "apple.p8", &apple_key);
    println!("FIREBASE_MESSAGING=true");
    println!("FIREBASE_PROJECT_ID={PROJECT}");
    println!("FIREBASE_CLIENT_EMAIL={CLIENT}");
    println!("FIREBASE_PRIVATE_KEY_PATH={}", key_file.display());
    println!("FIREBASE_TOKEN_URI={}/token", endpoint.url());
    println!("FIREBASE_MESSAGING_URL={}", messaging.url());
    println!("APP_STORE_BUNDLE_ID={BUNDLE}");
    println!("APP_STORE_APP_ID={APP}");
    println!("APP_STORE_ISSUER_ID={issuer}");
    println!("APP_STORE_KEY_ID={key_id}");
    println!("APP_STORE_PRIVATE_KEY_PATH={}", apple_file.display());
    println!("APP_STORE_BASE_URL={}", apple.url());
    println!("APP_STORE_ROOT_CERTIFICATES={}", root.display());
    loop {
        std::thread::park();
    }
}

fn start<S: Service>(service: S, port: u16) -> Simulator<S> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Simulator::start_at(service, address).unwrap_or_else(|error| {
        eprintln!("portcullis-simulators: {address} cannot be listened on: {error}; try --port");
        std::process::exit(1);
    })
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file
}
