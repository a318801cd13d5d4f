//! Forged, altered and borrowed access tokens (JW).

mod forge;
mod tables;

use std::collections::BTreeSet;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, claims, eventually, header, problem};
use reqwest::Method;
use serde_json::{Value, json};

use forge::{Kind, Model, ORIGIN, SECRET, Trap, decode, parts, sign, truly, without};

const ME: &str = "/api/v1/auth/me";
const USERS_ME: &str = "/api/v1/users/me";
const LOGOUT: &str = "/api/v1/auth/logout";

/// A server whose secret is known, and a session on it.
struct Target {
    server: Server,
    ann: LoggedIn,
    model: Model,
    trap: Trap,
}

impl Target {
    async fn new() -> Self {
        let settings = [("SECRET_KEY", SECRET), ("PUBLIC_URL", ORIGIN)];
        let server = Server::start_with(&settings).await;
        let ann = server.signed_up("annlee", "ann@example.com").await;
        let bob = server.signed_up("boblee", "bob@example.com").await;
        let trap = Trap::set();
        let model = Model::new(&ann.access, &bob.access, &trap.url());
        Self { server, ann, model, trap }
    }

    async fn answer(&self, path: &str, token: &str) -> Answer {
        let request = self.server.anonymous().request(Method::GET, path);
        Answer::to(request.header("authorization", format!("Bearer {token}"))).await
    }

    /// Tries every token, and the first of each kind at the other contract too;
    /// returns how many there were.
    async fn refuses(&self, kinds: Vec<Kind>) -> usize {
        let mut tried = 0;
        for kind in kinds {
            for token in &kind.tokens {
                let answer = self.answer(ME, token).await;
                assert_eq!(answer.status, 401, "{}: {token}\n{answer:?}", kind.name);
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{}", kind.name);
                tried += 1;
            }
            let answer = self.answer(USERS_ME, &kind.tokens[0]).await;
            // Contract B tells a user that is none from a token that is none.
            assert!([401, 404].contains(&answer.status), "{}: {answer:?}", kind.name);
        }
        assert!(!self.trap.was_visited(), "a token made the server call somewhere");
        self.ann.me().await.is(200);
        self.accepts(&truly(&self.model.header, &self.model.claims)).await;
        tried
    }

    /// A token that says what ours say is accepted: so it is not the forge that
    /// makes the others fail.
    async fn accepts(&self, token: &str) {
        self.answer(ME, token).await.is(200);
    }
}

#[tokio::test]
async fn jw_01_a_token_without_an_algorithm_is_refused() {
    let target = Target::new().await;
    let tried = target.refuses(tables::unsigned(&target.model)).await;
    assert_eq!(tried, 58);
}

#[tokio::test]
async fn jw_02_a_token_of_any_other_algorithm_is_refused() {
    let target = Target::new().await;
    let tried = target.refuses(tables::other_algorithms(&target.model)).await;
    assert_eq!(tried, 22);
}

#[tokio::test]
async fn jw_04_a_key_is_looked_up_by_its_name_and_nowhere_else() {
    let target = Target::new().await;
    let tried = target.refuses(tables::key_names(&target.model)).await;
    assert_eq!(tried, 51);
}

#[tokio::test]
async fn jw_05_a_key_that_a_token_brings_along_or_points_at_is_not_used() {
    let target = Target::new().await;
    let tried = target.refuses(tables::brought_keys(&target.model)).await;
    assert_eq!(tried, 27);
}

/// Where tokens are signed by just such keys, under the genuine key's name.
#[tokio::test]
async fn jw_05_an_edwards_key_that_a_token_brings_along_is_not_used_where_such_keys_sign() {
    let settings = [("JWT_ALGORITHM", "EdDSA"), ("PUBLIC_URL", ORIGIN)];
    let server = Server::start_with(&settings).await;
    let ann = server.signed_up("annlee", "ann@example.com").await;
    let bob = server.signed_up("boblee", "bob@example.com").await;
    let trap = Trap::set();
    let model = Model::new(&ann.access, &bob.access, &trap.url());
    assert_eq!(model.header["alg"], "EdDSA");
    let forged = tables::brought_edwards(&model);
    assert_eq!(forged.len(), 9);
    for token in forged {
        for path in [ME, USERS_ME] {
            let request = server.anonymous().request(Method::GET, path).bearer_auth(&token);
            Answer::to(request).await.is_problem(problem::BAD_BEARER);
        }
    }
    assert!(!trap.was_visited(), "a token made the server call somewhere");
    ann.is_alive().await;
}

