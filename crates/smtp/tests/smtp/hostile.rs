//! Texts that want to be commands, as a server reads them that takes a bare
//! `CR` or `LF` for a line end.

use std::collections::BTreeSet;

use crate::far_side::mailer;
use portcullis_domain::ports::Mailer;
use portcullis_domain::{Email, LetterId, Mail};
use portcullis_testkit::{SmtpMessage, SmtpSink};
use uuid::Uuid;

/// The commands in what a client sent, as such a server understands it.
fn commands_to_a_lenient_server(wire: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(wire).replace("\r\n", "\n").replace('\r', "\n");
    let (mut commands, mut is_data) = (Vec::new(), false);
    for line in text.lines() {
        if is_data {
            is_data = line != ".";
        } else {
            commands.push(line.to_owned());
            is_data = line == "DATA";
        }
    }
    commands
}

#[tokio::test]
async fn ml_03_no_spelling_of_a_line_end_lets_a_text_end_the_mail() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&sink.url());
    let ends = ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\r\n\r", "\n\n", "\r\r"];
    let mut sent = 0;
    for before in ends {
        for after in ends {
            let evil = format!(
                "Hello{before}.{after}MAIL FROM:<eve@evil.test>{after}RCPT TO:<e@evil.test>{after}\
                 DATA{after}From: eve@evil.test{before}.{after}..{before}.hidden{after}."
            );
            let mail = Mail {
                id: LetterId::new(Uuid::from_u128(sent)),
                to: Email::parse("ann@example.com").unwrap(),
                subject: "Hello".into(),
                text: evil.clone(),
                html: format!("<p>{evil}</p>"),
            };
            mailer.send(mail).await.unwrap();
            sent += 1;
        }
    }
    let messages = sink.messages();
    assert_eq!(messages.len(), ends.len() * ends.len());
    let commands = commands_to_a_lenient_server(&sink.wire());
    assert_eq!(commands, sink.commands());
    let is_usual = |line: &String| {
        line.starts_with("EHLO ")
            || ["MAIL FROM:<noreply@example.com>", "RCPT TO:<ann@example.com>", "DATA", "NOOP"]
                .contains(&line.as_str())
    };
    let odd: Vec<_> = commands.iter().filter(|line| !is_usual(line)).collect();
    assert!(odd.is_empty(), "{odd:?}");
    for mail in &messages {
        assert_eq!(mail.envelope_to, ["ann@example.com"]);
        assert!(mail.text().contains(".hidden"), "a dot was lost: {}", mail.text());
    }
    let ids: BTreeSet<_> = messages.iter().map(SmtpMessage::message_id).collect();
    assert_eq!(ids.len(), messages.len());
}

/// Without this the test above would prove nothing.
#[test]
fn a_lenient_server_would_see_a_smuggled_command() {
    let wire = b"DATA\r\nHello\n.\r\nRSET\r\n.\r\nQUIT\r\n";
    assert_eq!(commands_to_a_lenient_server(wire), ["DATA", "RSET", ".", "QUIT"]);
}
