//! Laws of a mailer whose far side is well.

use std::sync::Arc;

use portcullis_domain::Mail;
use portcullis_domain::ports::MailerError;

use crate::build::{email, letter};
use crate::mail_route::{Arrived, MailRoute, SENDER};

pub(crate) fn mail(to: &str, text: &str) -> Mail {
    Mail {
        id: letter(to).id,
        to: email(to),
        subject: "Verify your email address".into(),
        text: text.into(),
        html: format!("<p>{text}</p>"),
    }
}

/// Text with one spelling of line ends: which of them a mail uses is its
/// encoding's affair.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

async fn arrives_whole(route: &MailRoute, mail: Mail) {
    let before = route.far_side.arrived().await.len();
    route.mailer.send(mail.clone()).await.unwrap();
    let arrived = route.far_side.arrived().await;
    assert_eq!(arrived.len(), before + 1, "one mail became another number");
    let arrived = arrived.last().unwrap();
    assert_eq!(arrived.from, SENDER);
    assert_eq!(arrived.to, [mail.to.as_str()]);
    assert_eq!(arrived.subject, mail.subject);
    assert_eq!(lines(&arrived.text), lines(&mail.text));
    assert_eq!(lines(&arrived.html), lines(&mail.html));
}

/// Letters of all scripts, long lines, dots, what encodings use as marks.
pub async fn what_was_written_arrives_whole(route: &MailRoute) {
    for text in [
        "Hello Ann,\n\nplease confirm.\n",
        "Grüße, Žofie! 你好 🙂 e\u{301} \u{200f}שלום",
        &"a very long line without any end ".repeat(100),
        &"ein Änderungsübersichtsgerät ".repeat(100),
        &"🙂".repeat(1_000),
        ".\n..\n...\n.leading dot\n",
        "=20=3D=\n=?UTF-8?Q?no?= &amp; %41 \\n \\u0041 {{7*7}} {}",
        "trailing blanks  \n\tand tabs\t\nFrom the start\n>From\n--\n-- \n",
        "https://portcullis.example/verify?token=abc-DEF_123&x=%2F#token=abc",
        "x",
    ] {
        arrives_whole(route, mail("ann", text)).await;
    }
    for subject in
        ["Grüße an 你 🙂", &"a long subject ".repeat(20), "=?utf-8?Q?=41?=", "a: b; \"c\" <d@e>"]
    {
        let mut mail = mail("ann", "text");
        subject.trim().clone_into(&mut mail.subject);
        arrives_whole(route, mail).await;
    }
}

/// SMTP ends a mail with a dot on a line of its own; no spelling of that in a
/// text ends it, and what follows is never a command.
pub async fn no_line_of_a_mail_ends_it(route: &MailRoute) {
    for end in [
        "\r\n.\r\n",
        "\n.\n",
        "\r.\r",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\n",
        "\n.\r",
        "\r\n.\r",
        "\r.\r\n",
    ] {
        let text = format!("before{end}MAIL FROM:<eve@example.com>{end}after{end}");
        arrives_whole(route, mail("ann", &text)).await;
    }
}

/// So that a reader, or the provider, can tell a second copy.
pub async fn every_attempt_of_a_letter_carries_the_same_key(route: &MailRoute) {
    let mail = mail("ann", "text");
    route.mailer.send(mail.clone()).await.unwrap();
    route.mailer.send(mail.clone()).await.unwrap();
    let arrived = route.far_side.arrived().await;
    let keys: Vec<_> = arrived.iter().map(|mail| mail.key.as_str()).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert!(keys[0].contains(&mail.id.to_string()), "{keys:?}");
}

/// So that no letter is taken for a copy of another.
pub async fn two_letters_carry_two_keys(route: &MailRoute) {
    for _ in 0..2 {
        route.mailer.send(mail("ann", "text")).await.unwrap();
    }
    let arrived = route.far_side.arrived().await;
    assert_eq!(arrived.len(), 2);
    assert_ne!(arrived[0].key, arrived[1].key);
}

/// A subject with a line end is refused, or arrives as a subject and no more.
pub async fn a_subject_adds_no_header(route: &MailRoute) {
    for end in ["\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "\0\r\n", "\u{2028}", "\u{85}"] {
        let mut mail = mail("ann", "text");
        mail.subject = format!("Hello{end}Bcc: eve@example.com{end}X-Added: yes");
        match route.mailer.send(mail).await {
            Ok(()) | Err(MailerError::Permanent(_)) => {}
            Err(MailerError::Temporary(cause)) => panic!("it would be tried for ever: {cause}"),
        }
    }
    for mail in route.far_side.arrived().await {
        assert_eq!(mail.to, ["ann@example.com"]);
        let is_added = |name: &&String| ["bcc", "x-added"].contains(&name.to_lowercase().as_str());
        assert_eq!(mail.headers.iter().find(is_added), None);
        assert_eq!(mail.text.trim_end(), "text");
    }
}

/// Each mail keeps its recipient, its key and its text.
pub async fn parallel_mails_do_not_mix(route: &MailRoute) {
    let mails: Vec<_> = (0..24).map(|i| mail(&format!("ann{i}"), &format!("for {i}"))).collect();
    let mut sending = tokio::task::JoinSet::new();
    for mail in mails.clone() {
        let mailer = Arc::clone(&route.mailer);
        sending.spawn(async move { mailer.send(mail).await.unwrap() });
    }
    sending.join_all().await;
    let arrived = route.far_side.arrived().await;
    assert_eq!(arrived.len(), mails.len());
    for mail in mails {
        let is_it = |arrived: &&Arrived| arrived.to == [mail.to.as_str()];
        let found = arrived.iter().find(is_it).expect("it arrived");
        assert_eq!(lines(&found.text).trim_end(), mail.text);
        assert!(found.key.contains(&mail.id.to_string()));
    }
}