#[tokio::test]
async fn jw_06_extensions_nested_tokens_and_other_shapes_are_refused() {
    let target = Target::new().await;
    let tried = target.refuses(tables::extensions_and_shapes(&target.model)).await;
    assert_eq!(tried, 85);
}

#[tokio::test]
async fn jw_07_an_expiry_is_a_whole_number_that_lies_ahead() {
    let target = Target::new().await;
    let tried = target.refuses(tables::expiries(&target.model)).await;
    assert_eq!(tried, 24);
}

#[tokio::test]
async fn jw_08_a_token_from_the_future_or_from_no_time_is_refused() {
    let target = Target::new().await;
    let tried = target.refuses(tables::beginnings(&target.model)).await;
    assert_eq!(tried, 29);
    // Clocks may differ by a little, and a beginning that is over is fine.
    let now = portcullis_tests::unix_now();
    target.accepts(&target.model.claiming("iat", now + 20)).await;
    target.accepts(&target.model.claiming("nbf", now - 20)).await;
}

#[tokio::test]
async fn jw_09_issuer_and_audience_are_ours_to_the_letter() {
    let target = Target::new().await;
    let tried = target.refuses(tables::issuers_and_audiences(&target.model)).await;
    assert_eq!(tried, 34);
}

#[tokio::test]
async fn jw_10_a_token_of_another_kind_bears_nobody() {
    let target = Target::new().await;
    let tried = target.refuses(tables::other_kinds(&target.model)).await;
    assert_eq!(tried, 27);
    let server = &target.server;
    let verification = server.registered("eve@example.com").await;
    let reset = server.reset_token("ann@example.com").await;
    for token in [&target.ann.refresh, &verification, &reset] {
        target.answer(ME, token).await.is_problem(problem::BAD_BEARER);
    }
    server.anonymous().verify(&verification).await.is(200);
}

#[tokio::test]
async fn jw_11_user_and_session_are_living_rows_that_belong_together() {
    let target = Target::new().await;
    let tried = target.refuses(tables::strangers(&target.model)).await;
    assert_eq!(tried, 44);
}

#[tokio::test]
async fn jw_13_every_bit_of_a_token_is_covered_by_its_signature() {
    let target = Target::new().await;
    let mut tried = target.refuses(tables::wrong_keys_and_signatures(&target.model)).await;
    assert_eq!(tried, 56);
    tried = target.refuses(tables::flips(&target.model)).await;
    assert!(tried >= 300, "{tried}");
}

/// How much the tests above try, all in all.
#[test]
fn the_tables_hold_895_forged_tokens_of_68_kinds() {
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "0123456789A"});
    let token = |id: &str| {
        let claims = json!({
            "iss": ORIGIN, "aud": "portcullis", "sub": id, "sid": id, "jti": id,
            "iat": 1_800_000_000, "exp": 1_800_003_600, "type": "access",
        });
        truly(&header, &claims)
    };
    let (token, other) = (
        token("01890000-0000-7000-8000-00000000000a"),
        token("01890000-0000-7000-8000-00000000000b"),
    );
    let model = Model::new(&token, &other, "http://127.0.0.1:1/keys");
    let kinds: Vec<Kind> = tables::TABLES.iter().flat_map(|table| table(&model)).collect();
    let names: BTreeSet<_> = kinds.iter().map(|kind| kind.name).collect();
    let variants: BTreeSet<_> = kinds.iter().flat_map(|kind| &kind.tokens).collect();
    println!("{} kinds, {} variants", names.len(), variants.len());
    assert_eq!(names.len(), kinds.len(), "two kinds have one name");
    assert_eq!((names.len(), variants.len()), (68, 895));
    assert!(!variants.contains(&token));
}

