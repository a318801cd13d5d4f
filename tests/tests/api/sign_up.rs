//! Signing up by contract B.

use portcullis_tests::{PASSWORD, Server, at_once, problem};

const SIGN_UP: &str = "/api/v1/auth/signup";

fn fields<'a>(username: &'a str, first_name: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("username", username),
        ("email", "john@example.com"),
        ("password", PASSWORD),
        ("first_name", first_name),
        ("last_name", "Doe"),
    ]
}

#[tokio::test]
async fn signing_up_answers_with_tokens_that_work_at_once() {
    let server = Server::start().await;
    let answer = server.anonymous().sign_up("johndoe", "john@example.com").await.expect(201);
    answer.has_exactly(&["access_token", "refresh_token", "token_type", "expires_in"]);
    assert_eq!(answer.str("/token_type"), "bearer");
    assert_eq!(answer.body["expires_in"], 3600);
    server.anonymous().with_tokens_of(&answer).is_alive().await;
}

#[tokio::test]
async fn signing_up_mails_a_verification_too() {
    let server = Server::start().await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    assert_eq!(john.me().await.expect(200).body["email_verified"], false);
    let mail = server.mailbox().mail("john@example.com", "Verify your email address").await;
    server.anonymous().verify(&mail.token()).await.is(200);
    assert_eq!(john.me().await.expect(200).body["email_verified"], true);
}

#[tokio::test]
async fn taken_username_and_taken_address_are_one_answer() {
    let server = Server::start().await;
    server.signed_up("johndoe", "john@example.com").await;
    for (username, email) in [
        ("johndoe", "other@example.com"),
        ("JohnDoe", "other@example.com"),
        ("other", "john@example.com"),
        ("other", "JOHN@example.com"),
    ] {
        let answer = server.anonymous().sign_up(username, email).await;
        answer.is_problem(problem::SIGN_UP_FAILED);
    }
}

#[tokio::test]
async fn both_contracts_share_the_addresses() {
    let server = Server::start().await;
    server.anonymous().register("ann@example.com").await.is(201);
    let answer = server.anonymous().sign_up("annlee", "ann@example.com").await;
    answer.is_problem(problem::SIGN_UP_FAILED);
    server.signed_up("johndoe", "john@example.com").await;
    server.anonymous().register("john@example.com").await.is_problem(problem::EMAIL_TAKEN);
}

#[tokio::test]
async fn of_32_who_want_a_username_one_gets_it() {
    let server = Server::start().await;
    let answers = at_once(32, |number| {
        let anonymous = server.anonymous();
        async move { anonymous.sign_up("johndoe", &format!("john{number}@example.com")).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::SIGN_UP_FAILED);
    }
}

#[tokio::test]
async fn all_missing_fields_are_named_at_once() {
    let server = Server::start().await;
    let answer = server.anonymous().post_form(SIGN_UP, &[]).await;
    answer.is_missing(&["username", "email", "password", "first_name", "last_name"]);
}

#[tokio::test]
async fn usernames_and_names_have_their_bounds() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    for bad in ["ab", &"x".repeat(51), "john doe", "john@doe", "jöhn", " johndoe"] {
        anonymous.post_form(SIGN_UP, &fields(bad, "John")).await.is_invalid(&["username"]);
    }
    for bad in ["", "  ", &"x".repeat(51)] {
        anonymous.post_form(SIGN_UP, &fields("johndoe", bad)).await.is_invalid(&["first_name"]);
    }
    anonymous.post_form(SIGN_UP, &fields("J.o-h_n9", &"é".repeat(50))).await.is(201);
}

#[tokio::test]
async fn a_weak_password_stores_nothing() {
    let server = Server::start().await;
    let mut weak = fields("john.the.doe", "John");
    weak[2] = ("password", "short");
    server.anonymous().post_form(SIGN_UP, &weak).await.is_problem(problem::TOO_SHORT);
    weak[2] = ("password", "John.The.Doe");
    let answer = server.anonymous().post_form(SIGN_UP, &weak).await;
    answer.is_refused(400, "WEAK_PASSWORD");
    weak[2] = ("password", PASSWORD);
    server.anonymous().post_form(SIGN_UP, &weak).await.is(201);
}

#[tokio::test]
async fn fields_that_are_not_asked_for_have_no_effect() {
    let server = Server::start().await;
    let mut given = fields("johndoe", "John").to_vec();
    given.extend([("id", "7000000"), ("is_admin", "true"), ("email_verified", "true")]);
    let answer = server.anonymous().post_form(SIGN_UP, &given).await.expect(201);
    let john = server.anonymous().with_tokens_of(&answer);
    assert_ne!(john.users_me().await.expect(200).body["id"], 7_000_000);
    assert_eq!(john.me().await.expect(200).body["email_verified"], false);
}
