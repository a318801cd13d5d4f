//! Algorithms, keys and signatures that are not ours.

use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
};
use serde_json::{Value, json};

use super::super::forge::{Kind, Model, SECRET, decode, encode, parts, sign, truly, without};

/// A secret that a token brings along.
const OWN: &str = "a key that somebody brings along themselves";

/// JW-01.
pub(in super::super) fn unsigned(model: &Model) -> Vec<Kind> {
    let [_, claims, signature] = model.parts();
    let spellings = ["none", "None", "NONE", "nOnE", "nonE", " none", "none\u{0}", ""];
    let odd = [Value::Null, json!(["none"]), json!(["HS256"]), json!(0), json!(true), json!({})];
    let head = |alg: &Value| encode(model.header_with("alg", alg.clone()).to_string());
    let all = || spellings.iter().map(|alg| json!(alg)).chain(odd.clone());
    let missing = without(&model.header, "alg");
    vec![
        Kind::new(
            "no algorithm, empty signature",
            all().map(|a| format!("{}.{claims}.", head(&a))),
        ),
        Kind::new("no algorithm, no signature", all().map(|a| format!("{}.{claims}", head(&a)))),
        Kind::new(
            "no algorithm, the genuine signature",
            all().map(|a| format!("{}.{claims}.{signature}", head(&a))),
        ),
        Kind::new("no algorithm, truly signed", all().map(|alg| model.headed("alg", alg))),
        Kind::new(
            "an algorithm that is missing",
            [truly(&missing, &model.claims), format!("{}.{claims}.", encode(missing.to_string()))],
        ),
    ]
}

/// JW-02.
pub(in super::super) fn other_algorithms(model: &Model) -> Vec<Kind> {
    let head = |alg: &str| model.header_with("alg", alg).to_string();
    let claims = model.claims.to_string();
    let hmac = |algorithm, alg: &str| sign(algorithm, SECRET, head(alg), &claims);
    vec![
        Kind::new(
            "another HMAC under the true secret",
            [hmac(HMAC_SHA384, "HS384"), hmac(HMAC_SHA512, "HS512")],
        ),
        Kind::new(
            "an HMAC that is not the one it says",
            [
                hmac(HMAC_SHA384, "HS256"),
                hmac(HMAC_SHA512, "HS256"),
                hmac(HMAC_SHA256, "HS384"),
                hmac(HMAC_SHA256, "HS512"),
            ],
        ),
        Kind::new(
            "another spelling or name of the algorithm",
            [
                "hs256", "Hs256", "HS256 ", "HS1", "HMAC", "HS2560", "A256KW", "dir", "PS256",
                "ES384",
            ]
            .map(|alg| hmac(HMAC_SHA256, alg)),
        ),
        Kind::new("an own asymmetric key", own_keys(model, &model.header)),
        Kind::new(
            "an own asymmetric key under its own name",
            own_keys(model, &model.header_with("kid", "mine")),
        ),
    ]
}

/// The genuine claims under keys of our own: P-256, Ed25519, RSA.
fn own_keys(model: &Model, header: &Value) -> Vec<String> {
    let random = SystemRandom::new();
    let signed = |alg: &str, signer: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut header = header.clone();
        header["alg"] = alg.into();
        let signed = format!("{}.{}", encode(header.to_string()), encode(model.claims.to_string()));
        format!("{signed}.{}", encode(signer(signed.as_bytes())))
    };
    let curve = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let edwards = Ed25519KeyPair::generate().unwrap();
    let rsa = rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
    vec![
        signed("ES256", &|text| curve.sign(&random, text).unwrap().as_ref().to_vec()),
        signed("EdDSA", &|text| edwards.sign(text).as_ref().to_vec()),
        signed("RS256", &|text| {
            let mut signature = vec![0; rsa.public_modulus_len()];
            rsa.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
            signature
        }),
    ]
}

/// JW-04.
pub(in super::super) fn key_names(model: &Model) -> Vec<Kind> {
    let long = "k".repeat(10_000);
    let names = [
        "../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "' UNION SELECT 'k'--",
        "1; DROP TABLE users",
        "$(touch x)",
        "`id`",
        "| id",
        "\u{0}",
        "\r\nX: y",
        "",
        " ",
        "other",
        "0",
        "null",
        "../data/keys/x",
        &model.trap,
        &long,
    ];
    let odd = [Value::Null, json!([]), json!([model.header["kid"]]), json!(0), json!({})];
    let all = || names.iter().map(|name| json!(name)).chain(odd.clone());
    let under = |key: &'static str, kid: Value| {
        let header = model.header_with("kid", kid).to_string();
        sign(HMAC_SHA256, key, header, model.claims.to_string())
    };
    let missing = without(&model.header, "kid");
    let kid = model.header["kid"].as_str().unwrap();
    vec![
        Kind::new("a key's name that is no name, truly signed", all().map(|k| under(SECRET, k))),
        Kind::new("a key's name that is no name, empty key", all().map(|kid| under("", kid))),
        Kind::new("no key's name", [truly(&missing, &model.claims)]),
        Kind::new(
            "nearly the key's name",
            [&kid[1..], &format!("{kid}="), &format!("{kid} "), &kid.to_lowercase()]
                .map(|kid| model.headed("kid", kid)),
        ),
    ]
}