/// A token has one spelling, and its end is the session's: whatever else of the
/// session's is signed, it is dead too.
#[tokio::test]
async fn jw_12_a_token_has_one_spelling_and_its_end_does_not_depend_on_it() {
    let target = Target::new().await;
    let tried = target.refuses(tables::spellings(&target.model)).await;
    assert_eq!(tried, 16);
    let model = &target.model;
    let text = model.claims.to_string();
    let others = [
        model.telling(&text.replace("\":", "\" : ")),
        model.telling(&text.replace("access", "acc\\u0065ss")),
        model.claiming("jti", "01890000-0000-7000-8000-000000000001"),
        model.claiming("exp", portcullis_tests::unix_now() + 9_000),
        model.claiming("extra", 1),
        target.ann.access.clone(),
    ];
    for token in &others {
        target.accepts(token).await;
    }
    target.ann.log_out_without_body().await.is(200);
    for token in &others {
        target.answer(USERS_ME, token).await.is_problem(problem::REVOKED);
    }
    for kind in tables::spellings(model) {
        for token in kind.tokens {
            target.answer(ME, &token).await.is(401);
        }
    }
}

/// What an attacker can read of the public key, in every form that might be
/// taken for the bytes of a shared secret.
fn public_forms(algorithm: &str, private: &[u8], published: &str) -> Vec<Vec<u8>> {
    let private = pem::parse(private).unwrap();
    let der: PublicKeyX509Der<'_> = match algorithm {
        "RS256" => {
            let pair = rsa::KeyPair::from_pkcs8(private.contents()).unwrap();
            pair.public_key().as_der().unwrap()
        }
        "ES256" => {
            let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let pair = EcdsaKeyPair::from_pkcs8(alg, private.contents()).unwrap();
            pair.public_key().as_der().unwrap()
        }
        _ => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private.contents()).unwrap();
            pair.public_key().as_der().unwrap()
        }
    };
    let der = der.as_ref().to_vec();
    let unix = pem::encode(&pem::Pem::new("PUBLIC KEY", der.clone())).replace("\r\n", "\n");
    let set: Value = serde_json::from_str(published).unwrap();
    let key = &set["keys"][0];
    let mut forms = vec![
        Vec::new(),
        der,
        unix.trim_end().into(),
        unix.replace('\n', "\r\n").into_bytes(),
        unix.into_bytes(),
        published.into(),
        key.to_string().into_bytes(),
        key["kid"].as_str().unwrap().into(),
    ];
    let mut point = vec![4];
    for name in ["n", "x", "y"] {
        if let Some(text) = key[name].as_str() {
            forms.extend([text.into(), decode(text)]);
            point.extend(decode(text));
        }
    }
    forms.push(point);
    forms
}

#[tokio::test]
async fn jw_03_a_public_key_is_no_shared_secret_in_any_form() {
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let server = Server::start_with(&[("JWT_ALGORITHM", algorithm)]).await;
        let ann = server.signed_up("annlee", "ann@example.com").await;
        let published = server.anonymous().get("/.well-known/jwks.json").await.expect(200).text;
        let file = server.folder().join("data/keys").read_dir().unwrap().next().unwrap();
        let private = std::fs::read(file.unwrap().path()).unwrap();
        let (head, said) = (header(&ann.access), claims(&ann.access).to_string());
        let mut tried = 0;
        for key in public_forms(algorithm, &private, &published) {
            for (alg, hash) in [
                ("HS256", hmac::HMAC_SHA256),
                ("HS384", hmac::HMAC_SHA384),
                ("HS512", hmac::HMAC_SHA512),
                (algorithm, hmac::HMAC_SHA256),
            ] {
                let mut head = head.clone();
                head["alg"] = alg.into();
                for head in [head.clone(), without(&head, "kid")] {
                    let forged = sign(hash, &key, head.to_string(), &said);
                    let request = server.anonymous().request(Method::GET, ME).bearer_auth(forged);
                    Answer::to(request).await.is_problem(problem::BAD_BEARER);
                    tried += 1;
                }
            }
        }
        assert!(tried >= 80, "{algorithm}: {tried}");
        ann.is_alive().await;
    }
}

/// Two installations of one origin, whose secrets were made by themselves.
#[tokio::test]
async fn jw_15_no_common_word_signs_a_token_and_no_two_installations_share_a_secret() {
    let settings = [("PUBLIC_URL", ORIGIN)];
    let (one, two) = (Server::start_with(&settings).await, Server::start_with(&settings).await);
    let ann = one.signed_up("annlee", "ann@example.com").await;
    let bob = two.signed_up("boblee", "bob@example.com").await;
    let words = include_str!("../../../crates/domain/data/common-passwords.txt");
    let guesses = ["", "secret", "changeme", "portcullis", "your-256-bit-secret"];
    let mut tried = 0;
    for word in words.lines().chain(guesses) {
        let key = hmac::Key::new(hmac::HMAC_SHA256, word.as_bytes());
        for token in [&ann.access, &bob.access] {
            let (signed, tag) = token.rsplit_once('.').unwrap();
            assert!(hmac::verify(&key, signed.as_bytes(), &decode(tag)).is_err(), "{word}");
        }
        tried += 1;
    }
    assert!(tried >= 10_000, "{tried}");
    assert_ne!(header(&ann.access)["kid"], header(&bob.access)["kid"]);
}

