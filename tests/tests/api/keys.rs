//! The keys behind the tokens.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use portcullis_tests::{Answer, Server, header, problem};
use reqwest::Method;
use serde_json::{Value, json};

const ONE: &str = "one-secret-of-at-least-thirty-two-bytes";
const TWO: &str = "two-secret-of-at-least-thirty-two-bytes";

async fn keys(server: &Server) -> Vec<Value> {
    let answer = server.anonymous().get("/.well-known/jwks.json").await.expect(200);
    answer.has_exactly(&["keys"]);
    answer.body["keys"].as_array().unwrap().clone()
}

/// Insists that the one published key is the token's, and of this kind.
async fn publishes(algorithm: &str, members: &[(&str, Option<&str>)]) {
    let mut server = Server::start_with(&[("JWT_ALGORITHM", algorithm)]).await;
    let ann = server.logged_in("ann@example.com").await;
    let head = header(&ann.access);
    assert_eq!(head["alg"], algorithm);
    let published = keys(&server).await;
    assert_eq!(published.len(), 1, "{published:?}");
    let key = &published[0];
    assert_eq!(key["kid"], head["kid"]);
    assert_eq!(key["alg"], algorithm);
    for (name, value) in members {
        let found = key[name].as_str().unwrap_or_else(|| panic!("{name} is missing: {key}"));
        assert!(value.is_none_or(|value| value == found), "{name}: {key}");
    }
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(key.get(private).is_none(), "{private} is published: {key}");
    }
    server.restart().await;
    assert_eq!(keys(&server).await, published);
    ann.is_alive().await;
}

#[tokio::test]
async fn a_shared_secret_is_not_published() {
    let server = Server::start().await;
    assert_eq!(keys(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_eddsa_key_is_published_and_survives_a_restart() {
    publishes("EdDSA", &[("kty", Some("OKP")), ("crv", Some("Ed25519")), ("x", None)]).await;
}

#[tokio::test]
async fn an_es256_key_is_published_and_survives_a_restart() {
    let members = [("kty", Some("EC")), ("crv", Some("P-256")), ("x", None), ("y", None)];
    publishes("ES256", &members).await;
}

#[tokio::test]
async fn an_rs256_key_is_published_and_survives_a_restart() {
    publishes("RS256", &[("kty", Some("RSA")), ("n", None), ("e", None)]).await;
}

#[tokio::test]
async fn a_session_survives_a_restart() {
    let mut server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    server.restart().await;
    ann.is_alive().await;
}

#[tokio::test]
async fn an_end_survives_a_restart() {
    let mut server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    ann.log_out().await.is(204);
    server.restart().await;
    ann.is_over().await;
}

#[tokio::test]
async fn jw_15_two_servers_have_secrets_of_their_own() {
    // One issuer, so that nothing but the secret can tell them apart.
    let settings = [("PUBLIC_URL", "http://localhost:8000")];
    let (one, two) = (Server::start_with(&settings).await, Server::start_with(&settings).await);
    let ann = one.logged_in("ann@example.com").await;
    let request = two.anonymous().request(Method::GET, "/api/v1/auth/me");
    let answer = Answer::to(request.bearer_auth(&ann.access)).await;
    answer.is_problem(problem::BAD_BEARER);
    two.anonymous().refresh(&ann.refresh).await.is_problem(problem::BAD_REFRESH);
}

/// All files in a folder and below.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn secrets_on_disk_are_their_owners_alone() {
    for algorithm in ["HS256", "EdDSA"] {
        let server = Server::start_with(&[("JWT_ALGORITHM", algorithm)]).await;
        server.logged_in("ann@example.com").await;
        let data = server.folder().join("data");
        assert_eq!(data.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        let is_database =
            |path: &PathBuf| path.file_name().unwrap().to_string_lossy().contains(".db");
        let secrets: Vec<_> = files(&data).into_iter().filter(|path| !is_database(path)).collect();
        assert!(!secrets.is_empty(), "{algorithm}: no secret was kept");
        for file in secrets {
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
    }
}

#[tokio::test]
async fn jw_16_a_secret_can_be_replaced_with_nobody_logged_out() {
    let mut server = Server::start_with(&[("SECRET_KEY", ONE)]).await;
    let ann = server.logged_in("ann@example.com").await;
    server.restart_with(&[("SECRET_KEY", TWO), ("SECRET_KEY_PREVIOUS", ONE)]).await;
    ann.is_alive().await;
    let renewed = ann.refreshed().await;
    assert_ne!(header(&renewed.access)["kid"], header(&ann.access)["kid"]);
    renewed.me().await.is(200);
}

#[tokio::test]
async fn a_previous_secret_that_is_dropped_verifies_nothing() {
    let mut server = Server::start_with(&[("SECRET_KEY", ONE)]).await;
    let ann = server.logged_in("ann@example.com").await;
    server.restart_with(&[("SECRET_KEY", TWO)]).await;
    ann.me().await.is_problem(problem::BAD_BEARER);
}

#[tokio::test]
async fn jw_16_the_newest_key_of_a_folder_signs_and_all_of_them_verify() {
    let mut server = Server::start_with(&[("JWT_ALGORITHM", "EdDSA")]).await;
    let ann = server.logged_in("ann@example.com").await;
    let first = std::fs::read(files(&server.folder().join("data/keys")).swap_remove(0)).unwrap();
    let another = Server::start_with(&[("JWT_ALGORITHM", "EdDSA")]).await;
    let second = std::fs::read(files(&another.folder().join("data/keys")).swap_remove(0)).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let old = header(&ann.access)["kid"].as_str().unwrap().to_owned();
    std::fs::write(folder.path().join(format!("{old}.pem")), first).unwrap();
    std::fs::write(folder.path().join("zz-new.pem"), second).unwrap();
    let folder_text = folder.path().display().to_string();
    server.restart_with(&[("JWT_KEYS_DIR", &folder_text)]).await;

    ann.me().await.is(200);
    let renewed = ann.refreshed().await;
    assert_eq!(header(&renewed.access)["kid"], json!("zz-new"));
    renewed.me().await.is(200);
    let kids: Vec<_> = keys(&server).await.into_iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(kids.len(), 2);
    assert!(kids.contains(&json!("zz-new")) && kids.contains(&json!(old)), "{kids:?}");
}
