//! TLS to aiosmtpd: what is trusted, and that nothing is sent otherwise.

use crate::far_side::mailer;
use portcullis_conformance::build::START;
use portcullis_conformance::fakes::ManualClock;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Mailer, MailerError};
use portcullis_domain::{Email, LetterId, Mail};
use portcullis_smtp::{SmtpMailer, SmtpSettings};
use portcullis_testkit::{Aiosmtpd, Certificates, Encryption, Reaction, SmtpSink, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

fn mail() -> Mail {
    Mail {
        id: LetterId::new(Uuid::from_u128(1)),
        to: Email::parse("ann@example.com").unwrap(),
        subject: "Hello".into(),
        text: "text".into(),
        html: "<p>html</p>".into(),
    }
}

/// Sends a mail to that URL, trusting that authority.
async fn sent(url: &str, trusted: &Certificates) -> Result<(), MailerError> {
    mailer(&format!("{url}?ca={}", trusted.authority().display())).send(mail()).await
}

#[track_caller]
fn assert_untrusted(result: Result<(), MailerError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
    assert!(with_causes(&error).contains("certificate"), "{}", with_causes(&error));
}

#[tokio::test]
async fn implicit_tls_works_by_name_and_by_address() {
    let certificates = Certificates::new();
    let server = Aiosmtpd::start(&Encryption::Implicit(&certificates));
    let port = server.address().port();
    sent(&format!("smtps://localhost:{port}"), &certificates).await.unwrap();
    sent(&format!("smtps://127.0.0.1:{port}"), &certificates).await.unwrap();
    assert_eq!(server.messages().len(), 2);
}

#[tokio::test]
async fn starttls_works() {
    let certificates = Certificates::new();
    let server = Aiosmtpd::start(&Encryption::StartTls(&certificates));
    let url = format!("smtp://localhost:{}", server.address().port());
    sent(&url, &certificates).await.unwrap();
    assert_eq!(server.messages().len(), 1);
}

#[tokio::test]
async fn ml_09_a_certificate_of_another_authority_is_refused() {
    let (theirs, ours) = (Certificates::new(), Certificates::new());
    let implicit = Aiosmtpd::start(&Encryption::Implicit(&theirs));
    let port = implicit.address().port();
    assert_untrusted(sent(&format!("smtps://localhost:{port}"), &ours).await);
    let starttls = Aiosmtpd::start(&Encryption::StartTls(&theirs));
    let port = starttls.address().port();
    assert_untrusted(sent(&format!("smtp://localhost:{port}"), &ours).await);
    assert!(implicit.messages().is_empty() && starttls.messages().is_empty());
}

#[tokio::test]
async fn ml_09_a_certificate_that_the_machine_does_not_know_is_refused() {
    let server = Aiosmtpd::start(&Encryption::Implicit(&Certificates::new()));
    let url = format!("smtps://localhost:{}", server.address().port());
    assert_untrusted(mailer(&url).send(mail()).await);
}

#[tokio::test]
async fn ml_09_a_certificate_of_another_name_is_refused() {
    let certificates = Certificates::for_names(&["mail.example.com"]);
    let server = Aiosmtpd::start(&Encryption::Implicit(&certificates));
    let url = format!("smtps://localhost:{}", server.address().port());
    assert_untrusted(sent(&url, &certificates).await);
}

#[tokio::test]
async fn ml_09_ml_10_without_starttls_nothing_is_sent() {
    let sink = SmtpSink::with_login("portcullis", "password").await;
    let port = sink.address().port();
    let url = format!("smtp://portcullis:password@localhost:{port}?starttls=required");
    let error = mailer(&url).send(mail()).await.unwrap_err();
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
    assert!(with_causes(&error).contains("STARTTLS is not supported"), "{error:?}");
    let commands = sink.commands();
    assert!(commands.iter().all(|command| command.starts_with("EHLO")), "{commands:?}");
}

/// `STARTTLS` is offered, and then refused.
#[tokio::test]
async fn ml_09_ml_10_a_refused_starttls_ends_it() {
    let sink = SmtpSink::with_login("portcullis", "password").await;
    sink.on(Step::Hello, Reaction::reply("250-sink.example\r\n250-STARTTLS\r\n250 AUTH PLAIN"));
    let port = sink.address().port();
    let url = format!("smtp://portcullis:password@localhost:{port}?starttls=required");
    let error = mailer(&url).send(mail()).await.unwrap_err();
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
    let commands = sink.commands();
    let is_harmless =
        |line: &String| line.starts_with("EHLO") || ["STARTTLS", "QUIT"].contains(&line.as_str());
    assert!(commands.iter().all(is_harmless), "{commands:?}");
    assert!(commands.contains(&"STARTTLS".to_owned()), "{commands:?}");
}

/// Whoever answers for the server in the clear, up to the end of the mail, gets
/// the beginning of a handshake and no word more.
#[tokio::test]
async fn ml_09_ml_10_answers_in_the_clear_are_no_substitute_for_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let middle = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut got = vec![0; 4096];
        client.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        assert!(client.read(&mut got).await.unwrap() > 0, "no EHLO");
        client.write_all(b"250-mail.example\r\n250 STARTTLS\r\n").await.unwrap();
        let length = client.read(&mut got).await.unwrap();
        assert_eq!(&got[..length], b"STARTTLS\r\n");
        let script = b"220 go ahead\r\n250-mail.example\r\n250 AUTH PLAIN LOGIN\r\n235 welcome\r\n\
            250 go on\r\n250 go on\r\n354 go on\r\n250 taken\r\n";
        client.write_all(script).await.unwrap();
        let mut rest = Vec::new();
        // It may hang up as it likes.
        drop(client.read_to_end(&mut rest).await);
        rest
    });
    let url = format!("smtp://portcullis:password@localhost:{port}?starttls=required&timeout=2s");
    let error = mailer(&url).send(mail()).await.unwrap_err();
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
    let got = middle.await.unwrap();
    assert!(got.is_empty() || got[0] == 0x16, "no handshake: {got:?}");
    let text = String::from_utf8_lossy(&got).to_ascii_uppercase();
    for word in ["AUTH", "MAIL", "RCPT", "DATA", "SUBJECT", "ANN@EXAMPLE.COM"] {
        assert!(!text.contains(word), "{word} in the clear: {text}");
    }
}

#[tokio::test]
async fn plaintext_spoken_to_a_tls_port_fails() {
    let certificates = Certificates::new();
    let server = Aiosmtpd::start(&Encryption::Implicit(&certificates));
    let url = format!("smtp://localhost:{}?timeout=1s", server.address().port());
    let error = mailer(&url).send(mail()).await.unwrap_err();
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
}

#[tokio::test]
async fn a_server_that_insists_on_tls_refuses_plaintext() {
    let certificates = Certificates::new();
    let server = Aiosmtpd::start(&Encryption::StartTls(&certificates));
    let url = format!("smtp://localhost:{}", server.address().port());
    let error = mailer(&url).send(mail()).await.unwrap_err();
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
}

#[test]
fn an_authority_that_cannot_be_read_is_named() {
    let make = |path: &str| {
        let settings = SmtpSettings::parse(&format!("smtps://localhost?ca={path}")).unwrap();
        let clock = std::sync::Arc::new(ManualClock::at(START));
        SmtpMailer::new(settings, "noreply@example.com", clock).unwrap_err().to_string()
    };
    let missing = make("/nowhere/ca.pem");
    assert_eq!(missing, "the certificate authority \"/nowhere/ca.pem\" cannot be used");
    let key = Certificates::new();
    assert!(make(&key.key().display().to_string()).ends_with("cannot be used"));
}
