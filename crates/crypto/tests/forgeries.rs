//! Tokens that somebody else made, or that say what ours never say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_conformance::build::START;
use portcullis_crypto::{
    JwtAlgorithm, JwtSettings, JwtTokens, KeyFileError, ServerSecret, generate_key_file,
    load_key_files,
};
use portcullis_domain::ports::AccessTokens;
use portcullis_domain::{AccessClaims, AccessTokenId, SessionId, UserId};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

fn settings() -> JwtSettings {
    JwtSettings { issuer: "http://localhost:8000".into(), audience: "portcullis".into() }
}

fn claims() -> AccessClaims {
    AccessClaims {
        user: UserId::new(Uuid::from_u128(1)),
        session: SessionId::new(Uuid::from_u128(2)),
        id: AccessTokenId::new(Uuid::from_u128(3)),
        issued_at: START,
        expires_at: START + Duration::from_mins(30),
    }
}

/// Signs any header and payload with the true secret.
fn forge(secret: &ServerSecret, header: &Value, payload: &str) -> String {
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let algorithm = match header["alg"].as_str() {
        Some("HS384") => aws_lc_rs::hmac::HMAC_SHA384,
        Some("HS512") => aws_lc_rs::hmac::HMAC_SHA512,
        _ => aws_lc_rs::hmac::HMAC_SHA256,
    };
    let key = aws_lc_rs::hmac::Key::new(algorithm, secret.expose().as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn decoded(token: &str, part: usize) -> Value {
    let text = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[test]
fn jw_17_a_token_says_what_the_contract_lists_and_no_more() {
    let tokens = JwtTokens::symmetric(settings(), &ServerSecret::generate(), None);
    let token = tokens.sign(claims()).unwrap();
    let (header, payload) = (decoded(token.expose_secret(), 0), decoded(token.expose_secret(), 1));
    let keys = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&header), ["alg", "kid", "typ"]);
    assert_eq!(keys(&payload), ["aud", "exp", "iat", "iss", "jti", "sid", "sub", "type"]);
    assert_eq!(payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap(), 1800);
}

#[test]
fn truly_signed_tokens_that_say_something_else_are_refused() {
    let secret = ServerSecret::generate();
    let tokens = JwtTokens::symmetric(settings(), &secret, None);
    let good = tokens.sign(claims()).unwrap();
    let header = decoded(good.expose_secret(), 0);
    let payload = decoded(good.expose_secret(), 1);
    let honest = forge(&secret, &header, &payload.to_string());
    assert!(tokens.verify(&honest, START).is_ok(), "the forge itself works");

    let mut forged = Vec::new();
    let mut with_header = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        forged.push(forge(&secret, &header, &payload.to_string()));
    };
    for alg in ["none", "None", "nOnE", "", "HS384", "HS512", "RS256", "ES256", "EdDSA"] {
        with_header("alg", alg.into());
    }
    with_header("alg", Value::Null);
    with_header("alg", json!(["HS256"]));
    with_header("typ", "at+jwt".into());
    with_header("crit", json!(["exp"]));
    with_header("b64", false.into());
    with_header("zip", "DEF".into());
    with_header("jwk", json!({"kty": "oct", "k": "AAAA"}));
    with_header("jku", "http://127.0.0.1:1/keys".into());
    with_header("x5u", "http://127.0.0.1:1/cert".into());
    with_header("x5c", json!(["AAAA"]));
    for kid in ["../../../../dev/null", "' UNION SELECT 'k'--", "", "other", "\0"] {
        with_header("kid", kid.into());
    }
    with_header("kid", json!(["a"]));
    with_header("kid", Value::Null);

    let mut with_claim = |name: &str, value: Value| {
        let mut payload = payload.clone();
        payload[name] = value;
        forged.push(forge(&secret, &header, &payload.to_string()));
    };
    let now = START.as_seconds();
    for exp in [json!(now), json!("9999999999"), Value::Null, json!(true), json!([]), json!(-1)] {
        with_claim("exp", exp);
    }
    with_claim("exp", json!(1_767_229_200.5));
    for name in ["iat", "nbf"] {
        for value in [json!(now + 3600), json!("x"), json!({}), json!(true)] {
            with_claim(name, value);
        }
    }
    for (name, value) in [
        ("iss", json!("http://localhost:800")),
        ("iss", json!("http://localhost:8000/")),
        ("aud", json!("portcullis2")),
        ("aud", json!(["portcullis", "other"])),
        ("type", json!("refresh")),
        ("type", json!("id")),
        ("sub", json!("not-a-uuid")),
        ("sub", json!(7)),
        ("sid", json!("")),
        ("jti", Value::Null),
    ] {
        with_claim(name, value);
    }
    for name in ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "type"] {
        let mut payload = payload.clone();
        payload.as_object_mut().unwrap().remove(name);
        forged.push(forge(&secret, &header, &payload.to_string()));
    }
    let twice = payload.to_string().replacen('{', "{\"exp\":99999999999,", 1);
    forged.push(forge(&secret, &header, &twice));
    forged.push(forge(&secret, &header, "[]"));
    forged.push(forge(&secret, &header, &payload.to_string().replace("1767227400", "1e400")));
    let [head, body, _] = honest.split('.').collect::<Vec<_>>().try_into().unwrap();
    forged.push(format!("{head}.{body}"));
    forged.push(format!("{head}.{body}."));
    forged.push(format!("{honest}."));
    forged.push(format!("{honest}="));
    forged.push(format!("{head}=.{body}"));

    for token in &forged {
        assert!(tokens.verify(token, START).is_err(), "{token}");
    }
    assert!(forged.len() > 60);
}

