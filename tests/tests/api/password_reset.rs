//! Choosing a new password by mail.

use portcullis_tests::{PASSWORD, Server, at_once, problem};
use serde_json::json;

const REQUEST: &str = "/api/v1/auth/password-reset/request";
const CONFIRM: &str = "/api/v1/auth/password-reset/confirm";
const SUBJECT: &str = "Reset your password";
const ANOTHER: &str = "NewSecurePass456!";

#[tokio::test]
async fn pr_08_the_mailed_token_replaces_the_password_and_opens_no_session() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    let answer = server.anonymous().confirm_reset(&token, ANOTHER).await.expect(200);
    answer.has_exactly(&["message"]);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(
        answer.str("/message"),
        "Password reset successfully. Please login with your new password."
    );
    let old = server.anonymous().log_in("ann@example.com", PASSWORD).await;
    old.is_problem(problem::BAD_LOGIN);
    server.anonymous().log_in("ann@example.com", ANOTHER).await.is(200);
}

#[tokio::test]
async fn pr_01_asking_says_the_same_to_everybody_and_mails_only_who_exists() {
    let server = Server::start().await;
    server.verified("verified@example.com").await;
    server.registered("waiting@example.com").await;
    for email in ["nobody@example.com", "verified@example.com", "waiting@example.com"] {
        let answer = server.anonymous().request_reset(email).await.expect(200);
        answer.has_exactly(&["message"]);
        assert_eq!(
            answer.str("/message"),
            "If an account exists, a password reset email has been sent."
        );
    }
    server.mailbox().mail("verified@example.com", SUBJECT).await;
    server.mailbox().mail("waiting@example.com", SUBJECT).await;
    assert!(server.mailbox().all("nobody@example.com").await.is_empty());
}

#[tokio::test]
async fn rg_06_the_mail_goes_to_the_stored_address() {
    let server = Server::start().await;
    server.verified("bob@example.com").await;
    server.anonymous().request_reset("bOB@eXAMPLE.com").await.is(200);
    server.mailbox().mail("bob@example.com", SUBJECT).await;
}

#[tokio::test]
async fn pr_19_the_links_token_stays_out_of_requests() {
    let server = Server::start_with(&[("PUBLIC_URL", "https://auth.example.com")]).await;
    server.registered("ann@example.com").await;
    server.anonymous().request_reset("ann@example.com").await.is(200);
    let mail = server.mailbox().mail("ann@example.com", SUBJECT).await;
    let expected = format!("https://auth.example.com/reset-password#token={}", mail.token());
    assert_eq!(mail.link(), expected);
}

#[tokio::test]
async fn pr_19_the_page_for_a_new_password_is_ours() {
    let server = Server::start().await;
    let page = server.anonymous().browse("/reset-password").await.expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert!(page.text.contains("name=\"password\""), "{}", page.text);
    assert_eq!(portcullis_tests::foreign_hosts(&page.text), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_of_ones_own_can_be_linked_instead() {
    let page = "https://app.example.com/reset?t={token}";
    let server = Server::start_with(&[("PASSWORD_RESET_URL", page)]).await;
    server.registered("ann@example.com").await;
    server.anonymous().request_reset("ann@example.com").await.is(200);
    let mail = server.mailbox().mail("ann@example.com", SUBJECT).await;
    assert_eq!(mail.link(), page.replace("{token}", &mail.token()));
}

#[tokio::test]
async fn pr_10_asking_changes_nothing() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    server.reset_token("ann@example.com").await;
    ann.is_alive().await;
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn pr_10_asking_lifts_no_lock() {
    let server = Server::start_with(&[("LOCKOUT_THRESHOLD", "2")]).await;
    server.verified("ann@example.com").await;
    for _ in 0..2 {
        let wrong = server.anonymous().log_in("ann@example.com", "wrong password").await;
        wrong.is_problem(problem::BAD_LOGIN);
    }
    server.reset_token("ann@example.com").await;
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is_problem(problem::LOCKED);
}

#[tokio::test]
async fn pr_03_a_token_resets_once() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
    let again = server.anonymous().confirm_reset(&token, "a third good one").await;
    again.is_problem(problem::BAD_RESET);
    server.anonymous().log_in("ann@example.com", ANOTHER).await.is(200);
}

#[tokio::test]
async fn of_16_resets_at_once_one_decides_the_password() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    let outcomes = at_once(16, |number| {
        let (anonymous, token) = (server.anonymous(), token.clone());
        async move {
            let password = format!("good password {number}");
            (anonymous.confirm_reset(&token, &password).await, password)
        }
    })
    .await;
    let (won, lost): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!(won.len(), 1);
    for (answer, _) in &lost {
        answer.is_problem(problem::BAD_RESET);
    }
    server.anonymous().log_in("ann@example.com", &won[0].1).await.is(200);
    server.anonymous().log_in("ann@example.com", &lost[0].1).await.is_problem(problem::BAD_LOGIN);
}

