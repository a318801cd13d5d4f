//! Google's own emulator: users, and the tokens that it gives out for them.

use std::sync::Arc;

use portcullis_crypto::SystemClock;
use portcullis_domain::ports::{
    Clock, IdentityError, IdentityProvider, MalformedIdentity, RevocationCheck,
};
use portcullis_domain::{
    Claim, Claims, Email, Identity, IdentityKey, NewIdentity, PhoneNumber, Subject,
};
use portcullis_firebase::{Authentication, FirebaseSettings, InvalidEmulatorHost};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::cloud::{Cloud, PROJECT, claims, emulator, key};
use crate::id_tokens::verify;

/// What believes the emulator.
fn authentication() -> Authentication {
    let (host, settings) = (emulator().host(), FirebaseSettings::default());
    Authentication::with_emulator(&host, PROJECT, &settings, Arc::new(SystemClock)).unwrap()
}

pub(crate) fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

fn address(user: &str) -> Email {
    Email::parse(&format!("{user}@example.com")).unwrap()
}

fn number(digits: &str) -> PhoneNumber {
    PhoneNumber::parse(&format!("+1555{digits}")).unwrap()
}

/// A user of that id, with an address of that name.
pub(crate) fn user(id: &str) -> NewIdentity {
    NewIdentity {
        subject: Some(subject(id)),
        email: Some(address(id)),
        password: Some("hunter22".into()),
        ..NewIdentity::default()
    }
}

fn role(role: &str) -> Claims {
    [("role".to_owned(), Claim::Text(role.to_owned()))].into()
}