#[test]
fn jw_03_a_public_key_is_no_secret_key() {
    let folder = tempfile::tempdir().unwrap();
    generate_key_file(JwtAlgorithm::Rs256, folder.path(), "k").unwrap();
    let keys = load_key_files(JwtAlgorithm::Rs256, folder.path()).unwrap();
    let tokens = JwtTokens::asymmetric(settings(), JwtAlgorithm::Rs256, keys).unwrap();
    let published: Value = serde_json::from_str(&tokens.public_keys()).unwrap();
    let key = published["keys"][0].to_string();
    let good = tokens.sign(claims()).unwrap();
    let payload = decoded(good.expose_secret(), 1).to_string();
    let secret = ServerSecret::parse(key.into()).unwrap();
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k"});
    assert!(tokens.verify(&forge(&secret, &header, &payload), START).is_err());
    assert!(tokens.verify(good.expose_secret(), START).is_ok());
}

#[test]
fn jw_16_a_key_is_rotated_with_nobody_logged_out() {
    for algorithm in [JwtAlgorithm::EdDsa, JwtAlgorithm::Es256, JwtAlgorithm::Rs256] {
        let folder = tempfile::tempdir().unwrap();
        let load = || {
            let keys = load_key_files(algorithm, folder.path()).unwrap();
            JwtTokens::asymmetric(settings(), algorithm, keys).unwrap()
        };
        generate_key_file(algorithm, folder.path(), "2026-01").unwrap();
        let before = load();
        let old = before.sign(claims()).unwrap();
        generate_key_file(algorithm, folder.path(), "2026-02").unwrap();
        let after = load();
        let new = after.sign(claims()).unwrap();
        assert_eq!(decoded(new.expose_secret(), 0)["kid"], "2026-02");
        assert!(after.verify(old.expose_secret(), START).is_ok());
        assert!(after.verify(new.expose_secret(), START).is_ok());
        assert!(before.verify(new.expose_secret(), START).is_err());
        let published: Value = serde_json::from_str(&after.public_keys()).unwrap();
        assert_eq!(published["keys"].as_array().unwrap().len(), 2);
        assert!(published["keys"][0].get("d").is_none(), "a private key is published");
    }
}

#[test]
fn jw_16_a_secret_is_rotated_with_nobody_logged_out() {
    let (old, new) = (ServerSecret::generate(), ServerSecret::generate());
    let token = JwtTokens::symmetric(settings(), &old, None).sign(claims()).unwrap();
    let rotated = JwtTokens::symmetric(settings(), &new, Some(&old));
    assert!(rotated.verify(token.expose_secret(), START).is_ok());
    let done = JwtTokens::symmetric(settings(), &new, None);
    assert!(done.verify(token.expose_secret(), START).is_err());
    assert_eq!(done.public_keys(), r#"{"keys":[]}"#);
}

#[test]
fn key_files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = |algorithm| load_key_files(algorithm, folder.path()).map(drop).unwrap_err();
    assert!(matches!(load(JwtAlgorithm::EdDsa), KeyFileError::Empty(_)));
    std::fs::write(folder.path().join("odd.pem"), "no pem").unwrap();
    assert!(load(JwtAlgorithm::EdDsa).to_string().contains("odd.pem"));
    std::fs::remove_file(folder.path().join("odd.pem")).unwrap();
    generate_key_file(JwtAlgorithm::EdDsa, folder.path(), "ed").unwrap();
    assert!(load(JwtAlgorithm::Es256).to_string().contains("ES256"));
    assert!(generate_key_file(JwtAlgorithm::EdDsa, folder.path(), "ed").is_err());
}
