//! Which passwords may be chosen, and that they are compared whole.

use portcullis_tests::{NAME, PASSWORD, Server, problem};
use serde_json::json;

/// Registers with a password and says how it was refused, if it was.
async fn refusal(server: &Server, email: &str, password: &str) -> Option<String> {
    let answer = server.anonymous().register_with(email, password).await;
    if answer.status == 201 {
        return None;
    }
    answer.is_refused(400, "WEAK_PASSWORD");
    Some(answer.str("/detail").to_owned())
}

#[tokio::test]
async fn pw_01_eight_is_counted_in_code_points() {
    let server = Server::start().await;
    for short in ["", "abcdefg", "ééééééé"] {
        let answer = server.anonymous().register_with("ann@example.com", short).await;
        answer.is_problem(problem::TOO_SHORT);
        let answer = server.anonymous().confirm_reset("unknown", short).await;
        answer.is_problem(problem::TOO_SHORT);
    }
    assert_eq!(refusal(&server, "ann@example.com", "éàüöñçøå").await, None);
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, "åøçñöüàé").await.is(200);
}

#[tokio::test]
async fn pw_08_common_passwords_are_refused_and_the_documents_samples_are_not() {
    let server = Server::start().await;
    for common in ["password1", "qwertyuiop", "iloveyou1", "12345678", "PASSWORD1"] {
        let refused = refusal(&server, "ann@example.com", common).await.unwrap();
        assert!(refused.starts_with("Password "), "{common}: {refused}");
    }
    let samples = [PASSWORD, "TestPass123!", "NewSecurePass456!", "secretpassword", "testpass123"];
    for (number, sample) in samples.into_iter().enumerate() {
        let email = format!("ann{number}@example.com");
        assert_eq!(refusal(&server, &email, sample).await, None, "{sample}");
    }
}

#[tokio::test]
async fn pw_10_a_password_is_not_the_accounts_own_data() {
    let server = Server::start().await;
    let own = ["annabella@example.com", "ANNABELLA", NAME, "aNN mARY lEE"];
    for password in own {
        let refused = refusal(&server, "annabella@example.com", password).await.unwrap();
        assert!(refused.starts_with("Password "), "{password}: {refused}");
    }
}

#[tokio::test]
async fn composition_asks_for_one_kind_after_the_other() {
    let server = Server::start_with(&[("PASSWORD_POLICY", "composition")]).await;
    for (password, missing) in [
        ("short", "Password must be at least 8 characters"),
        ("no upper here", "Password must contain uppercase letter"),
        ("NO LOWER HERE", "Password must contain lowercase letter"),
        ("No Digit Here", "Password must contain digit"),
        ("No 1 Special Here", "Password must contain special character"),
    ] {
        let refused = refusal(&server, "ann@example.com", password).await;
        assert_eq!(refused.as_deref(), Some(missing));
    }
    assert_eq!(refusal(&server, "ann@example.com", PASSWORD).await, None);
}

#[tokio::test]
async fn pw_02_more_than_1024_bytes_are_refused_and_never_cut() {
    let server = Server::start().await;
    let longest = "x1".repeat(512);
    let too_long = longest.clone() + "y";
    let answer = server.anonymous().register_with("ann@example.com", &too_long).await;
    answer.is_invalid(&["password"]);
    assert_eq!(refusal(&server, "ann@example.com", &longest).await, None);
}

#[tokio::test]
async fn pw_03_pw_05_every_byte_of_a_password_counts() {
    let server = Server::start().await;
    let head = "A".repeat(72);
    for (number, right, wrong) in [
        (0, format!("{head}right1"), [format!("{head}wrong1"), head.clone()]),
        (1, "with\0nul in it".to_owned(), ["with".to_owned(), "with\0nul in".to_owned()]),
        (2, "  lead and trail  ".to_owned(), ["lead and trail".into(), "  lead and trail".into()]),
    ] {
        let email = format!("ann{number}@example.com");
        server.anonymous().register_with(&email, &right).await.is(201);
        for guess in wrong {
            let answer = server.anonymous().log_in(&email, &guess).await;
            answer.is_problem(problem::BAD_LOGIN);
        }
        let answer = server.anonymous().log_in(&email, &right).await;
        answer.is_problem(problem::NOT_VERIFIED);
    }
}

#[tokio::test]
async fn the_same_keys_on_two_keyboards_are_the_same_password() {
    let server = Server::start().await;
    let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
    server.anonymous().register_with("ann@example.com", composed).await.is(201);
    let answer = server.anonymous().log_in("ann@example.com", decomposed).await;
    answer.is_problem(problem::NOT_VERIFIED);
}

#[tokio::test]
async fn fields_are_checked_before_the_password_is_judged() {
    let server = Server::start().await;
    let body = json!({"email": "ann@example.com", "password": "short"});
    server.anonymous().post("/api/v1/auth/register", &body).await.is_missing(&["name"]);
}
