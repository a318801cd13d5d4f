//! Putting words into mails (ML).

mod delivery;
mod kinds;
mod names;

use std::collections::BTreeSet;

use portcullis_testkit::{SmtpMessage, SmtpSink};
use portcullis_tests::{Answer, PASSWORD, Server};
use serde_json::json;

const ORIGIN: &str = "https://auth.example.com";

const SENDER: &str = "Portcullis <noreply@example.org>";

/// Every header of every mail.
const HEADERS: [&str; 9] = [
    "Auto-Submitted",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Subject",
    "To",
    "Content-Transfer-Encoding",
];

/// A server whose mails go to that sink.
pub(crate) async fn mailing_to(sink: &SmtpSink) -> Server {
    mailing_with(sink, &[]).await
}

async fn mailing_with(sink: &SmtpSink, settings: &[(&str, &str)]) -> Server {
    let url = sink.url();
    let mut all = vec![
        ("PUBLIC_URL", ORIGIN),
        ("MAIL_PROVIDER", "smtp"),
        ("MAIL_FROM", SENDER),
        ("SMTP_URL", url.as_str()),
    ];
    all.extend(settings);
    Server::start_with(&all).await
}

async fn register_as(server: &Server, email: &str, name: &str) -> Answer {
    let body = json!({"email": email, "name": name, "password": PASSWORD});
    server.anonymous().post("/api/v1/auth/register", &body).await
}

async fn sign_up_as(server: &Server, number: usize, first: &str, last: &str) -> Answer {
    let (username, email) = (format!("john{number}"), format!("john{number}@example.com"));
    let fields = [
        ("username", username.as_str()),
        ("email", &email),
        ("password", PASSWORD),
        ("first_name", first),
        ("last_name", last),
    ];
    server.anonymous().post_form("/api/v1/auth/signup", &fields).await
}

/// Insists that a sink was told nothing but what a mail to these takes.
#[track_caller]
fn only_mails_to(sink: &SmtpSink, recipients: &BTreeSet<String>) {
    for command in sink.commands() {
        let is_recipient = || {
            let path = command.strip_prefix("RCPT TO:<").and_then(|rest| rest.strip_suffix('>'));
            path.is_some_and(|address| recipients.contains(address))
        };
        let is_usual = command.starts_with("EHLO ")
            || command == "MAIL FROM:<noreply@example.org>"
            || ["DATA", "QUIT", "RSET", "NOOP"].contains(&command.as_str());
        assert!(is_usual || is_recipient(), "{command:?}");
    }
}

/// Insists on a mail like every other: these headers, one recipient, two parts.
#[track_caller]
fn is_well_formed(mail: &SmtpMessage) {
    let headers = mail.header_names();
    let distinct: BTreeSet<_> = headers.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), headers.len(), "a header comes twice: {headers:?}");
    assert!(distinct.iter().all(|name| HEADERS.contains(name)), "{headers:?}");
    assert_eq!(mail.from(), SENDER);
    assert_eq!(mail.envelope_from, "noreply@example.org");
    assert_eq!(mail.envelope_to.len(), 1);
    assert_eq!(mail.to(), mail.envelope_to);
    assert_eq!(mail.header("auto-submitted").as_deref(), Some("auto-generated"));
    assert!(mail.header("date").is_some_and(|date| date.ends_with(" +0000")));
    let id = mail.message_id();
    assert!(id.len() > 36 && id.ends_with("@example.org"), "{id}");
    assert!(mail.header("content-type").unwrap().starts_with("multipart/alternative"));
    assert!(!mail.text().trim().is_empty() && mail.html().contains("</html>"));
    let raw = String::from_utf8(mail.raw.clone()).unwrap();
    assert!(raw.is_ascii());
    assert!(raw.matches("charset=utf-8").count() == 2, "{raw}");
    assert!(!raw.replace("\r\n", "").contains(['\r', '\n']), "a bare line end");
    assert!(raw.split("\r\n").all(|line| line.len() <= 78), "a long line");
}
