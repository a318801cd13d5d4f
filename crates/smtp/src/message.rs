//! A mail as the bytes that go over the wire.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentTransferEncoding, Date, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart, header};
use lettre::{Address, Message};
use portcullis_domain::{LetterId, Mail, Timestamp};

use crate::error::SmtpError;
use crate::line_ends::with_crlf;
use crate::subject::MarkedSubject;

/// RFC 3834 §5: no vacation notice and no bounce of a robot comes back.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// A mail, ready for `DATA`, and its recipient.
pub(crate) struct Outgoing {
    pub(crate) to: Address,
    pub(crate) bytes: Vec<u8>,
}

/// Writes a mail out: `multipart/alternative`, the plain text first, since the
/// last part is the one that readers prefer (RFC 2046 §5.1.4).
pub(crate) fn write(mail: &Mail, sender: &Mailbox, now: Timestamp) -> Result<Outgoing, SmtpError> {
    if mail.subject.contains(is_line_end_or_control) {
        return Err(SmtpError::Unsendable("its subject holds a control character"));
    }
    let to: Address = mail
        .to
        .as_str()
        .parse()
        .map_err(|_| SmtpError::Unsendable("its recipient is no address to lettre"))?;
    let mut headers = Message::builder().subject(&mail.subject);
    if let Some(marked) = MarkedSubject::of(&mail.subject) {
        headers = headers.header(marked);
    }
    let message = headers
        .from(sender.clone())
        .to(to.clone().into())
        .header(Date::new(system_time(now)))
        .message_id(Some(message_id(mail.id, sender)))
        .header(AutoSubmitted)
        .multipart(
            MultiPart::alternative()
                .singlepart(part(header::ContentType::TEXT_PLAIN, &mail.text))
                .singlepart(part(header::ContentType::TEXT_HTML, &mail.html)),
        )
        .map_err(|_| SmtpError::Unsendable("lettre does not accept its headers"))?;
    Ok(Outgoing { to, bytes: message.formatted() })
}

/// The same on every attempt, so that a reader sees a second copy for what it is.
fn message_id(id: LetterId, sender: &Mailbox) -> String {
    format!("<{id}@{}>", sender.email.domain())
}

/// Quoted-printable always: plain ASCII in short lines, it needs no extension
/// of the server, and trailing blanks survive old relays.
fn part(kind: header::ContentType, text: &str) -> SinglePart {
    SinglePart::builder()
        .header(kind)
        .header(ContentTransferEncoding::QuotedPrintable)
        .body(with_crlf(text))
}

/// Controls, and what Unicode counts as a line end.
fn is_line_end_or_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

fn system_time(at: Timestamp) -> SystemTime {
    let micros = u64::try_from(at.as_micros()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_domain::Email;

    fn mail() -> Mail {
        Mail {
            id: LetterId::new(uuid::Uuid::from_u128(7)),
            to: Email::parse("ann@example.com").unwrap(),
            subject: "Hello".into(),
            text: "text\n.\nmore".into(),
            html: "<p>html</p>".into(),
        }
    }

    fn written(mail: &Mail) -> Result<String, SmtpError> {
        let sender = crate::sender::parse("Portcullis <noreply@example.org>").unwrap();
        let outgoing = write(mail, &sender, Timestamp::from_seconds(1_767_225_600))?;
        Ok(String::from_utf8(outgoing.bytes).unwrap())
    }

    #[test]
    fn ml_07_headers_say_who_when_and_that_it_was_a_machine() {
        let text = written(&mail()).unwrap();
        for header in [
            "From: Portcullis <noreply@example.org>\r\n",
            "To: ann@example.com\r\n",
            "Subject: Hello\r\n",
            "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n",
            "Message-ID: <00000000-0000-0000-0000-000000000007@example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "MIME-Version: 1.0\r\n",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(text.contains(header), "{header} is not in {text}");
        }
    }

    #[test]
    fn plain_text_comes_before_html() {
        let text = written(&mail()).unwrap();
        assert!(text.find("text/plain").unwrap() < text.find("text/html").unwrap());
    }

    #[test]
    fn ml_03_no_bare_line_end_is_left() {
        let mut mail = mail();
        mail.text = "a\n.\nb\r.\rc\r\n.\r\nd".into();
        mail.html.clone_from(&mail.text);
        let written = written(&mail).unwrap();
        assert!(written.contains("a\r\n.\r\nb\r\n.\r\nc\r\n.\r\nd"), "{written:?}");
        let rest = written.replace("\r\n", "");
        assert!(!rest.contains(['\r', '\n']), "{rest:?}");
    }

    #[test]
    fn ml_07_ml_12_it_is_ascii_in_short_lines() {
        let mut mail = mail();
        mail.subject = "Grüße 🙂 ".repeat(40).trim().into();
        mail.text = "🙂".repeat(1_000);
        let text = written(&mail).unwrap();
        assert!(text.is_ascii());
        assert!(text.lines().all(|line| line.len() <= 78), "{text}");
    }

    #[test]
    fn ml_01_a_subject_with_a_control_character_is_refused() {
        for subject in ["a\r\nBcc: e@example.com", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{2028}b"]
        {
            let mut mail = mail();
            mail.subject = subject.into();
            assert!(matches!(written(&mail), Err(SmtpError::Unsendable(_))), "{subject:?}");
        }
    }

    #[test]
    fn two_mails_do_not_share_a_boundary() {
        let boundary = |text: &str| text.split("boundary=").nth(1).unwrap()[..20].to_owned();
        let (one, two) = (written(&mail()).unwrap(), written(&mail()).unwrap());
        assert_ne!(boundary(&one), boundary(&two));
    }
}
