//! Registration and the identity of an address (RG).

use std::time::Duration;

use portcullis_testkit::SmtpSink;
use portcullis_tests::{Answer, NAME, PASSWORD, Server, at_once, eventually, problem};
use reqwest::Method;
use serde_json::{Value, json};

use crate::mail::mailing_to;

const REGISTER: &str = "/api/v1/auth/register";
const LOGIN: &str = "/api/v1/auth/login";
const RESEND: &str = "/api/v1/auth/verify-email/resend";
const RESET_REQUEST: &str = "/api/v1/auth/password-reset/request";
const VICTIM: &str = "mike@example.com";

/// Texts that some folding or other turns into `mike`.
const LOOK_ALIKES: [&str; 14] = [
    "m\u{131}ke@example.com",
    "m\u{130}ke@example.com",
    "M\u{130}KE@example.com",
    "mi\u{212A}e@example.com",
    "MI\u{212A}E@EXAMPLE.COM",
    "\u{FF4D}ike@example.com",
    "\u{1D426}ike@example.com",
    "m\u{456}ke@example.com",
    "mik\u{435}@example.com",
    "mi\u{200B}ke@example.com",
    "mi\u{AD}ke@example.com",
    "mike\u{FE0F}@example.com",
    "mike\u{301}@example.com",
    "\u{24DC}ike@example.com",
];

async fn id_of(server: &Server, email: &str) -> String {
    let login = server.anonymous().log_in(email, PASSWORD).await.expect(200);
    login.str("/user/id").to_owned()
}

async fn mail_count(server: &Server) -> usize {
    let answer = server.mailbox().answer("").await.expect(200);
    answer.body["messages"].as_array().unwrap().len()
}

#[tokio::test]
async fn rg_02_every_case_of_an_address_is_one_account() {
    let server = Server::start().await;
    let token = {
        server.anonymous().register("Ann@Example.com").await.is(201);
        server.mailbox().mail("ann@example.com", "Verify your email address").await.token()
    };
    server.anonymous().verify(&token).await.is(200);
    server.anonymous().register("ann@EXAMPLE.com").await.is_problem(problem::EMAIL_TAKEN);
    assert_eq!(id_of(&server, "Ann@Example.com").await, id_of(&server, "ann@EXAMPLE.com").await);
}

