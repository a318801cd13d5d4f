//! `portcullis keys`: signing keys are replaced while servers run, and nobody notices.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portcullis_testkit::Postgres;
use portcullis_tests::{LoggedIn, Outcome, Server, eventually, header, run};
use serde_json::Value;

const EDDSA: (&str, &str) = ("JWT_ALGORITHM", "EdDSA");

/// A service beside, which verifies tokens by keys that it fetched a while ago.
struct Beside {
    keys: Value,
    fetched: Instant,
}

impl Beside {
    /// As long as it keeps the keys: less than the overlap of the test.
    const KEEPS: Duration = Duration::from_secs(3);

    async fn fetch(server: &Server) -> Self {
        let keys = server.anonymous().get("/.well-known/jwks.json").await.expect(200).body;
        Self { keys, fetched: Instant::now() }
    }

    /// Insists that a token verifies by one of the keys.
    fn accepts(&self, token: &str) -> bool {
        let kid = header(token)["kid"].clone();
        let mut keys = self.keys["keys"].as_array().unwrap().iter();
        let Some(key) = keys.find(|key| key["kid"] == kid) else { return false };
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = UnparsedPublicKey::new(&ED25519, decode(key["x"].as_str().unwrap()));
        key.verify(signed.as_bytes(), &decode(signature)).is_ok()
    }
}

