//! Registering by contract A.

use portcullis_tests::{NAME, PASSWORD, Server, at_once, problem};
use serde_json::{Value, json};

const REGISTER: &str = "/api/v1/auth/register";
const KEYS: [&str; 6] = ["id", "email", "name", "email_verified", "created_at", "message"];

#[tokio::test]
async fn registering_answers_with_the_account_and_nothing_else() {
    let server = Server::start().await;
    let answer = server.anonymous().register("ann@example.com").await.expect(201);
    answer.has_exactly(&KEYS);
    assert_eq!(answer.str("/email"), "ann@example.com");
    assert_eq!(answer.str("/name"), NAME);
    assert_eq!(answer.body["email_verified"], false);
    assert_eq!(
        answer.str("/message"),
        "Registration successful. Please check your email to verify your account."
    );
    assert_eq!(answer.str("/id").len(), 36);
    answer.is_instant_at("/created_at");
}

#[tokio::test]
async fn rg_12_registering_opens_no_session() {
    let server = Server::start().await;
    let answer = server.anonymous().register("ann@example.com").await.expect(201);
    assert!(!answer.text.contains("token"), "{}", answer.text);
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn address_and_name_are_stored_in_their_canonical_spelling() {
    let server = Server::start().await;
    let body = json!({"email": " Ann@Example.COM ", "name": "  Ann Lee ", "password": PASSWORD});
    let answer = server.anonymous().post(REGISTER, &body).await.expect(201);
    assert_eq!(answer.str("/email"), "ann@example.com");
    assert_eq!(answer.str("/name"), "Ann Lee");
}

#[tokio::test]
async fn rg_02_an_address_is_registered_once_whatever_its_case() {
    let server = Server::start().await;
    server.anonymous().register("ann@example.com").await.is(201);
    for taken in ["ann@example.com", "ANN@Example.Com", " ann@example.com"] {
        server.anonymous().register(taken).await.is_problem(problem::EMAIL_TAKEN);
    }
}

#[tokio::test]
async fn rg_10_subaddresses_are_addresses_of_their_own() {
    let server = Server::start().await;
    for own in ["ann@example.com", "ann+1@example.com", "a.nn@example.com"] {
        server.anonymous().register(own).await.is(201);
    }
}

#[tokio::test]
async fn rg_01_of_64_identical_registrations_one_succeeds_and_one_mail_is_sent() {
    let server = Server::start().await;
    let answers = at_once(64, |_| {
        let anonymous = server.anonymous();
        async move { anonymous.register("ann@example.com").await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::EMAIL_TAKEN);
    }
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().all("ann@example.com").await.len(), 1);
}

#[tokio::test]
async fn all_failing_fields_are_named_at_once() {
    let server = Server::start().await;
    let body = json!({"email": "no address", "name": "  ", "password": 5});
    let answer = server.anonymous().post(REGISTER, &body).await;
    answer.is_invalid(&["email", "name", "password"]);
    assert_eq!(answer.entry("email")["msg"], "value is not a valid email address");
}

#[tokio::test]
async fn missing_fields_are_said_to_be_required() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    let answer = anonymous.post(REGISTER, &json!({"name": NAME, "password": PASSWORD})).await;
    answer.is_missing(&["email"]);
    assert_eq!(answer.entry("email")["loc"], json!(["email"]));
    anonymous.post(REGISTER, &json!({})).await.is_missing(&["email", "name", "password"]);
}

#[tokio::test]
async fn pw_15_a_refusal_never_repeats_what_was_submitted() {
    let server = Server::start().await;
    let canary = "canary-4f1b";
    let body = json!({"email": canary, "name": {"x": canary}, "password": [canary]});
    let answer = server.anonymous().post(REGISTER, &body).await;
    answer.is_invalid(&["email", "name", "password"]);
    assert!(!answer.text.contains(canary), "{}", answer.text);
}

#[tokio::test]
async fn rg_18_a_name_has_1_to_255_code_points() {
    let server = Server::start().await;
    let body =
        |name: &str, email: &str| json!({"email": email, "name": name, "password": PASSWORD});
    let anonymous = server.anonymous();
    anonymous.post(REGISTER, &body(&"é".repeat(255), "long@example.com")).await.is(201);
    anonymous.post(REGISTER, &body("x", "short@example.com")).await.is(201);
    for bad in ["", " \t", &"é".repeat(256), "a\u{0}b", "a\r\nBcc: b@example.com", "a\u{202E}b"] {
        anonymous.post(REGISTER, &body(bad, "bad@example.com")).await.is_invalid(&["name"]);
    }
}

#[tokio::test]
async fn markup_in_a_name_is_only_text() {
    let server = Server::start().await;
    let name = "<script>alert(1)</script>";
    let body = json!({"email": "ann@example.com", "name": name, "password": PASSWORD});
    let answer = server.anonymous().post(REGISTER, &body).await.expect(201);
    assert_eq!(answer.str("/name"), name);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let mail = server.mailbox().mail("ann@example.com", "Verify your email address").await;
    assert!(!mail.html.contains("<script"), "{}", mail.html);
}

