//! Logging in by Firebase's word.

use std::time::{Duration, Instant};

use portcullis_simulators::Fault;
use portcullis_tests::{Answer, Server, eventually};
use serde_json::{Value, json};

use crate::firebase::{Firebase, PROJECT, emulator};

async fn log_in(server: &Server, token: &str) -> Answer {
    server.anonymous().post("/api/v1/auth/firebase", &json!({"id_token": token})).await
}

fn verified(email: &str) -> Value {
    json!({"email": email, "email_verified": true, "name": "Ann Lee"})
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_gets_an_account_without_a_password_and_comes_back_to_it() {
    let (firebase, id) = (Firebase::start(), "newcomer");
    let server = firebase.server(&[]).await;
    let token = firebase.token_of(id, verified("Ann@Example.com")).await;
    let first = log_in(&server, &token).await.expect(200);
    assert_eq!(first.str("/user/email"), "ann@example.com");
    assert_eq!(first.str("/user/name"), "Ann Lee");
    assert_eq!(first.body["user"]["email_verified"], true);
    let ann = server.anonymous().with_tokens_of(&first);
    assert_eq!(ann.refreshed().await.me().await.expect(200).str("/name"), "Ann Lee");
    // Whatever happens to the address there, the account is the same.
    let moved = firebase.mint(id, json!({"email": "other@example.com", "email_verified": false}));
    let again = log_in(&server, &moved).await.expect(200);
    assert_eq!(again.str("/user/id"), first.str("/user/id"));
    assert_eq!(again.str("/user/email"), "ann@example.com");
    // No password opens it, until its owner chooses one.
    server.anonymous().log_in("ann@example.com", "!").await.is(400);
    let reset = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&reset, "NewSecurePass456!").await.is(200);
    server.anonymous().log_in("ann@example.com", "NewSecurePass456!").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_have_proven_the_address_so_the_accounts_are_one() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    let ann = server.logged_in("ann@example.com").await;
    let token = firebase.token_of("linked", verified("ann@example.com")).await;
    let linked = log_in(&server, &token).await.expect(200);
    assert_eq!(linked.str("/user/id"), ann.me().await.str("/id"));
    ann.is_alive().await;
    // The password is still the owner's.
    server.logged_in_again("ann@example.com").await.is_alive().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_address_is_not_proven_is_never_taken_over() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    // Somebody registered another's address, and knows the password.
    server.anonymous().register("victim@example.com").await.is(201);
    let token = firebase.token_of("victim", verified("victim@example.com")).await;
    let refused = log_in(&server, &token).await;
    refused.is_refused(400, "EMAIL_NOT_VERIFIED");
    assert!(refused.str("/detail").contains("reset its password"), "{refused:?}");
    // The owner proves the mailbox by a reset, which throws the other out; then
    // both ways lead to the account.
    let reset = server.reset_token("victim@example.com").await;
    server.anonymous().confirm_reset(&reset, "NewSecurePass456!").await.is(200);
    log_in(&server, &token).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_firebase_has_not_proven_opens_nothing() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    server.verified("ann@example.com").await;
    let _known = firebase.token_of("unproven", json!({})).await;
    for claims in [
        json!({"email": "ann@example.com", "email_verified": false}),
        json!({"email": "ann@example.com"}),
        json!({"email": "new@example.com", "email_verified": false}),
        json!({}),
    ] {
        let token = firebase.mint("unproven", claims);
        log_in(&server, &token).await.is_refused(400, "EMAIL_NOT_VERIFIED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_foreign_expired_and_revoked_tokens_open_nothing() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    let claims = || verified("mallory@example.com");
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    let _known = firebase.token_of("mallory", claims()).await;
    let now = crate::firebase::now();
    for token in [
        String::new(),
        "not.a.token".to_owned(),
        firebase.forge("mallory", claims()),
        firebase.mint("mallory", with("aud", json!("another-project"))),
        firebase.mint("mallory", with("iss", json!("https://securetoken.google.com/another"))),
        firebase.mint("mallory", with("exp", json!(now - 1))),
        firebase.mint("mallory", with("auth_time", json!(now + 600))),
        firebase.mint("", claims()),
    ] {
        log_in(&server, &token).await.is_refused(401, "INVALID_TOKEN");
    }
    log_in(&server, &firebase.mint("nobody-knows", claims()))
        .await
        .is_refused(401, "INVALID_TOKEN");
    let good = firebase.mint("mallory", claims());
    let revoke = json!({"localId": "mallory", "validSince": (now + 60).to_string()});
    let _ = emulator().await.as_admin(PROJECT, "accounts:update", &revoke);
    log_in(&server, &good).await.is_refused(401, "TOKEN_REVOKED");
    let disable = json!({"localId": "mallory", "disableUser": true});
    let _ = emulator().await.as_admin(PROJECT, "accounts:update", &disable);
    log_in(&server, &good).await.is_refused(401, "INVALID_TOKEN");
    assert!(!server.log().contains(&good), "a token is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_first_logins_at_once_all_come_to_one_account() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    let token = firebase.token_of("crowd", verified("crowd@example.com")).await;
    let answers = portcullis_tests::at_once(16, |_| {
        let (caller, token) = (server.anonymous(), token.clone());
        async move { caller.post("/api/v1/auth/firebase", &json!({"id_token": token})).await }
    })
    .await;
    let ids: std::collections::HashSet<_> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.str("/user/id").to_owned())
        .collect();
    assert_eq!(ids.len(), 1);
    // Who met the very moment is asked to come again.
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)), "{answers:?}");
    log_in(&server, &token).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_google_that_is_away_is_no_reason_to_refuse_anybody_for_good() {
    let firebase = Firebase::start();
    let server = firebase.server(&[]).await;
    let token = firebase.token_of("patient", verified("patient@example.com")).await;
    firebase.keys.fail((0..9).map(|_| Fault::Status(500)));
    let away = log_in(&server, &token).await;
    away.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(away.header("retry-after").is_some());
    firebase.keys.recover();
    // Nor does anybody wait for long for one that is silent.
    firebase.endpoint.fail([Fault::Hang(Duration::from_mins(1))]);
    let hanging = firebase.server(&[]).await;
    let started = Instant::now();
    log_in(&hanging, &token).await.is_refused(503, "SERVICE_UNAVAILABLE");
    assert!(started.elapsed() < Duration::from_secs(11), "{:?}", started.elapsed());
    // The keys are not asked for at every login that lacks them.
    eventually("the keys", Duration::from_secs(20), async || {
        (log_in(&server, &token).await.status == 200).then_some(())
    })
    .await;
}

