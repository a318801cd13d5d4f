//! Secrets are planted everywhere, and then looked for where they must not be
//! (OP-01): in logs at every level, in answers, and in the bytes of the database.

use std::collections::HashMap;
use std::fs;

use portcullis_tests::{Answer, Server};
use reqwest::Method;
use serde_json::json;

/// The key that signs tokens.
const KEY: &str = "canary-key-0f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The key before it.
const OLD_KEY: &str = "canary-old-key-9c8b7a6f5e4d3c2b1a09f8e7d6c5b4a3";
/// Rounds through all flows: more than 500 secrets in all.
const ROUNDS: usize = 22;

/// What was planted, and answers that may hold no secret at all.
#[derive(Default)]
struct Planted {
    secrets: Vec<String>,
    /// Tokens of mails. The development mailbox keeps its mails in the database, on
    /// purpose; with another way of mail they are looked for there too.
    mailed: Vec<String>,
    refusals: Vec<String>,
}

impl Planted {
    fn secret(&mut self, text: impl Into<String>) -> String {
        let text = text.into();
        self.secrets.push(text.clone());
        text
    }

    fn mailed(&mut self, token: &str) {
        self.mailed.push(token.to_owned());
    }

    fn refused(&mut self, answer: &Answer) {
        assert!(answer.status >= 400, "{answer:?}");
        self.refusals.push(format!("{:?} {}", answer.headers, answer.text));
    }
}

/// A password that no policy minds and nobody else has.
fn password(what: &str, round: usize) -> String {
    format!("canary-{what}-{round}-Zx81!")
}

/// Registers, verifies and logs in by contract A, rightly and wrongly.
async fn live_by_json(server: &Server, round: usize, planted: &mut Planted) {
    let anonymous = server.anonymous();
    let email = format!("ann{round}@example.com");
    let first = planted.secret(password("first", round));
    anonymous.register_with(&email, &first).await.is(201);
    let taken = planted.secret(password("taken", round));
    planted.refused(&anonymous.register_with(&email, &taken).await);
    let verification = server.mailbox().mail(&email, "Verify your email address").await.token();
    planted.mailed(&verification);
    let made_up = planted.secret(format!("canary-token-{round}-x"));
    planted.refused(&anonymous.verify(&made_up).await);
    let path = planted.secret(format!("canary-in-path-{round}-x"));
    planted.refused(&anonymous.get(&format!("/api/v1/auth/verify-email/{path}")).await);
    planted.refused(&anonymous.get(&format!("/api/v1/unknown/{path}?token={path}")).await);
    if round.is_multiple_of(2) {
        anonymous.get(&format!("/api/v1/auth/verify-email/{verification}")).await.is(200);
    } else {
        anonymous.verify(&verification).await.is(200);
    }
    let wrong = planted.secret(password("wrong", round));
    planted.refused(&anonymous.log_in(&email, &wrong).await);
    planted.refused(&anonymous.log_in("nobody@example.com", &wrong).await);
    planted.refused(&anonymous.log_in_by_form("nobody", &wrong).await);
    let answer = anonymous.log_in(&email, &first).await.expect(200);
    let ann = anonymous.with_tokens_of(&answer);
    let renewed = ann.refreshed().await;
    for token in [&ann.access, &ann.refresh, &renewed.access, &renewed.refresh] {
        planted.secret(token);
    }
    renewed.me().await.is(200);
    renewed.users_me().await.is(200);
    let refresh = planted.secret(format!("canary-refresh-{round}-x"));
    planted.refused(&anonymous.refresh(&refresh).await);
    let logout = planted.secret(format!("canary-logout-{round}-x"));
    planted.refused(&ann.log_out_with(&logout).await);
    let reset = server.reset_token(&email).await;
    planted.mailed(&reset);
    let second = planted.secret(password("second", round));
    let other = planted.secret(format!("canary-reset-{round}-x"));
    planted.refused(&anonymous.confirm_reset(&other, &second).await);
    anonymous.confirm_reset(&reset, &second).await.is(200);
    planted.refused(&ann.me().await);
    anonymous.log_in(&email, &second).await.is(200);
}

/// Signs up and out by contract B.
async fn live_by_form(server: &Server, round: usize, planted: &mut Planted) {
    let anonymous = server.anonymous();
    let (mail, user) = (format!("john{round}@example.com"), format!("john{round}"));
    let secret = planted.secret(password("signup", round));
    let fields = [
        ("username", user.as_str()),
        ("email", &mail),
        ("password", &secret),
        ("first_name", "John"),
        ("last_name", "Doe"),
    ];
    let answer = anonymous.post_form("/api/v1/auth/signup", &fields).await.expect(201);
    let john = anonymous.with_tokens_of(&answer);
    planted.secret(&john.access);
    planted.secret(&john.refresh);
    planted.mailed(&server.mailbox().mail(&mail, "Verify your email address").await.token());
    john.log_out_without_body().await.is(200);
    planted.refused(&john.me().await);
}

