//! Claims as JSON.

use portcullis_domain::ports::{IdentityError, MalformedIdentity};
use portcullis_domain::{Claim, Claims};
use serde_json::{Map, Number, Value};

/// Longest claims that are set, in bytes of JSON
/// (<https://firebase.google.com/docs/auth/admin/custom-claims>).
const MAX_BYTES: usize = 1_000;

/// Names that belong to the token itself
/// (<https://firebase.google.com/docs/auth/admin/create-custom-tokens>).
const RESERVED: [&str; 16] = [
    "acr",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "cnf",
    "exp",
    "firebase",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "sub",
];

/// Claims that a caller wants set, checked.
pub(super) fn checked(claims: &Claims) -> Result<Map<String, Value>, IdentityError> {
    if claims.keys().any(|name| RESERVED.contains(&name.as_str())) {
        return Err(IdentityError::Malformed(MalformedIdentity::ReservedClaim));
    }
    let json = json_map(claims).ok_or(IdentityError::Malformed(MalformedIdentity::Claim))?;
    if Value::Object(json.clone()).to_string().len() > MAX_BYTES {
        return Err(IdentityError::Malformed(MalformedIdentity::ClaimsTooLong));
    }
    Ok(json)
}

fn json_map(claims: &Claims) -> Option<Map<String, Value>> {
    claims.iter().map(|(name, claim)| Some((name.clone(), json(claim)?))).collect()
}

/// Nothing for a number that JSON has none for.
fn json(claim: &Claim) -> Option<Value> {
    Some(match claim {
        Claim::Null => Value::Null,
        Claim::Bool(bool) => Value::Bool(*bool),
        Claim::Integer(number) => (*number).into(),
        Claim::Float(number) => Value::Number(Number::from_f64(*number)?),
        Claim::Text(text) => Value::String(text.clone()),
        Claim::List(list) => Value::Array(list.iter().map(json).collect::<Option<_>>()?),
        Claim::Map(claims) => Value::Object(json_map(claims)?),
    })
}

/// Claims of a token or a record.
pub(super) fn read(json: Map<String, Value>) -> Claims {
    json.into_iter().map(|(name, value)| (name, claim(value))).collect()
}

fn claim(json: Value) -> Claim {
    match json {
        Value::Null => Claim::Null,
        Value::Bool(bool) => Claim::Bool(bool),
        Value::Number(number) => number
            .as_i64()
            .map(Claim::Integer)
            .or_else(|| number.as_f64().map(Claim::Float))
            .unwrap_or(Claim::Null),
        Value::String(text) => Claim::Text(text),
        Value::Array(list) => Claim::List(list.into_iter().map(claim).collect()),
        Value::Object(map) => Claim::Map(read(map)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(claims: &Claims) -> Option<MalformedIdentity> {
        match checked(claims) {
            Err(IdentityError::Malformed(which)) => Some(which),
            _ => None,
        }
    }

    fn one(name: &str, claim: Claim) -> Claims {
        [(name.to_owned(), claim)].into()
    }

    #[test]
    fn what_is_set_is_what_is_read() {
        let json = json!({
            "role": "admin", "level": 3, "big": 1e300, "flags": [true, null, -1], "in": {"a": "b"}
        });
        let Value::Object(map) = json else { unreachable!() };
        assert_eq!(checked(&read(map.clone())).unwrap(), map);
    }

    #[test]
    fn no_claim_takes_the_place_of_the_token_s_own() {
        for name in RESERVED {
            let taken = refusal(&one(name, Claim::Bool(true)));
            assert_eq!(taken, Some(MalformedIdentity::ReservedClaim), "{name}");
        }
        let inside = one("in", Claim::Map(one("sub", Claim::Null)));
        assert_eq!(refusal(&inside), None);
    }

    #[test]
    fn claims_have_a_thousand_bytes_at_most() {
        let claims = |length| one("a", Claim::Text("x".repeat(length)));
        let around = r#"{"a":""}"#.len();
        assert_eq!(refusal(&claims(1_000 - around)), None);
        assert_eq!(refusal(&claims(1_001 - around)), Some(MalformedIdentity::ClaimsTooLong));
        // A character of two bytes counts twice.
        let umlauts = one("a", Claim::Text("ü".repeat(500)));
        assert_eq!(refusal(&umlauts), Some(MalformedIdentity::ClaimsTooLong));
    }

    #[test]
    fn a_number_is_a_number() {
        for number in [f64::NAN, f64::INFINITY] {
            let nested = one("a", Claim::List(vec![Claim::Float(number)]));
            assert_eq!(refusal(&nested), Some(MalformedIdentity::Claim));
        }
    }
}