/// The emulator's own tokens, which nobody signs, where a developer asks for them.
#[tokio::test(flavor = "multi_thread")]
async fn in_development_the_emulators_tokens_are_believed() {
    let host = emulator().await.host();
    let server = Server::start_with(&[
        ("FIREBASE_LOGIN", "true"),
        ("FIREBASE_PROJECT_ID", PROJECT),
        ("FIREBASE_AUTH_EMULATOR_HOST", &host),
    ])
    .await;
    let mut credentials = json!({"email": "dev@example.com", "password": "dev-password"});
    let signed_up = emulator().await.as_app("signUp", &credentials);
    credentials["returnSecureToken"] = true.into();
    let unproven = emulator().await.as_app("signInWithPassword", &credentials);
    let refused = log_in(&server, unproven["idToken"].as_str().unwrap()).await;
    refused.is_refused(400, "EMAIL_NOT_VERIFIED");
    let verify = json!({"localId": signed_up["localId"], "emailVerified": true});
    let _ = emulator().await.as_admin(PROJECT, "accounts:update", &verify);
    let proven = emulator().await.as_app("signInWithPassword", &credentials);
    log_in(&server, proven["idToken"].as_str().unwrap()).await.is(200);
    assert!(server.log().contains("which nobody signs"), "{}", server.log());
}
