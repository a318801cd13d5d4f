//! One account for each address, whoever wants it and however it is spelt.

use portcullis_tests::{at_once, problem};
use serde_json::json;

use crate::backends::Backends;

#[tokio::test]
async fn rg_01_rg_03_of_48_spellings_on_two_instances_one_row_and_one_letter_remain() {
    let backends = Backends::new();
    let (here, there) = backends.two().await;
    let answers = at_once(48, |number| {
        let caller = if number % 2 == 0 { here.anonymous() } else { there.anonymous() };
        let email = ["ann@example.com", "ANN@example.com", "Ann@Example.COM"][number % 3];
        async move { caller.register(email).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::EMAIL_TAKEN);
    }
    assert_eq!(backends.sql("SELECT count(*), min(email) FROM users"), "1|ann@example.com");
    assert_eq!(backends.sql("SELECT count(*), min(kind) FROM outbox"), "1|verification");
}

#[tokio::test]
async fn rg_14_registering_a_waiting_address_again_writes_nothing() {
    let backends = Backends::new();
    let server = backends.instance().await;
    server.registered("ann@example.com").await;
    let rows = || {
        let tables = ["users", "one_time_tokens", "sessions", "outbox", "audit_events"];
        tables.map(|table| backends.sql(&format!("SELECT row_to_json(t) FROM {table} t")))
    };
    backends.outbox_is_settled().await;
    let before = rows();
    assert!(before[0].contains("ann@example.com"), "{before:?}");
    let again = json!({
        "email": "ANN@example.com", "name": "Eve Intruder", "password": "the intruder's one",
    });
    let answer = server.anonymous().post("/api/v1/auth/register", &again).await;
    answer.is_problem(problem::EMAIL_TAKEN);
    let answer = server.anonymous().sign_up("intruder", "Ann@example.com").await;
    answer.is_problem(problem::SIGN_UP_FAILED);
    assert_eq!(rows(), before);
}

/// A second row for an address must fail for its uniqueness, whoever writes it.
#[tokio::test]
async fn rg_19_the_database_itself_keeps_an_address_unique_in_any_case() {
    let backends = Backends::new();
    let server = backends.instance().await;
    server.verified("ann@example.com").await;
    let insert = |email: &str, username: &str| {
        format!(
            "INSERT INTO users (id, email, username, username_canonical, name, password_hash,
             password_changed_at, created_at)
             VALUES (gen_random_uuid(), '{email}', '{username}', '{username}', 'Eve', '!', now(), now())"
        )
    };
    for email in ["ann@example.com", "ANN@example.com", "Ann@Example.COM", "ann@example.coM"] {
        // Anything but 23505 ends the statement, and with it the test.
        backends.sql(&format!(
            "DO $$ BEGIN {}; RAISE 'it was inserted';
             EXCEPTION WHEN unique_violation THEN NULL; END $$",
            insert(email, "eve")
        ));
    }
    backends.sql(&insert("eve@example.com", "eve"));
    assert_eq!(backends.sql("SELECT count(*) FROM users"), "2");
    server.logged_in_again("ANN@example.com").await.is_alive().await;
}
