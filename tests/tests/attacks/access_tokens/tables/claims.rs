//! Claims that are not true.

use portcullis_tests::unix_now;
use serde_json::{Value, json};

use super::super::forge::{Kind, Model, truly, without};

fn now() -> i64 {
    unix_now().try_into().unwrap()
}

/// JW-07.
pub(in super::super) fn expiries(model: &Model) -> Vec<Kind> {
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
pub(in super::super) fn beginnings(model: &Model) -> Vec<Kind> {
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
pub(in super::super) fn issuers_and_audiences(model: &Model) -> Vec<Kind> {
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
pub(in super::super) fn other_kinds(model: &Model) -> Vec<Kind> {
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
pub(in super::super) fn strangers(model: &Model) -> Vec<Kind> {
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
