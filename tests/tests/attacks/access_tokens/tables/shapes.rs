//! Tokens that are not written as tokens are.

use aws_lc_rs::hmac::HMAC_SHA256;
use serde_json::{Value, json};

use super::super::forge::{Kind, Model, SECRET, encode, sign};

/// JW-06.
pub(in super::super) fn extensions_and_shapes(model: &Model) -> Vec<Kind> {
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

/// JW-12: the genuine token in other letters.
pub(in super::super) fn spellings(model: &Model) -> Vec<Kind> {
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
                // At the end of a header field, blanks are not part of it.
                format!(" {token}"),
                format!("\"{token}\""),
                format!("{head}%2E{claims}%2E{signature}"),
            ],
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

/// JW-13: every character of a token, once.
pub(in super::super) fn flips(model: &Model) -> Vec<Kind> {
    let token = &model.token;
    let flipped = (0..token.len()).filter(|place| token.as_bytes()[*place] != b'.').map(|place| {
        let mut flipped = token.clone();
        let other = if &token[place..=place] == "A" { "B" } else { "A" };
        flipped.replace_range(place..=place, other);
        flipped
    });
    vec![Kind::new("a character that is another", flipped)]
}