fn keys(folder: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Outcome {
    run(folder, &[&["keys"], arguments].concat(), settings)
}

fn succeeds(outcome: &Outcome) -> &str {
    assert!(outcome.status.success(), "{}", outcome.said());
    &outcome.stdout
}

/// The key of a state, as the list tells.
fn key_that_is(list: &str, state: &str) -> Option<String> {
    let mut lines = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.find(|words| words.get(1) == Some(&state)).map(|words| words[0].to_owned())
}

/// Has each instance sign in turn, and every instance and a service beside verify.
/// Tells what was refused.
async fn round(servers: &[Server], john: &LoggedIn, beside: &mut Beside) -> (String, Vec<String>) {
    let mut refused = Vec::new();
    let mut kid = String::new();
    for signer in servers {
        let john = john.at(signer).refreshed().await;
        header(&john.access)["kid"].as_str().unwrap().clone_into(&mut kid);
        for (number, verifier) in servers.iter().enumerate() {
            let answer = john.at(verifier).users_me().await;
            if answer.status != 200 {
                refused.push(format!("{kid} by instance {number}: {answer:?}"));
            }
        }
        if beside.fetched.elapsed() > Beside::KEEPS {
            *beside = Beside::fetch(signer).await;
        }
        if !beside.accepts(&john.access) {
            refused.push(format!("{kid} by a service beside"));
        }
    }
    (kid, refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_over_three_instances_refuses_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("keys").display().to_string();
    let database = Postgres::shared().empty_database();
    let settings = [
        EDDSA,
        ("JWT_KEYS_DIR", place.as_str()),
        ("JWT_KEY_OVERLAP", "7s"),
        ("DATABASE_URL", &database),
        ("SECRET_KEY", "a-secret-that-all-instances-share"),
        ("PUBLIC_URL", "https://auth.example.com"),
        ("BCRYPT_ROUNDS", "10"),
        ("HASHING_PATIENCE", "1m"),
        ("ACCESS_TOKEN_TTL", "3s"),
        ("FORM_ACCESS_TOKEN_TTL", "3s"),
    ];
    let said = keys(folder.path(), &["rotate"], &settings);
    assert!(succeeds(&said).contains("first key"), "{}", said.said());
    let start = || Server::start_with(&settings);
    let (one, two, three) = tokio::join!(start(), start(), start());
    let servers = Arc::new([one, two, three]);
    let john = servers[0].signed_up("johndoe", "john@example.com").await;
    let old = header(&john.access)["kid"].as_str().unwrap().to_owned();

    let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (refused, kid) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(old.clone())));
    let at_work = {
        let (servers, john) = (Arc::clone(&servers), john.clone());
        let (stop, rounds) = (Arc::clone(&stop), Arc::clone(&rounds));
        let (refused, kid) = (Arc::clone(&refused), Arc::clone(&kid));
        tokio::spawn(async move {
            let mut beside = Beside::fetch(&servers[0]).await;
            while !stop.load(Ordering::Relaxed) {
                let (signer, said_no) = round(&*servers, &john, &mut beside).await;
                *kid.lock().unwrap() = signer;
                refused.lock().unwrap().extend(said_no);
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        })
    };

    let rotated = Instant::now();
    succeeds(&keys(folder.path(), &["rotate"], &settings));
    let list = keys(folder.path(), &["list"], &settings);
    let next = key_that_is(succeeds(&list), "next").unwrap();
    assert_eq!(key_that_is(&list.stdout, "signing").as_ref(), Some(&old), "{}", list.stdout);
    let again = keys(folder.path(), &["rotate"], &settings);
    assert!(!again.status.success() && again.stderr.contains(&next), "{}", again.said());
    for server in &*servers {
        eventually("the next key is published", Duration::from_secs(5), async || {
            let published = server.anonymous().get("/.well-known/jwks.json").await.text;
            published.contains(&next).then_some(())
        })
        .await;
    }
    assert!(rotated.elapsed() < Duration::from_secs(6), "{:?}", rotated.elapsed());
    assert_eq!(*kid.lock().unwrap(), old, "it signs before its time");

    eventually("the next key signs", Duration::from_secs(15), async || {
        (*kid.lock().unwrap() == next).then_some(())
    })
    .await;
    let early = keys(folder.path(), &["retire", &old], &settings);
    assert!(!early.status.success(), "{}", early.said());
    assert!(early.stderr.contains("may be alive"), "{}", early.said());
    // Its last token has expired by then; the command would wait for clocks that differ.
    tokio::time::sleep(Duration::from_secs(4)).await;
    succeeds(&keys(folder.path(), &["retire", "--force", &old], &settings));
    eventually("the old key is gone", Duration::from_secs(5), async || {
        let published = servers[2].anonymous().get("/.well-known/jwks.json").await.text;
        (!published.contains(&format!("\"{old}\""))).then_some(())
    })
    .await;

    let so_far = rounds.load(Ordering::Relaxed);
    eventually("some more rounds", Duration::from_secs(10), async || {
        (rounds.load(Ordering::Relaxed) > so_far + 3).then_some(())
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    at_work.await.unwrap();
    let refused = refused.lock().unwrap();
    assert!(refused.is_empty(), "{} of {so_far} rounds: {refused:?}", refused.len());
    assert!(so_far > 10, "{so_far} rounds");
}

#[tokio::test]
async fn a_key_put_there_by_hand_signs_once_everybody_has_seen_it() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let server = Server::start_in(folder, &[EDDSA]).await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let old = header(&john.access)["kid"].clone();
    let place = elsewhere.path().display().to_string();
    succeeds(&keys(elsewhere.path(), &["rotate"], &[EDDSA, ("JWT_KEYS_DIR", &place)]));
    let made = elsewhere.path().read_dir().unwrap().next().unwrap().unwrap().path();
    std::fs::copy(made, server.folder().join("data/keys/zebra.pem")).unwrap();
    eventually("it is published", Duration::from_secs(5), async || {
        let published = server.anonymous().get("/.well-known/jwks.json").await.text;
        published.contains("zebra").then_some(())
    })
    .await;
    assert_eq!(header(&john.refreshed().await.access)["kid"], old, "it signs at once");
    eventually("it signs", Duration::from_secs(15), async || {
        (header(&john.refreshed().await.access)["kid"] == "zebra").then_some(())
    })
    .await;
    john.users_me().await.is(200);
}

#[test]
fn keys_are_their_owners_alone_and_spent_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("keys");
    let place_text = place.display().to_string();
    let settings = [EDDSA, ("JWT_KEYS_DIR", place_text.as_str())];
    let empty = keys(folder.path(), &["list"], &settings);
    assert!(succeeds(&empty).contains("no key yet"), "{}", empty.stdout);
    succeeds(&keys(folder.path(), &["rotate"], &settings));
    let made = place.read_dir().unwrap().next().unwrap().unwrap().path();
    let permissions = std::fs::metadata(&made).unwrap().permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    let alone = made.file_stem().unwrap().to_str().unwrap();
    let the_only_one = keys(folder.path(), &["retire", "--force", alone], &settings);
    assert!(!the_only_one.status.success() && made.is_file(), "{}", the_only_one.said());

    for kid in ["2020-01-01", "2020-06-01T000000Z-from-2020-06-01T020000Z"] {
        std::fs::copy(&made, place.join(format!("{kid}.pem"))).unwrap();
    }
    // Both came a moment ago, whatever their names say: until then the first signed.
    let list = keys(folder.path(), &["list"], &settings);
    assert_eq!(key_that_is(succeeds(&list), "retiring").as_deref(), Some("2020-01-01"));
    assert_eq!(key_that_is(&list.stdout, "signing").as_deref(), Some(alone));
    let unknown = keys(folder.path(), &["retire", "nobody"], &settings);
    assert!(!unknown.status.success() && unknown.stderr.contains("nobody"), "{}", unknown.said());
    let both = keys(folder.path(), &["retire", "2020-01-01", alone], &settings);
    assert!(!both.status.success() && both.stderr.contains("nothing was removed"));
    let early = keys(folder.path(), &["retire", "2020-01-01"], &settings);
    assert!(!early.status.success() && early.stderr.contains("may be alive"), "{}", early.said());
    succeeds(&keys(folder.path(), &["retire", "--force", "2020-01-01"], &settings));
    assert!(!place.join("2020-01-01.pem").exists());
    let none = keys(folder.path(), &["retire", "--due"], &settings);
    assert!(succeeds(&none).contains("no key is spent"), "{}", none.stdout);
    assert_eq!(place.read_dir().unwrap().count(), 2);
}

#[test]
fn a_secret_is_replaced_in_another_way_which_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let told = keys(folder.path(), &["list"], &[]);
    assert!(succeeds(&told).contains("SECRET_KEY_PREVIOUS"), "{}", told.stdout);
    let rotated = keys(folder.path(), &["rotate"], &[]);
    assert!(!rotated.status.success() && rotated.stderr.contains("SECRET_KEY_PREVIOUS"));
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "it leaves something behind");
}
