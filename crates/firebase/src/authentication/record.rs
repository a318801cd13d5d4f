//! A user's record as Identity Toolkit writes it:
//! <https://cloud.google.com/identity-platform/docs/reference/rest/v1/UserInfo>.

use portcullis_domain::{Email, Identity, PhoneNumber, Subject, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::claims;

/// As much of the record as is of use. Hashes of passwords are not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserInfo {
    local_id: String,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    display_name: Option<String>,
    photo_url: Option<String>,
    phone_number: Option<String>,
    #[serde(default)]
    disabled: bool,
    created_at: Option<Value>,
    last_login_at: Option<Value>,
    valid_since: Option<Value>,
    custom_attributes: Option<String>,
    #[serde(default, rename = "providerUserInfo")]
    providers: Vec<ProviderUserInfo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProviderUserInfo {
    #[serde(default)]
    provider_id: String,
}

impl UserInfo {
    /// The record; nothing when its id is none.
    pub(super) fn into_identity(self) -> Option<Identity> {
        let email = self.email.as_deref().and_then(|email| Email::parse(email).ok());
        let phone = self.phone_number.as_deref().and_then(|it| PhoneNumber::parse(it).ok());
        let attributes = self.custom_attributes.as_deref().unwrap_or("{}");
        let milliseconds =
            |value: &Value| Some(Timestamp::from_micros(number(value)?.saturating_mul(1_000)));
        Some(Identity {
            subject: Subject::parse(&self.local_id).ok()?,
            email_verified: email.is_some() && self.email_verified,
            email,
            name: self.display_name.filter(|name| !name.is_empty()),
            picture: self.photo_url.filter(|url| !url.is_empty()),
            phone,
            disabled: self.disabled,
            created_at: self.created_at.as_ref().and_then(milliseconds),
            // Zero is Identity Toolkit's "never".
            signed_in_at: self
                .last_login_at
                .as_ref()
                .and_then(milliseconds)
                .filter(|at| at.as_micros() > 0),
            tokens_valid_from: self
                .valid_since
                .as_ref()
                .and_then(number)
                .map(Timestamp::from_seconds),
            sign_in_providers: self
                .providers
                .into_iter()
                .map(|provider| provider.provider_id)
                .filter(|id| !id.is_empty())
                .collect(),
            claims: serde_json::from_str(attributes).map(claims::read).unwrap_or_default(),
        })
    }
}

/// Whole numbers come as text, since JavaScript's have 53 bits; some come as
/// numbers nevertheless.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use portcullis_domain::Claim;
    use serde_json::json;

    use super::*;

    fn identity(json: Value) -> Option<Identity> {
        serde_json::from_value::<UserInfo>(json).unwrap().into_identity()
    }

    #[test]
    fn a_record_is_read() {
        let ann = identity(json!({
            "localId": "ann",
            "email": "Ann@Example.com",
            "emailVerified": true,
            "displayName": "Ann",
            "phoneNumber": "+15551234567",
            "validSince": "1795357306",
            "createdAt": "1795357306242",
            "lastLoginAt": 0,
            "passwordHash": "c2VjcmV0",
            "customAttributes": "{\"role\":\"admin\"}",
            "providerUserInfo": [{"providerId": "password"}, {"providerId": "google.com"}]
        }))
        .unwrap();
        assert_eq!(ann.email.as_ref().map(Email::as_str), Some("ann@example.com"));
        assert!(ann.email_verified && !ann.disabled);
        assert_eq!(ann.tokens_valid_from, Some(Timestamp::from_seconds(1_795_357_306)));
        assert_eq!(ann.created_at, Some(Timestamp::from_micros(1_795_357_306_242_000)));
        assert_eq!(ann.signed_in_at, None);
        assert_eq!(ann.sign_in_providers, ["password", "google.com"]);
        assert_eq!(ann.claims, [("role".into(), Claim::Text("admin".into()))].into());
    }

    #[test]
    fn an_address_that_is_none_is_not_proven() {
        let odd = json!({"localId": "x", "email": "\"a b\"@example.com", "emailVerified": true});
        let odd = identity(odd).unwrap();
        assert_eq!((odd.email, odd.email_verified), (None, false));
        assert!(identity(json!({"localId": ""})).is_none());
    }
}
