//! Every kind of mail there is.

use std::collections::BTreeSet;

use portcullis_testkit::{SmtpMessage, SmtpSink};
use portcullis_tests::{Mail, NAME, PASSWORD, problem};

use super::{ORIGIN, is_well_formed, mailing_with, register_as};

const ANOTHER: &str = "NewSecurePass456!";

/// What the people of [`every_kind`] must not find in their mails.
struct Secrets(Vec<String>);

/// Brings about one mail of each kind.
async fn every_kind(sink: &SmtpSink, name: &str) -> (Vec<SmtpMessage>, Secrets) {
    let settings =
        [("LOCKOUT_THRESHOLD", "2"), ("REFRESH_GRACE", "0s"), ("REGISTRATION_DISCLOSURE", "hide")];
    let server = mailing_with(sink, &settings).await;
    let email = "ann@example.com";
    register_as(&server, email, name).await.is(201);
    let token = Mail::from(&sink.wait_for(1).await[0]).token();
    server.anonymous().verify(&token).await.is(200);
    sink.wait_for(2).await;
    register_as(&server, email, name).await.is(201);
    sink.wait_for(3).await;
    let first = server.logged_in_again(email).await;
    let second = first.refreshed().await;
    first.anonymous().refresh(&first.refresh).await.is_problem(problem::BAD_REFRESH);
    sink.wait_for(4).await;
    for _ in 0..2 {
        let wrong = server.anonymous().log_in(email, "a canary of a guess").await;
        wrong.is_problem(problem::BAD_LOGIN);
    }
    sink.wait_for(5).await;
    server.anonymous().request_reset(email).await.is(200);
    let reset = Mail::from(&sink.wait_for(6).await[5]).token();
    server.anonymous().confirm_reset(&reset, ANOTHER).await.is(200);
    let mails = sink.wait_for(7).await;
    let kinds: BTreeSet<_> = mails.iter().map(SmtpMessage::subject).collect();
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    let secrets = [
        PASSWORD,
        ANOTHER,
        "a canary of a guess",
        &first.access,
        &first.refresh,
        &second.access,
        &second.refresh,
        "bcrypt",
    ];
    (mails, Secrets(secrets.map(str::to_owned).to_vec()))
}

#[tokio::test]
async fn ml_07_every_mail_is_well_formed() {
    let sink = SmtpSink::start().await;
    let (mails, _) = every_kind(&sink, NAME).await;
    for mail in &mails {
        is_well_formed(mail);
    }
    let ids: BTreeSet<_> = mails.iter().map(SmtpMessage::message_id).collect();
    assert_eq!(ids.len(), mails.len(), "two mails share an id");
}

#[tokio::test]
async fn ml_08_mails_lead_to_the_server_alone_and_load_nothing() {
    let sink = SmtpSink::start().await;
    let (mails, _) = every_kind(&sink, NAME).await;
    let mut links = 0;
    for mail in mails.iter().map(Mail::from) {
        for part in [&mail.text, &mail.html] {
            for (at, _) in part.match_indices("://") {
                links += 1;
                let start = at.saturating_sub("https".len());
                assert!(part[start..].starts_with(&format!("{ORIGIN}/")), "{part}");
            }
            assert!(!part.contains("www.") && !part.contains("href=\"//"), "{part}");
        }
        let html = mail.html.to_lowercase();
        for load in ["src=", "<img", "<link", "<script", "<iframe", "<form", "url(", "@import"] {
            assert!(!html.contains(load), "{load}: {html}");
        }
    }
    assert_eq!(links, 2 * 4, "two mails carry a link: once as text, thrice as HTML");
}

#[tokio::test]
async fn ml_11_no_mail_holds_a_password_a_hash_or_a_session() {
    let sink = SmtpSink::start().await;
    let (mails, Secrets(secrets)) = every_kind(&sink, NAME).await;
    for mail in &mails {
        let raw = String::from_utf8_lossy(&mail.raw).replace("=\r\n", "");
        for secret in &secrets {
            for part in [&raw, &mail.text(), &mail.html(), &mail.subject()] {
                assert!(!part.contains(secret.as_str()), "{secret}: {part}");
            }
        }
    }
}
