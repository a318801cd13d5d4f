//! Tokens that were mailed stand nowhere.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use portcullis_testkit::{Redis, SmtpSink};
use portcullis_tests::Server;

use super::ANOTHER;
use crate::backends::Backends;
use crate::kept::all_of_redis;
use crate::letterbox::{Letterbox, RESET, VERIFICATION};

/// Every form in which a token might have been kept.
fn spellings(token: &str) -> Vec<Vec<u8>> {
    let hex =
        |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let raw = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    vec![
        token.as_bytes().to_vec(),
        hex(&raw).into_bytes(),
        hex(&raw).to_uppercase().into_bytes(),
        BASE64_STANDARD.encode(&raw).trim_end_matches('=').as_bytes().to_vec(),
        hex(token.as_bytes()).into_bytes(),
        BASE64_STANDARD.encode(token).trim_end_matches('=').as_bytes().to_vec(),
        raw,
    ]
}

#[track_caller]
fn holds_no_token(place: &str, content: &[u8], tokens: &[&str]) {
    for token in tokens {
        for spelling in spellings(token) {
            let found = content.windows(spelling.len()).any(|part| part == spelling);
            assert!(!found, "{place} holds a token as {:?}", String::from_utf8_lossy(&spelling));
        }
    }
}

/// Mails a token of each kind; both were delivered and neither was spent.
async fn two_tokens(server: &Server, sink: &SmtpSink) -> [String; 2] {
    let anonymous = server.anonymous();
    anonymous.register("ann@example.com").await.is(201);
    let verification = sink.mail("ann@example.com", VERIFICATION).await.token();
    anonymous.request_reset("ann@example.com").await.is(200);
    let reset = sink.mail("ann@example.com", RESET).await.token();
    [verification, reset]
}

#[tokio::test]
async fn ve_02_pr_20_no_column_and_no_key_holds_a_mailed_token() {
    let (redis, sink) = (Redis::start(), SmtpSink::start().await);
    let backends = Backends::new().with_redis(&redis).with_smtp(&sink.url());
    let server = backends.instance().await;
    let [verification, reset] = two_tokens(&server, &sink).await;
    let tables = backends
        .sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'");
    assert!(tables.lines().count() >= 7, "{tables}");
    let everything: String =
        tables.lines().map(|table| backends.sql(&format!("SELECT t.* FROM {table} t"))).collect();
    assert!(everything.contains("email_verification"), "the tokens' rows are not there");
    holds_no_token("the database", everything.as_bytes(), &[&verification, &reset]);
    let keys = all_of_redis(&redis);
    holds_no_token("Redis", keys.as_bytes(), &[&verification, &reset]);
    holds_no_token("the log", server.log().as_bytes(), &[&verification, &reset]);
    // They are good all the same: what is stored recognises them.
    server.anonymous().verify(&verification).await.is(200);
    server.anonymous().confirm_reset(&reset, ANOTHER).await.is(200);
}

#[tokio::test]
async fn ve_02_pr_20_no_byte_of_the_embedded_database_holds_a_mailed_token() {
    let sink = SmtpSink::start().await;
    let backends = Backends::on("sqlite://data/portcullis.db").with_smtp(&sink.url());
    let server = backends.instance().await;
    let [verification, reset] = two_tokens(&server, &sink).await;
    let mut files = 0;
    for file in std::fs::read_dir(server.folder().join("data")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            files += 1;
            let content = std::fs::read(&path).unwrap();
            holds_no_token(&path.display().to_string(), &content, &[&verification, &reset]);
        }
    }
    assert!(files >= 2, "the database and its log");
    server.anonymous().verify(&verification).await.is(200);
    server.anonymous().confirm_reset(&reset, ANOTHER).await.is(200);
}
