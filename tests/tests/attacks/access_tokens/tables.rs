//! The tables of forged tokens. All of them are signed with the instance's own
//! secret where nothing else is said: what is refused is what they say.

use aws_lc_rs::hmac::{HMAC_SHA256, HMAC_SHA384, HMAC_SHA512};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
};
use portcullis_tests::unix_now;
use serde_json::{Value, json};

use super::forge::{Kind, Model, SECRET, decode, encode, parts, sign, truly, without};

/// Every table, by the row that it shows.
pub(super) const TABLES: &[fn(&Model) -> Vec<Kind>] = &[
    unsigned,
    other_algorithms,
    key_names,
    brought_keys,
    extensions_and_shapes,
    expiries,
    beginnings,
    issuers_and_audiences,
    other_kinds,
    strangers,
    wrong_keys_and_signatures,
    flips,
    spellings,
];

fn now() -> i64 {
    unix_now().try_into().unwrap()
}

/// JW-01.
pub(super) fn unsigned(model: &Model) -> Vec<Kind> {
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
pub(super) fn other_algorithms(model: &Model) -> Vec<Kind> {
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
pub(super) fn key_names(model: &Model) -> Vec<Kind> {
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

/// JW-05.
pub(super) fn brought_keys(model: &Model) -> Vec<Kind> {
    let own = "a key that somebody brings along themselves";
    let brought = [
        ("jwk", json!({"kty": "oct", "k": encode(own)})),
        ("jwk", json!({"kty": "oct", "k": encode(own), "kid": model.header["kid"]})),
        ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": encode([9; 32])})),
        ("jku", json!(model.trap)),
        ("jku", json!("data:application/json,{}")),
        ("x5u", json!(model.trap)),
        ("x5c", json!([encode("certificate")])),
        ("x5t", json!(encode([1; 20]))),
        ("x5t#S256", json!(encode([1; 32]))),
    ];
    let under = |key: &str, (name, value): &(&str, Value)| {
        let header = model.header_with(name, value.clone()).to_string();
        sign(HMAC_SHA256, key, header, model.claims.to_string())
    };
    let mut asymmetric = Vec::new();
    for (name, value) in &brought {
        asymmetric.push(own_edwards(model, name, value));
    }
    vec![
        Kind::new("a key of its own in the header", brought.iter().map(|one| under(own, one))),
        Kind::new(
            "a key in the header, truly signed",
            brought.iter().map(|one| under(SECRET, one)),
        ),
        Kind::new("an asymmetric key in the header", asymmetric),
    ]
}

fn own_edwards(model: &Model, name: &str, value: &Value) -> String {
    let pair = Ed25519KeyPair::generate().unwrap();
    let mut header = model.header_with("alg", "EdDSA");
    header[name] = value.clone();
    if name == "jwk" {
        header[name] = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key())});
    }
    let signed = format!("{}.{}", encode(header.to_string()), encode(model.claims.to_string()));
    format!("{signed}.{}", encode(pair.sign(signed.as_bytes())))
}