/// As many refreshes as the numbers ask for, each with a token of its own.
#[tokio::test]
async fn jw_18_each_of_1000_genuine_tokens_is_accepted_lives_as_told_and_has_its_own_name() {
    let server = Server::start().await;
    let mut ann = server.logged_in("ann@example.com").await;
    let mut names = BTreeSet::new();
    for _ in 0..1_000 {
        let answer = server.anonymous().refresh(&ann.refresh).await.expect(200);
        ann = server.anonymous().with_tokens_of(&answer);
        let claims = claims(&ann.access);
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert_eq!(life, 1_800);
        assert_eq!(answer.body["expires_in"], 1_800);
        names.insert(claims["jti"].as_str().unwrap().to_owned());
        ann.me().await.is(200);
    }
    assert_eq!(names.len(), 1_000);
}

#[tokio::test]
async fn jw_19_a_token_in_a_body_is_no_token() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let token = ann.access.as_str();
    let anonymous = server.anonymous();
    let form = [("access_token", token), ("token", token)];
    let answer = anonymous.post_form(LOGOUT, &form).await;
    assert!([401, 415].contains(&answer.status), "{answer:?}");
    let body = json!({"access_token": token, "refresh_token": ann.refresh});
    anonymous.post(LOGOUT, &body).await.is_problem(problem::NO_FORM_BEARER);
    let change = anonymous.request(Method::PATCH, ME);
    let change = change.json(&json!({"access_token": token, "name": "Eve"}));
    Answer::to(change).await.is_problem(problem::NO_BEARER);
    for name in ["x-access-token", "x-authorization", "proxy-authorization", "token"] {
        let request = anonymous.request(Method::GET, ME).header(name, format!("Bearer {token}"));
        Answer::to(request).await.is_problem(problem::NO_BEARER);
    }
    ann.is_alive().await;
}

/// Truly signed, so that nothing but its length speaks against it.
#[tokio::test]
async fn jw_21_a_token_that_is_too_long_is_refused_however_well_it_is_signed() {
    let target = Target::new().await;
    let padded = |length: usize| target.model.claiming("extra", "x".repeat(length));
    target.accepts(&padded(2_400)).await;
    for length in [2_800, 4_000, 12_000] {
        let token = padded(length);
        assert!(token.len() > 4_096);
        target.answer(ME, &token).await.is_problem(problem::BAD_BEARER);
    }
    let raw = format!(
        "GET {ME} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        "A".repeat(1_000_000)
    );
    target.server.raw(raw).is_refused_with(&[400, 401, 413, 431]);
    target.ann.me().await.is(200);
}

#[tokio::test]
async fn jw_22_every_401_carries_a_challenge() {
    let settings =
        [("SECRET_KEY", SECRET), ("PUBLIC_URL", ORIGIN), ("FORM_ACCESS_TOKEN_TTL", "1s")];
    let server = Server::start_with(&settings).await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let expired = eventually("the token's end", std::time::Duration::from_secs(10), async || {
        let answer = john.users_me().await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    expired.is_problem(problem::BAD_BEARER);
    let renewed = john.refreshed().await;
    renewed.log_out_without_body().await.is(200);
    let [head, said, _] = parts(&john.access);
    let request = |token: &str| john.anonymous().request(Method::GET, USERS_ME).bearer_auth(token);
    let bad = Answer::to(request(&format!("{head}.{said}.x"))).await;
    let revoked = renewed.users_me().await;
    let missing = john.anonymous().get(USERS_ME).await;
    let wrong = john.anonymous().log_in_by_form("johndoe", "wrong password").await;
    let refresh = john.anonymous().refresh(&john.refresh).await;
    let login = john.anonymous().log_in_by_form("johndoe", PASSWORD).await;
    for answer in [expired, bad, revoked, missing, wrong, refresh] {
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    }
    assert_eq!((login.status, login.header("www-authenticate")), (200, None));
}