#[tokio::test]
async fn rg_03_of_64_spellings_at_once_one_is_registered() {
    let server = Server::start().await;
    let answers = at_once(64, |number| {
        let anonymous = server.anonymous();
        // Each bit of the number is the case of one letter.
        let email: String = "annabe@example.com"
            .char_indices()
            .map(|(at, c)| if at < 6 && number >> at & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        async move { anonymous.register(&email).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::EMAIL_TAKEN);
    }
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    assert_eq!(mail_count(&server).await, 2);
}

#[tokio::test]
async fn rg_04_look_alikes_never_reach_the_account_they_look_like() {
    let server = Server::start().await;
    server.verified(VICTIM).await;
    server.mailbox().mail(VICTIM, "Welcome").await;
    let anonymous = server.anonymous();
    for email in LOOK_ALIKES {
        anonymous.register(email).await.is_invalid(&["email"]);
        anonymous.log_in(email, PASSWORD).await.is_invalid(&["email"]);
        let by_form = anonymous.log_in_by_form(email, PASSWORD).await;
        assert!([401, 422].contains(&by_form.status), "{email:?}: {by_form:?}");
        anonymous.request_reset(email).await.is_invalid(&["email"]);
        anonymous.post(RESEND, &json!({"email": email})).await.is_invalid(&["email"]);
    }
    server.registered("later@example.com").await;
    assert_eq!(mail_count(&server).await, 3, "the victim's two, and the later one's");
}

/// Letters of other scripts in a domain make another domain, and another account.
#[tokio::test]
async fn rg_04_a_domain_that_looks_alike_is_another_domain() {
    let server = Server::start().await;
    server.verified(VICTIM).await;
    let victim = id_of(&server, VICTIM).await;
    server.mailbox().mail(VICTIM, "Welcome").await;
    for email in ["mike@ex\u{430}mple.com", "mike@examp\u{4CF}e.com", "mike@e\u{445}ample.com"] {
        server.anonymous().log_in(email, PASSWORD).await.is_problem(problem::BAD_LOGIN);
        let answer = server.anonymous().register(email).await;
        if answer.status == 422 {
            continue;
        }
        answer.is(201);
        assert_ne!(answer.str("/id"), victim);
        let theirs = answer.str("/email");
        assert!(theirs.starts_with("mike@xn--"), "{theirs}");
        server.anonymous().request_reset(email).await.is(200);
        server.mailbox().mail(theirs, "Reset your password").await;
    }
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().all(VICTIM).await.len(), 2);
}

#[tokio::test]
async fn rg_05_an_international_domain_has_one_spelling() {
    let server = Server::start().await;
    let canonical = "ann@xn--bcher-kva.example";
    let answer = server.anonymous().register("Ann@B\u{dc}CHER.example").await.expect(201);
    assert_eq!(answer.str("/email"), canonical);
    let token = server.mailbox().mail(canonical, "Verify your email address").await.token();
    server.anonymous().verify(&token).await.is(200);
    let id = id_of(&server, canonical).await;
    for same in [
        canonical,
        "ann@b\u{fc}cher.example",
        "ann@BU\u{308}CHER.EXAMPLE",
        "ann@XN--BCHER-KVA.example",
        "ann@xn--bcher-KVA.example",
        "ann@b\u{fc}cher\u{3002}example",
        "ann@b\u{fc}cher\u{FF0E}example",
        "ann@\u{FF42}\u{fc}cher.example",
        "ann@b\u{fc}\u{AD}cher.example",
        "ann@b\u{fc}\u{200B}cher.example",
    ] {
        server.anonymous().register(same).await.is_problem(problem::EMAIL_TAKEN);
        assert_eq!(id_of(&server, same).await, id, "{same}");
    }
    for broken in [
        // ASCII in disguise (RUSTSEC-2024-0421): `example.com` to old decoders.
        "ann@xn--example-.com",
        "ann@xn--.com",
        "ann@xn--\u{fc}-.example",
        "ann@xn--bcher-kva\u{301}.example",
        "ann@xn--0.example",
        "ann@xn--99999999999.example",
        "ann@b\u{fc}cher..example",
        "ann@b\u{fc}cher",
        "ann@-b\u{fc}cher.example",
        "ann@b\u{fc}cher-.example",
        "ann@\u{301}b.example",
        "ann@b\u{202E}c.example",
        "ann@b\u{2024}com",
        "ann@ex\u{2100}mple.com",
        "ann@b\u{FF0F}c.example",
        "ann@b\u{FF20}c.example",
    ] {
        server.anonymous().register(broken).await.is_invalid(&["email"]);
    }
}

#[tokio::test]
async fn rg_06_mail_goes_to_the_stored_address_however_it_was_asked_for() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    server.anonymous().register("Bob@Example.com").await.is(201);
    sink.wait_for(1).await;
    for asked in ["bOB@eXAMPLE.com", " BOB@example.com ", "bob@\u{FF25}xample.com"] {
        server.anonymous().request_reset(asked).await.is(200);
        server.anonymous().post(RESEND, &json!({"email": asked})).await.is(200);
    }
    for mail in sink.wait_for(7).await {
        assert_eq!(mail.envelope_to, ["bob@example.com"]);
        assert_eq!(mail.header("to").as_deref(), Some("bob@example.com"));
    }
    let recipients: Vec<_> =
        sink.commands().into_iter().filter(|line| line.starts_with("RCPT")).collect();
    assert_eq!(recipients, ["RCPT TO:<bob@example.com>"; 7]);
}