/// The parameters that bring a key along, or say where one is.
fn parameters(model: &Model) -> [(&'static str, Value); 9] {
    [
        ("jwk", json!({"kty": "oct", "k": encode(OWN)})),
        ("jwk", json!({"kty": "oct", "k": encode(OWN), "kid": model.header["kid"]})),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": encode([9; 32])})),
        ("jku", json!(model.trap)),
        ("jku", json!("data:application/json,{}")),
        ("x5u", json!(model.trap)),
        ("x5c", json!([encode("certificate")])),
        ("x5t", json!(encode([1; 20]))),
        ("x5t#S256", json!(encode([1; 32]))),
    ]
}

/// Signed by keys of one's own, each of which comes with its token where the
/// parameter can hold one.
pub(in super::super) fn brought_edwards(model: &Model) -> Vec<String> {
    parameters(model).iter().map(|(name, value)| own_edwards(model, name, value)).collect()
}

/// JW-05.
pub(in super::super) fn brought_keys(model: &Model) -> Vec<Kind> {
    let brought = parameters(model);
    let under = |key: &str, (name, value): &(&str, Value)| {
        let header = model.header_with(name, value.clone()).to_string();
        sign(HMAC_SHA256, key, header, model.claims.to_string())
    };
    vec![
        Kind::new("a key of its own in the header", brought.iter().map(|one| under(OWN, one))),
        Kind::new(
            "a key in the header, truly signed",
            brought.iter().map(|one| under(SECRET, one)),
        ),
        Kind::new("an asymmetric key in the header", brought_edwards(model)),
    ]
}

fn own_edwards(model: &Model, name: &str, value: &Value) -> String {
    let pair = Ed25519KeyPair::generate().unwrap();
    let mut header = model.header_with("alg", "EdDSA");
    header[name] = value.clone();
    if name == "jwk" {
        header[name] = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())});
        if let Some(kid) = value.get("kid") {
            header[name]["kid"] = kid.clone();
        }
    }
    let signed = format!("{}.{}", encode(header.to_string()), encode(model.claims.to_string()));
    format!("{signed}.{}", encode(pair.sign(signed.as_bytes())))
}

/// JW-13: keys that are not ours, signatures of something else.
pub(in super::super) fn wrong_keys_and_signatures(model: &Model) -> Vec<Kind> {
    let [head, claims, signature] = model.parts();
    let [_, other_claims, other_signature] = parts(&model.other);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SECRET.as_bytes());
    let reversed: String = SECRET.chars().rev().collect();
    let keys: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"secret".to_vec(),
        b"changeme".to_vec(),
        b"portcullis".to_vec(),
        SECRET.to_uppercase().into_bytes(),
        SECRET.replace(' ', "").into_bytes(),
        format!("{SECRET}\n").into_bytes(),
        format!(" {SECRET}").into_bytes(),
        SECRET.as_bytes()[1..].to_vec(),
        SECRET.as_bytes()[..32].to_vec(),
        encode(SECRET).into_bytes(),
        reversed.into_bytes(),
        digest.as_ref().to_vec(),
        head.as_bytes().to_vec(),
        model.header["kid"].as_str().unwrap().as_bytes().to_vec(),
        vec![0; 32],
    ];
    let under =
        |key: &Vec<u8>| sign(HMAC_SHA256, key, model.header.to_string(), model.claims.to_string());
    let tag = decode(signature);
    let longer = [&[0][..], &[0; 32], &tag].map(|more| {
        let tag = [&tag[..], more].concat();
        format!("{head}.{claims}.{}", encode(tag))
    });
    vec![
        Kind::new("another key", keys.iter().map(under)),
        Kind::new(
            "another token's signature",
            [
                format!("{head}.{claims}.{other_signature}"),
                format!("{head}.{other_claims}.{signature}"),
                format!("{head}.{}.{signature}", encode(model.claims_with("exp", 1).to_string())),
            ],
        ),
        Kind::new(
            "the beginning of a signature",
            (0..tag.len()).map(|end| format!("{head}.{claims}.{}", encode(&tag[..end]))),
        ),
        Kind::new("more than a signature", longer),
        Kind::new(
            "a signature of nothing",
            [[0; 32], [255; 32]].map(|tag| format!("{head}.{claims}.{}", encode(tag))),
        ),
    ]
}