/// Secrets where none belong, of the wrong type, and in requests that are broken.
async fn misplace(server: &Server, round: usize, planted: &mut Planted) {
    let anonymous = server.anonymous();
    let me = || anonymous.request(Method::GET, "/api/v1/auth/me");
    let forged = planted.secret(format!("e30.canary{round}x.e30"));
    planted.refused(&Answer::to(me().bearer_auth(&forged)).await);
    let basic = planted.secret(password("basic", round));
    planted.refused(&Answer::to(me().basic_auth("ann", Some(&basic))).await);
    let cookie = planted.secret(format!("canary-cookie-{round}-x"));
    planted.refused(&Answer::to(me().header("cookie", &cookie)).await);
    let typed = planted.secret(password("typed", round));
    let login = "/api/v1/auth/login";
    for body in [
        json!({"email": [typed], "password": {"x": typed}}),
        json!({"email": typed, "password": typed}),
        json!({"email": "ann@example.com", "password": typed.repeat(100)}),
    ] {
        planted.refused(&anonymous.post(login, &body).await);
    }
    let broken = format!("{{\"password\": \"{typed}\", {typed}");
    planted.refused(&anonymous.post_bytes(login, "application/json", broken.into()).await);
}

/// Each form in which somebody may have written a secret down.
fn forms(secret: &str) -> [Vec<u8>; 3] {
    let hex = secret.bytes().fold(String::new(), |all, byte| all + &format!("{byte:02x}"));
    [secret.into(), hex.into(), secret.replace('!', "%21").into()]
}

/// The needles that are in the haystack. It is read once: it is large, and they
/// are many.
fn found_in(haystack: &[u8], needles: &[Vec<u8>]) -> Vec<usize> {
    let start = |bytes: &[u8]| u64::from_be_bytes(*bytes.first_chunk().unwrap());
    let mut by_start: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut last_bytes = [false; 256];
    for (number, needle) in needles.iter().enumerate() {
        by_start.entry(start(needle)).or_default().push(number);
        last_bytes[usize::from(needle[7])] = true;
    }
    let mut found = Vec::new();
    for (place, window) in haystack.windows(8).enumerate() {
        if !last_bytes[usize::from(window[7])] {
            continue;
        }
        let begun = by_start.get(&start(window)).into_iter().flatten();
        found.extend(begun.filter(|number| haystack[place..].starts_with(&needles[**number])));
    }
    found
}

#[tokio::test]
async fn op_01_five_hundred_planted_secrets_are_in_no_log_no_refusal_and_no_database() {
    let mut server = Server::start_with(&[
        ("LOG_FORMAT", "json"),
        ("LOG_LEVEL", "trace"),
        ("SECRET_KEY", KEY),
        ("SECRET_KEY_PREVIOUS", OLD_KEY),
        ("LOCKOUT_ACCOUNT_THRESHOLD", "100000"),
        ("LOCKOUT_THRESHOLD", "100000"),
    ])
    .await;
    let mut planted = Planted::default();
    planted.secret(KEY);
    planted.secret(OLD_KEY);
    for round in 0..ROUNDS {
        if round == ROUNDS / 2 {
            server.restart_with(&[("LOG_FORMAT", "pretty")]).await;
        }
        live_by_json(&server, round, &mut planted).await;
        live_by_form(&server, round, &mut planted).await;
        misplace(&server, round, &mut planted).await;
    }
    let count = planted.secrets.len() + planted.mailed.len();
    assert!(count >= 500, "{count}");
    assert!([200, 204].contains(&server.mailbox().empty().await.status));
    assert!(server.terminate().await.success());
    let log = server.log().into_bytes();
    assert!(log.len() > 100_000, "nothing was logged at trace: {} bytes", log.len());
    let mut places = vec![("log".to_owned(), log)];
    places.push(("refusals".to_owned(), planted.refusals.join("\n").into_bytes()));
    for file in fs::read_dir(server.folder().join("data")).unwrap().flatten() {
        if file.file_name().to_string_lossy().starts_with("portcullis.db") {
            places.push((file.path().display().to_string(), fs::read(file.path()).unwrap()));
        }
    }
    assert!(places.len() >= 3, "no database was looked into");
    let needles: Vec<_> = planted.secrets.iter().flat_map(|secret| forms(secret)).collect();
    let mailed = planted.mailed.iter().flat_map(|token| forms(token));
    let all: Vec<_> = needles.iter().cloned().chain(mailed).collect();
    assert!(found_in(&needles[7], &needles).contains(&7), "the search finds nothing");
    let mut found = Vec::new();
    for (place, bytes) in &places {
        let is_database = place.contains("portcullis.db");
        for number in found_in(bytes, if is_database { &needles } else { &all }) {
            found.push(format!("{place}: {}", String::from_utf8_lossy(&all[number])));
        }
    }
    found.sort();
    found.dedup();
    println!("{count} secrets in {} places: {}", places.len(), found.len());
    assert!(found.is_empty(), "{found:#?}");
}