#[tokio::test]
async fn pr_06_a_success_spends_every_other_token() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let first = server.reset_token("ann@example.com").await;
    let second = server.reset_token("ann@example.com").await;
    let third = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&third, ANOTHER).await.is(200);
    for spent in [first, second, third] {
        let answer = server.anonymous().confirm_reset(&spent, "a third good one").await;
        answer.is_problem(problem::BAD_RESET);
    }
}

#[tokio::test]
async fn a_newer_request_leaves_the_older_token_good() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let first = server.reset_token("ann@example.com").await;
    server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&first, ANOTHER).await.is(200);
}

#[tokio::test]
async fn pr_11_a_weak_password_does_not_spend_the_token() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "short").await.is_problem(problem::TOO_SHORT);
    for weak in ["password1", "ann@example.com"] {
        let answer = server.anonymous().confirm_reset(&token, weak).await;
        answer.is_refused(400, "WEAK_PASSWORD");
    }
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
}

#[tokio::test]
async fn the_password_is_judged_before_the_token() {
    let server = Server::start().await;
    server.anonymous().confirm_reset("unknown", "short").await.is_problem(problem::TOO_SHORT);
    server.anonymous().confirm_reset("unknown", ANOTHER).await.is_problem(problem::BAD_RESET);
}

#[tokio::test]
async fn pr_07_a_reset_ends_all_sessions() {
    let server = Server::start().await;
    let sessions = [
        server.logged_in("ann@example.com").await,
        server.logged_in_again("ann@example.com").await,
        server.logged_in_again("ann@example.com").await,
    ];
    let bob = server.logged_in("bob@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
    for session in sessions {
        session.is_over().await;
    }
    bob.is_alive().await;
    let old = server.anonymous().log_in("ann@example.com", PASSWORD).await;
    old.is_problem(problem::BAD_LOGIN);
    server.anonymous().log_in("ann@example.com", ANOTHER).await.is(200);
}

#[tokio::test]
async fn pr_09_the_owner_is_told_once_without_any_secret() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
    let subject = "Your password was changed";
    let mail = server.mailbox().mail("ann@example.com", subject).await;
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().count("ann@example.com", subject).await, 1);
    for part in [&mail.text, &mail.html] {
        assert!(!part.contains(&token) && !part.contains(ANOTHER), "{part}");
    }
}

#[tokio::test]
async fn rg_13_a_reset_proves_the_mailbox_and_takes_the_address_back() {
    let server = Server::start().await;
    // Somebody else registered Ann's address; the mail reaches Ann.
    server.anonymous().register_with("ann@example.com", "the squatter's one").await.is(201);
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
    let login = server.anonymous().log_in("ann@example.com", ANOTHER).await.expect(200);
    assert_eq!(login.body["user"]["email_verified"], true);
    let squatter = server.anonymous().log_in("ann@example.com", "the squatter's one").await;
    squatter.is_problem(problem::BAD_LOGIN);
}

/// Signing up by contract B gives tokens before the mailbox is proven.
#[tokio::test]
async fn rg_13_a_reset_ends_the_session_of_whoever_signed_up_with_anothers_address() {
    let server = Server::start().await;
    let squatter = server.signed_up("squatter", "ann@example.com").await;
    squatter.me().await.is(200);
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
    squatter.is_over().await;
    let by_username = server.anonymous().log_in_by_form("squatter", PASSWORD).await;
    by_username.is_problem(problem::BAD_FORM_LOGIN);
    server.logged_in_with("ann@example.com", ANOTHER).await.is_alive().await;
}

#[tokio::test]
async fn pr_12_the_token_alone_decides_whose_password_it_is() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.verified("bob@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    let body = json!({
        "token": token, "new_password": ANOTHER, "email": "bob@example.com", "user_id": 2,
    });
    server.anonymous().post(CONFIRM, &body).await.is(200);
    server.anonymous().log_in("bob@example.com", PASSWORD).await.is(200);
    server.anonymous().log_in("ann@example.com", ANOTHER).await.is(200);
}

#[tokio::test]
async fn pr_05_an_expired_token_is_refused() {
    let server = Server::start_with(&[("RESET_TOKEN_TTL", "1s")]).await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    // Asking whether it has expired would spend it.
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is_problem(problem::BAD_RESET);
}

#[tokio::test]
async fn one_address_gets_five_mails_of_a_kind_and_everybody_the_same_answer() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    for _ in 0..8 {
        server.anonymous().request_reset("ann@example.com").await.is(200);
    }
    server.mailbox().mails("ann@example.com", SUBJECT, 5).await;
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().count("ann@example.com", SUBJECT).await, 5);
}

#[tokio::test]
async fn missing_and_mistyped_fields_are_named() {
    let server = Server::start().await;
    let anonymous = server.anonymous();
    anonymous.post(REQUEST, &json!({})).await.is_missing(&["email"]);
    anonymous.post(REQUEST, &json!({"email": ["a@x.com"]})).await.is_invalid(&["email"]);
    anonymous.post(CONFIRM, &json!({})).await.is_missing(&["token", "new_password"]);
    let body = json!({"token": 5, "new_password": null});
    anonymous.post(CONFIRM, &body).await.is_invalid(&["token", "new_password"]);
}