/// Signs a user in by password; returns the ID token.
fn signed_in(id: &str) -> String {
    let email = format!("{id}@example.com");
    let body = json!({"email": email, "password": "hunter22", "returnSecureToken": true});
    let answer = emulator().as_app("signInWithPassword", &body);
    answer["idToken"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_user_is_found_by_id_by_address_and_by_number() {
    let authentication = authentication();
    let before = SystemClock.now();
    let created = authentication
        .create(NewIdentity {
            email_verified: true,
            name: Some("Ann".into()),
            picture: Some("https://pictures.example/ann.png".into()),
            phone: Some(number("0000001")),
            ..user("found")
        })
        .await
        .unwrap();
    assert_eq!(created.subject.as_str(), "found");
    for key in [
        IdentityKey::Subject(subject("found")),
        IdentityKey::Email(address("found")),
        IdentityKey::Phone(number("0000001")),
    ] {
        let ann = authentication.find(key.clone()).await.unwrap().unwrap();
        assert!(ann == created, "{key:?}");
        assert_eq!(ann.email, Some(address("found")));
        assert!(ann.email_verified && !ann.disabled);
        assert_eq!(ann.name.as_deref(), Some("Ann"));
        assert_eq!(ann.picture.as_deref(), Some("https://pictures.example/ann.png"));
        assert_eq!(ann.phone, Some(number("0000001")));
        assert!(ann.created_at.unwrap().since(before).as_secs() < 60);
        assert_eq!(ann.sign_in_providers, ["password", "phone"]);
        assert!(ann.claims.is_empty());
    }
}

#[tokio::test]
async fn a_user_needs_next_to_nothing_and_may_be_disabled() {
    let authentication = authentication();
    let disabled = NewIdentity { disabled: true, ..NewIdentity::default() };
    let created = authentication.create(disabled).await.unwrap();
    assert!(created.disabled && created.email.is_none() && !created.email_verified);
    let found = authentication.find(IdentityKey::Subject(created.subject.clone())).await.unwrap();
    assert!(found.unwrap() == created);
}

#[tokio::test]
async fn nobody_is_found_where_nobody_is() {
    let authentication = authentication();
    for key in [
        IdentityKey::Subject(subject("nobody")),
        IdentityKey::Email(address("nobody")),
        IdentityKey::Phone(number("9999999")),
    ] {
        assert!(authentication.find(key.clone()).await.unwrap().is_none(), "{key:?}");
    }
}

#[tokio::test]
async fn an_id_an_address_and_a_number_belong_to_one_user() {
    let authentication = authentication();
    let first = NewIdentity { phone: Some(number("0000002")), ..user("taken") };
    authentication.create(first).await.unwrap();
    let nobody = NewIdentity::default;
    for second in [
        NewIdentity { subject: Some(subject("taken")), ..nobody() },
        NewIdentity { email: Some(address("taken")), ..nobody() },
        NewIdentity { phone: Some(number("0000002")), ..nobody() },
    ] {
        let refused = authentication.create(second).await;
        assert!(matches!(refused, Err(IdentityError::AlreadyExists)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_value_that_the_provider_refuses_is_named() {
    let authentication = authentication();
    let weak = NewIdentity { password: Some("short".into()), ..user("weak") };
    let refused = authentication.create(weak).await;
    let is_named = matches!(refused, Err(IdentityError::Malformed(MalformedIdentity::Password)));
    assert!(is_named, "{refused:?}");
    assert!(authentication.find(IdentityKey::Email(address("weak"))).await.unwrap().is_none());
}

#[tokio::test]
async fn all_users_are_met_once_page_by_page() {
    let authentication = authentication();
    let ours: Vec<String> = (0..5).map(|number| format!("paged-{number}")).collect();
    for id in &ours {
        authentication.create(user(id)).await.unwrap();
    }
    let (mut met, mut after) = (Vec::<Identity>::new(), None);
    loop {
        let page = authentication.list(2, after).await.unwrap();
        assert!(page.identities.len() <= 2);
        met.extend(page.identities);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for id in &ours {
        assert_eq!(met.iter().filter(|one| one.subject.as_str() == id).count(), 1, "{id}");
    }
    // Other tests may add users in between, and only they.
    let whole = authentication.list(1_000, None).await.unwrap();
    assert!(whole.identities.len() >= met.len() && whole.next.is_none());
}

#[tokio::test]
async fn an_id_token_of_the_emulator_says_who_bears_it() {
    let authentication = authentication();
    let named = NewIdentity { name: Some("Ann".into()), ..user("bearer") };
    authentication.create(named).await.unwrap();
    let token = signed_in("bearer");
    for check in [RevocationCheck::Skip, RevocationCheck::Ask] {
        let ann = authentication.verify_id_token(token.as_str().into(), check).await.unwrap();
        assert_eq!(ann.subject.as_str(), "bearer");
        assert_eq!((ann.email, ann.email_verified), (Some(address("bearer")), false));
        assert_eq!(ann.sign_in_provider.as_deref(), Some("password"));
        assert_eq!(ann.name.as_deref(), Some("Ann"));
    }
}

#[tokio::test]
async fn claims_that_are_set_stand_in_the_next_token() {
    let authentication = authentication();
    authentication.create(user("claimant")).await.unwrap();
    authentication.set_custom_claims(subject("claimant"), role("admin")).await.unwrap();
    let record = authentication.find(IdentityKey::Subject(subject("claimant"))).await.unwrap();
    assert_eq!(record.unwrap().claims, role("admin"));
    let ann = verify(&authentication, &signed_in("claimant")).await.unwrap();
    assert_eq!(ann.claims["role"], Claim::Text("admin".into()));
    authentication.set_custom_claims(subject("claimant"), Claims::new()).await.unwrap();
    let ann = verify(&authentication, &signed_in("claimant")).await.unwrap();
    assert!(!ann.claims.contains_key("role"));
}

#[tokio::test]
async fn claims_of_nobody_cannot_be_set() {
    let authentication = authentication();
    let refused = authentication.set_custom_claims(subject("nobody-here"), role("admin")).await;
    assert!(matches!(refused, Err(IdentityError::NotFound)), "{refused:?}");
}

#[tokio::test]
async fn a_custom_token_signs_in_whom_it_names() {
    let unsigned = authentication();
    let cloud = Cloud::at(SystemClock.now().as_seconds());
    let signed = cloud.authentication();
    for (maker, id) in [(&unsigned, "custom-1"), (&signed, "custom-2")] {
        let token = maker.custom_token(subject(id), role("guest")).await.unwrap();
        let body = json!({"token": token.expose_secret(), "returnSecureToken": true});
        let answer = emulator().as_app("signInWithCustomToken", &body);
        let ann = verify(&unsigned, answer["idToken"].as_str().unwrap()).await.unwrap();
        assert_eq!((ann.subject.as_str(), ann.sign_in_provider.as_deref()), (id, Some("custom")));
        assert_eq!(ann.claims["role"], Claim::Text("guest".into()));
    }
}

#[tokio::test]
async fn a_custom_token_is_signed_by_the_account_for_an_hour() {
    let cloud = Cloud::new();
    let token = cloud.authentication().custom_token(subject("ann"), role("guest")).await.unwrap();
    let (header, claims) = key(0).verify(token.expose_secret()).unwrap();
    assert_eq!(header, json!({"alg": "RS256", "typ": "JWT", "kid": "0123abcd"}));
    let account = "server@demo-portcullis.iam.gserviceaccount.com";
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(account), &json!(account)));
    assert_eq!(
        claims["aud"],
        "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
    assert_eq!((&claims["uid"], &claims["claims"]), (&json!("ann"), &json!({"role": "guest"})));
}

#[tokio::test]
async fn what_the_emulator_says_counts_nowhere_else() {
    let emulated = authentication();
    emulated.create(user("elsewhere")).await.unwrap();
    let token = signed_in("elsewhere");
    verify(&emulated, &token).await.unwrap();
    let cloud = Cloud::at(SystemClock.now().as_seconds());
    let refused = verify(&cloud.authentication(), &token).await;
    assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{refused:?}");
    // Nor does the emulator's verifier take what is signed, or half of it.
    let signed = cloud.mint(&claims());
    for token in [signed.as_str(), &format!("{token}c2ln"), token.trim_end_matches('.')] {
        let refused = verify(&emulated, token).await;
        assert!(matches!(refused, Err(IdentityError::InvalidToken(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_emulator_is_on_this_machine() {
    let settings = FirebaseSettings::default();
    for host in [
        "",
        "127.0.0.1",
        "emulator.example:9099",
        "10.0.0.1:9099",
        "http://127.0.0.1:9099",
        "127.0.0.1:9099/x",
        "127.0.0.1:99999",
        "me@127.0.0.1:9099",
        "127.0.0.1:9099@emulator.example:80",
    ] {
        let made = Authentication::with_emulator(host, PROJECT, &settings, Arc::new(SystemClock));
        assert!(matches!(made, Err(InvalidEmulatorHost::Host)), "{host}");
    }
}