#[tokio::test]
async fn rg_08_whatever_is_accepted_is_addressed_byte_for_byte() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let longest = format!("{}@example.com", "a".repeat(64));
    // 63 characters a label, 254 in all.
    let farthest = format!("a@{0}.{0}.{0}.{1}.example", "b".repeat(60), "c".repeat(61));
    let accepted = [
        "!#$%&'*+-/=?^_`{|}~@example.com",
        "=?utf-8?q?x@example.com",
        "a=?utf-8?q?=41?=b@example.com",
        "a%example.net@example.com",
        "!relay!user@example.com",
        "a/../b@example.com",
        "-oQ/tmp@example.com",
        "|id@example.com",
        "`id`@example.com",
        "$(id)@example.com",
        "{{7*7}}@example.com",
        "a@1.2.3.example",
        "a@a--b.example",
        &longest,
        &farthest,
    ];
    let mut expected = Vec::new();
    for email in accepted {
        let answer = server.anonymous().register(email).await;
        match answer.status {
            201 => {
                assert_eq!(answer.str("/email"), email.to_ascii_lowercase());
                expected.push(email.to_ascii_lowercase());
            }
            _ => answer.is_invalid(&["email"]),
        }
    }
    assert!(expected.len() >= 10, "most are legal: {expected:?}");
    let mails = sink.wait_for(expected.len()).await;
    let mut reached: Vec<_> = mails.iter().map(|mail| mail.envelope_to.join(",")).collect();
    for mail in &mails {
        assert_eq!(mail.header("to").as_deref(), Some(mail.envelope_to[0].as_str()));
        assert_eq!(mail.to(), mail.envelope_to);
    }
    let commands = sink.commands();
    for email in &expected {
        let line = format!("RCPT TO:<{email}>");
        assert!(commands.contains(&line), "{line} is missing: {commands:?}");
    }
    reached.sort();
    expected.sort();
    assert_eq!(reached, expected);
}

#[tokio::test]
async fn rg_14_registering_a_waiting_address_again_changes_nothing() {
    for disclosure in ["reveal", "hide"] {
        let server = Server::start_with(&[("REGISTRATION_DISCLOSURE", disclosure)]).await;
        let token = server.registered("ann@example.com").await;
        let again = json!({
            "email": "ANN@example.com", "name": "Eve Intruder", "password": "the intruder's one",
        });
        server.anonymous().post(REGISTER, &again).await.is(if disclosure == "hide" {
            201
        } else {
            400
        });
        let by_form = [
            ("username", "intruder"),
            ("email", "ann@example.com"),
            ("password", "the intruder's one"),
            ("first_name", "Eve"),
            ("last_name", "Intruder"),
        ];
        let answer = server.anonymous().post_form("/api/v1/auth/signup", &by_form).await;
        answer.is_problem(problem::SIGN_UP_FAILED);

        let verified = server.anonymous().verify(&token).await.expect(200);
        assert_eq!(verified.str("/user/name"), NAME);
        let intruder = server.anonymous().log_in("ann@example.com", "the intruder's one").await;
        intruder.is_problem(problem::BAD_LOGIN);
        let by_username = server.anonymous().log_in_by_form("intruder", "the intruder's one").await;
        by_username.is_problem(problem::BAD_FORM_LOGIN);
        server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
    }
}

#[tokio::test]
async fn rg_15_an_address_that_nobody_proves_is_free_again() {
    let mut server = Server::start().await;
    let bob = server.logged_in("bob@example.com").await;
    let john = server.signed_up("johndoe", "john@example.com").await;
    let token = server.registered("ann@example.com").await;
    server.anonymous().register("ann@example.com").await.is_problem(problem::EMAIL_TAKEN);
    server.restart_with(&[("UNVERIFIED_ACCOUNT_TTL", "2s")]).await;
    let anonymous = server.anonymous();
    eventually("the address is free", Duration::from_secs(20), async || {
        let answer = anonymous.register_with("ann@example.com", "the next one's own").await;
        (answer.status == 201).then_some(())
    })
    .await;
    // What the first one was mailed proves nothing for the next.
    anonymous.verify(&token).await.is_problem(problem::BAD_VERIFICATION);
    anonymous.log_in("ann@example.com", PASSWORD).await.is_problem(problem::BAD_LOGIN);
    bob.is_alive().await;
    john.is_alive().await;
}