#[tokio::test]
async fn rg_07_dangerous_forms_of_addresses_are_refused() {
    let server = Server::start().await;
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_total = format!("a@{}com", "abcdefghi.".repeat(26));
    let long_label = format!("a@{}.com", "b".repeat(64));
    for bad in [
        "",
        "ann",
        "a@b@example.com",
        ".ann@example.com",
        "ann..lee@example.com",
        "ann.@example.com",
        "ann@",
        "@example.com",
        "ann lee@example.com",
        "\"ann lee\"@example.com",
        "ann(comment)@example.com",
        "ann@[127.0.0.1]",
        "<ann@example.com>",
        "ann@example.com,bob@example.com",
        "=?utf-8?q?=41?=@example.com",
        "ann\t@example.com",
        "ann\r@example.com",
        "ann\n@example.com",
        "ann@exam\nple.com",
        "ann@example.com\r\nBcc: bob@example.com",
        "ann\u{0}@example.com",
        "ann@localhost",
        "ann@-example.com",
        "ann@exam_ple.com",
        "m\u{131}ke@example.com",
        "mi\u{212A}e@example.com",
        &long_local,
        &long_total,
        &long_label,
    ] {
        server.anonymous().register(bad).await.is_invalid(&["email"]);
    }
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    let mails = server.mailbox().answer("").await.expect(200);
    assert_eq!(mails.body["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn rg_09_ordinary_addresses_are_welcome() {
    let server = Server::start().await;
    let longest_local = format!("{}@example.com", "a".repeat(64));
    for good in [
        "a+b@example.io",
        "o'neil@example.co.uk",
        "x@a-b.travel",
        "12345@example.com",
        "a_b@example.com",
        "first.last@example.com",
        "first.middle.last@sub.sub.example.com",
        "a@example.museum",
        "a-b@example.de",
        "-@example.com",
        "_@example.com",
        "a@1example.com",
        "a@example1.com",
        "a@123.example.com",
        "a@a.co",
        "a/b@example.com",
        "a=b@example.com",
        "a%b@example.com",
        "#!$&*?^`{|}~@example.com",
        &longest_local,
    ] {
        let answer = server.anonymous().register(good).await.expect(201);
        assert_eq!(answer.str("/email"), good);
    }
}

#[tokio::test]
async fn an_address_of_the_wrong_type_reaches_nobody() {
    let server = Server::start().await;
    let bad = [json!(["a@example.com", "b@example.com"]), json!({"a": 1}), json!(5), json!(true)];
    for email in bad {
        let body = json!({"email": email, "name": NAME, "password": PASSWORD});
        server.anonymous().post(REGISTER, &body).await.is_invalid(&["email"]);
    }
    let null = json!({"email": Value::Null, "name": NAME, "password": PASSWORD});
    server.anonymous().post(REGISTER, &null).await.is_invalid(&["email"]);
    server.registered("later@example.com").await;
    assert!(server.mailbox().all("a@example.com").await.is_empty());
}

#[tokio::test]
async fn rg_11_fields_that_are_not_asked_for_have_no_effect() {
    let server = Server::start().await;
    let id = "00000000-0000-7000-8000-000000000001";
    let body = json!({
        "email": "ann@example.com", "name": NAME, "password": PASSWORD,
        "email_verified": true, "is_active": true, "id": id, "role": "admin",
        "created_at": "2001-01-01T00:00:00Z", "password_hash": "x", "failed_login_attempts": -99,
    });
    let answer = server.anonymous().post(REGISTER, &body).await.expect(201);
    answer.has_exactly(&KEYS);
    assert_eq!(answer.body["email_verified"], false);
    assert_ne!(answer.str("/id"), id);
    assert!(!answer.str("/created_at").starts_with("2001"));
    let login = server.anonymous().log_in("ann@example.com", PASSWORD).await;
    login.is_problem(problem::NOT_VERIFIED);
}

#[tokio::test]
async fn en_07_a_hidden_refusal_looks_like_success_and_the_owner_is_told() {
    let server = Server::start_with(&[("REGISTRATION_DISCLOSURE", "hide")]).await;
    let first = server.anonymous().register("ann@example.com").await.expect(201);
    let second =
        server.anonymous().register_with("ann@example.com", "another good one").await.expect(201);
    second.has_exactly(&KEYS);
    assert_eq!(first.body["message"], second.body["message"]);
    assert_eq!(first.body["email"], second.body["email"]);
    assert_ne!(first.body["id"], second.body["id"]);
    let subject = "Somebody tried to register with your email address";
    let mail = server.mailbox().mail("ann@example.com", subject).await;
    assert!(!mail.text.contains("verify-email"), "{}", mail.text);
    let login = server.anonymous().log_in("ann@example.com", "another good one").await;
    login.is_problem(problem::BAD_LOGIN);
}