/// JW-06.
pub(super) fn extensions_and_shapes(model: &Model) -> Vec<Kind> {
    let [head, claims, signature] = model.parts();
    let token = &model.token;
    let unencoded = {
        let header = model.header_with("b64", false).to_string();
        let signed = format!("{}.{}", encode(header), model.claims);
        let key = aws_lc_rs::hmac::Key::new(HMAC_SHA256, SECRET.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        // Commas would end the header field; the payload is detached instead.
        format!("{}..{}", signed.split('.').next().unwrap(), encode(tag))
    };
    let crits = [json!(["exp"]), json!([]), json!(["b64"]), json!("exp"), Value::Null, json!({})];
    let zips = [json!("DEF"), json!("GZIP"), Value::Null, json!(true)];
    let not_objects =
        ["[]", "\"x\"", "1", "null", "true", "", "{", "{}", "{}{}", "{'alg':'HS256'}"];
    let header_text = model.header.to_string();
    let claims_text = model.claims.to_string();
    let marked = |text: &str| format!("\u{feff}{text}");
    let garbage = |text: &str| format!("{text} x");
    let commented = |text: &str| format!("/* */{text}");
    vec![
        Kind::new("critical extensions", crits.map(|crit| model.headed("crit", crit))),
        Kind::new(
            "an unencoded payload",
            [model.headed("b64", false), model.headed("b64", true), unencoded],
        ),
        Kind::new("compression", zips.map(|zip| model.headed("zip", zip))),
        Kind::new("encryption", ["A128GCM", "dir"].map(|enc| model.headed("enc", enc))),
        Kind::new(
            "any other parameter",
            [model.headed("cty", "JWT"), model.headed("url", "x"), model.headed("x", 1)],
        ),
        Kind::new(
            "a token in a token",
            [model.telling(token), model.telling(&json!(token).to_string())],
        ),
        Kind::new(
            "another number of parts",
            [
                String::from("."),
                String::from(".."),
                String::from("..."),
                head.to_owned(),
                format!("{head}.{claims}"),
                format!("{token}."),
                format!(".{token}"),
                format!("{token}.{signature}"),
                format!("{head}.{claims}.{claims}.{signature}"),
                format!("{head}.{claims}.{claims}.{claims}.{signature}"),
                format!("{head}..{claims}.{claims}.{signature}"),
                format!("{head}.{claims}..{signature}"),
                format!("{head}..{signature}"),
                format!(".{claims}.{signature}"),
                format!("{head}~{claims}~{signature}"),
            ],
        ),
        Kind::new("claims that are no object", not_objects.map(|text| model.telling(text))),
        Kind::new(
            "a header that is no object",
            not_objects.map(|text| sign(HMAC_SHA256, SECRET, text, &claims_text)),
        ),
        Kind::new(
            "claims that are not quite JSON",
            [
                model.telling(&marked(&claims_text)),
                model.telling(&garbage(&claims_text)),
                model.telling(&commented(&claims_text)),
                sign(HMAC_SHA256, SECRET, &header_text, [0xff, 0xfe, 0x7b, 0x7d]),
            ],
        ),
        Kind::new(
            "a header that is not quite JSON",
            [
                sign(HMAC_SHA256, SECRET, marked(&header_text), &claims_text),
                sign(HMAC_SHA256, SECRET, garbage(&header_text), &claims_text),
                sign(HMAC_SHA256, SECRET, commented(&header_text), &claims_text),
                sign(HMAC_SHA256, SECRET, [0xff, 0xfe, 0x7b, 0x7d], &claims_text),
            ],
        ),
        Kind::new(
            "a claim twice",
            twice(&model.claims).into_iter().map(|text| model.telling(&text)),
        ),
        Kind::new(
            "a parameter twice",
            twice(&model.header)
                .into_iter()
                .map(|text| sign(HMAC_SHA256, SECRET, text, &claims_text)),
        ),
    ]
}

/// The object's text with each of its members once more, before and behind.
fn twice(object: &Value) -> Vec<String> {
    let text = object.to_string();
    let inner = &text[1..text.len() - 1];
    let members = object.as_object().unwrap().iter();
    members
        .flat_map(|(name, value)| {
            [format!("{{\"{name}\":{value},{inner}}}"), format!("{{{inner},\"{name}\":{value}}}")]
        })
        .collect()
}

/// JW-07.
pub(super) fn expiries(model: &Model) -> Vec<Kind> {
    let texts = ["1e400", "-1e400", "0.5", "1e99", "99999999999.5", "1e11", "18446744073709551616"];
    let text = model.claims.to_string();
    let exp = format!("\"exp\":{}", model.claims["exp"]);
    vec![
        Kind::new("no expiry", [truly(&model.header, &without(&model.claims, "exp"))]),
        Kind::new(
            "an expiry that is over",
            [now(), now() - 1, now() - 31, now() - 61, 0, -1, i64::MIN]
                .map(|exp| model.claiming("exp", exp)),
        ),
        Kind::new(
            "an expiry that is no number",
            [
                json!("9999999999"),
                json!(""),
                json!("never"),
                json!("2999-01-01T00:00:00Z"),
                Value::Null,
                json!(true),
                json!([]),
                json!([9_999_999_999_i64]),
                json!({}),
            ]
            .map(|exp| model.claiming("exp", exp)),
        ),
        Kind::new(
            "an expiry that is no whole number in range",
            texts.map(|number| model.telling(&text.replace(&exp, &format!("\"exp\":{number}")))),
        ),
    ]
}

/// JW-08.
pub(super) fn beginnings(model: &Model) -> Vec<Kind> {
    let future = [now() + 40, now() + 3_600, now() + 10_000_000, i64::MAX];
    let odd = || {
        [
            Value::Null,
            json!("x"),
            json!("0"),
            json!({}),
            json!([]),
            json!([0]),
            json!(true),
            json!(0.5),
        ]
    };
    let text = model.claims.to_string();
    let iat = format!("\"iat\":{}", model.claims["iat"]);
    vec![
        Kind::new("not good yet", future.map(|nbf| model.claiming("nbf", nbf))),
        Kind::new("a beginning that is no number", odd().map(|nbf| model.claiming("nbf", nbf))),
        Kind::new("made in the future", future.map(|iat| model.claiming("iat", iat))),
        Kind::new("made at no time", odd().map(|iat| model.claiming("iat", iat))),
        Kind::new(
            "made at a time out of range",
            ["1e400", "-1e400", "1e99", "9223372036854775808"]
                .map(|number| model.telling(&text.replace(&iat, &format!("\"iat\":{number}")))),
        ),
        Kind::new("made never", [truly(&model.header, &without(&model.claims, "iat"))]),
    ]
}

/// JW-09.
pub(super) fn issuers_and_audiences(model: &Model) -> Vec<Kind> {
    let near = |own: &Value| {
        let own = own.as_str().unwrap();
        [
            json!(own[..own.len() - 1]),
            json!(format!("{own}/")),
            json!(format!("{own}x")),
            json!(format!(" {own}")),
            json!(format!("{own}\u{0}")),
            json!(own.to_uppercase()),
            json!(format!("{own},other")),
            json!(""),
            json!("other"),
            json!([own]),
            json!([own, "other"]),
            json!([]),
            json!({ "0": own }),
            json!(1),
            json!(true),
            Value::Null,
        ]
    };
    let missing = |name| truly(&model.header, &without(&model.claims, name));
    vec![
        Kind::new(
            "another issuer",
            near(&model.claims["iss"]).map(|iss| model.claiming("iss", iss)),
        ),
        Kind::new(
            "another audience; a list is one, also with ours in it",
            near(&model.claims["aud"]).map(|aud| model.claiming("aud", aud)),
        ),
        Kind::new("no issuer or audience", ["iss", "aud"].map(missing)),
    ]
}

/// JW-10.
pub(super) fn other_kinds(model: &Model) -> Vec<Kind> {
    let kinds = ["refresh", "verify", "reset", "id", "Access", "access ", "email_verification", ""];
    let odd = [Value::Null, json!(["access"]), json!(1), json!(true), json!({})];
    let types = ["at+jwt", "refresh+jwt", "JWE", "jwt", "Jwt", "application/jwt", "", "JWT "];
    let odd_types = [Value::Null, json!(["JWT"]), json!(1), json!({})];
    let missing = |name: &str| truly(&model.header, &without(&model.claims, name));
    vec![
        Kind::new("a token for something else", kinds.map(|kind| model.claiming("type", kind))),
        Kind::new("a token for nothing that is text", odd.map(|kind| model.claiming("type", kind))),
        Kind::new("a token that does not say what for", [missing("type")]),
        Kind::new(
            "another media type",
            types.map(Value::from).into_iter().chain(odd_types).map(|typ| model.headed("typ", typ)),
        ),
        Kind::new("no media type", [truly(&without(&model.header, "typ"), &model.claims)]),
    ]
}

/// JW-11.
pub(super) fn strangers(model: &Model) -> Vec<Kind> {
    let others = portcullis_tests::claims(&model.other);
    let unknown = "01890000-0000-7000-8000-000000000001";
    let odd = |own: &Value| {
        let own = own.as_str().unwrap();
        [
            json!(unknown),
            json!("00000000-0000-0000-0000-000000000000"),
            json!("not-a-uuid"),
            json!("' OR '1'='1"),
            json!(""),
            json!(own[1..]),
            json!(7),
            json!([own]),
            Value::Null,
            json!({}),
        ]
    };
    // The same id in other words, which nobody ever signed.
    let words = |own: &Value| {
        let own = own.as_str().unwrap();
        [
            json!(own.replace('-', "")),
            json!(format!("{{{own}}}")),
            json!(format!("urn:uuid:{own}")),
            json!(format!(" {own}")),
            json!(format!("{own}\u{0}")),
        ]
    };
    let claiming = |name: &'static str| move |value: Value| model.claiming(name, value);
    let missing = |name: &str| truly(&model.header, &without(&model.claims, name));
    let mut both = model.claims_with("sub", unknown);
    both["sid"] = unknown.into();
    vec![
        Kind::new("a user that is none", odd(&model.claims["sub"]).map(claiming("sub"))),
        Kind::new("a session that is none", odd(&model.claims["sid"]).map(claiming("sid"))),
        Kind::new("somebody else's user", [claiming("sub")(others["sub"].clone())]),
        Kind::new("somebody else's session", [claiming("sid")(others["sid"].clone())]),
        Kind::new("a user and a session that are none", [truly(&model.header, &both)]),
        Kind::new("a user in other words", words(&model.claims["sub"]).map(claiming("sub"))),
        Kind::new("a session in other words", words(&model.claims["sid"]).map(claiming("sid"))),
        Kind::new(
            "a token without a name",
            odd(&model.claims["jti"]).into_iter().skip(2).map(claiming("jti")),
        ),
        Kind::new("nobody", ["sub", "sid", "jti"].map(missing)),
    ]
}

/// JW-13: keys that are not ours, signatures of something else.
pub(super) fn wrong_keys_and_signatures(model: &Model) -> Vec<Kind> {
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

/// JW-13: every character of a token, once.
pub(super) fn flips(model: &Model) -> Vec<Kind> {
    let token = &model.token;
    let flipped = (0..token.len()).filter(|place| token.as_bytes()[*place] != b'.').map(|place| {
        let mut flipped = token.clone();
        let other = if &token[place..=place] == "A" { "B" } else { "A" };
        flipped.replace_range(place..=place, other);
        flipped
    });
    vec![Kind::new("a character that is another", flipped)]
}

/// JW-12: the genuine token in other letters.
pub(super) fn spellings(model: &Model) -> Vec<Kind> {
    let [head, claims, signature] = model.parts();
    let token = &model.token;
    let padded = |part: &str| format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4));
    // A signature of 32 bytes leaves two bits of its last character unused.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = signature.bytes().last().unwrap();
    let value = alphabet.iter().position(|letter| *letter == last).unwrap();
    let loose = (1..4).map(|bits| {
        let letter = char::from(alphabet[value | bits]);
        format!("{head}.{claims}.{}{letter}", &signature[..signature.len() - 1])
    });
    vec![
        Kind::new(
            "padding",
            [
                format!("{head}=.{claims}.{signature}"),
                format!("{head}.{claims}==.{signature}"),
                format!("{head}.{claims}.{}", padded(signature)),
                format!("{token}="),
                format!("{token}=="),
            ],
        ),
        Kind::new("bits that no byte uses", loose),
        Kind::new(
            "blanks and quotes",
            [
                format!("{head}. {claims}.{signature}"),
                format!("{token} "),
                format!(" {token}"),
                format!("\"{token}\""),
                format!("{head}%2E{claims}%2E{signature}"),
            ]
            .into_iter()
            // At the end of a header field, blanks are not part of it.
            .filter(|spelling| !spelling.ends_with(' ')),
        ),
        Kind::new("another case", [token.to_lowercase(), token.to_uppercase()]),
        Kind::new(
            "another alphabet",
            [
                format!("{head}.{claims}.{}+", &signature[..signature.len() - 1]),
                format!("{head}.{claims}.{}/", &signature[..signature.len() - 1]),
            ],
        ),
    ]
}