/// A post from another client, as the trusted proxy before the server tells it.
async fn post_from(server: &Server, source: usize, path: &str, body: &Value) -> Answer {
    let request = server.anonymous().request(Method::POST, path);
    let request = request.header("x-forwarded-for", format!("203.0.113.{source}"));
    Answer::to(request.json(body)).await
}

#[tokio::test]
async fn rg_16_registrations_are_capped_per_client_and_mails_per_recipient() {
    let limited = [("RATE_LIMIT_ENABLED", "true"), ("TRUSTED_PROXIES", "127.0.0.1/32")];
    let server = Server::start_with(&limited).await;
    let person = |email: String| json!({"email": email, "name": NAME, "password": PASSWORD});
    for number in 0..10 {
        let body = person(format!("ann{number}@example.com"));
        post_from(&server, 1, REGISTER, &body).await.is(201);
    }
    let eleventh = post_from(&server, 1, REGISTER, &person("ann10@example.com".into())).await;
    eleventh.is_problem(problem::TOO_MANY);

    let (flooded, body) = ("bob@example.com", person("bob@example.com".into()));
    post_from(&server, 2, REGISTER, &body).await.is(201);
    for source in 3..33 {
        post_from(&server, source, REGISTER, &body).await.is_problem(problem::EMAIL_TAKEN);
        let email = json!({"email": flooded});
        post_from(&server, source, RESEND, &email).await.is(200);
        post_from(&server, source, RESET_REQUEST, &email).await.is(200);
    }
    // At most five an hour of each kind, whoever asks.
    server.mailbox().mails(flooded, "Verify your email address", 5).await;
    server.mailbox().mails(flooded, "Reset your password", 5).await;
    let body = person("later@example.com".into());
    post_from(&server, 40, REGISTER, &body).await.is(201);
    server.mailbox().mail("later@example.com", "Verify your email address").await;
    assert_eq!(server.mailbox().all(flooded).await.len(), 10);
}

#[tokio::test]
async fn rg_17_an_address_of_the_wrong_type_reaches_no_lookup() {
    let server = Server::start().await;
    server.verified("ann@example.com").await;
    server.verified("eve@example.com").await;
    server.mailbox().mail("eve@example.com", "Welcome").await;
    let before = mail_count(&server).await;
    for email in [
        json!(["ann@example.com", "eve@example.com"]),
        json!(["ann@example.com"]),
        json!({"a": 1}),
        json!({"0": "ann@example.com", "1": "eve@example.com"}),
        json!({"$ne": null}),
        json!(5),
        json!(true),
        json!(0),
        Value::Null,
    ] {
        let body = json!({"email": email, "name": NAME, "password": PASSWORD});
        for path in [REGISTER, LOGIN, RESET_REQUEST, RESEND] {
            server.anonymous().post(path, &body).await.is_invalid(&["email"]);
        }
    }
    for body in [
        "email[]=ann@example.com&email[]=eve@example.com",
        "email=ann@example.com&email=eve@example.com",
        "username[]=ann@example.com&password=SecurePass123!",
    ] {
        for path in ["/api/v1/auth/signup", LOGIN] {
            let form = "application/x-www-form-urlencoded";
            let answer = server.anonymous().post_bytes(path, form, body.into()).await;
            answer.is_refused(422, "VALIDATION_ERROR");
        }
    }
    server.registered("later@example.com").await;
    assert_eq!(mail_count(&server).await, before + 1);
}
