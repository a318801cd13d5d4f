//! The SMTP sink, spoken to by hand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use portcullis_testkit::{Reaction, SmtpSink, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Says all of this, then `QUIT`; gives the codes of the answers.
async fn codes(sink: &SmtpSink, said: &str) -> Vec<String> {
    let mut stream = TcpStream::connect(sink.address()).await.unwrap();
    stream.write_all(format!("{said}QUIT\r\n").as_bytes()).await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    let last = answers.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
    last.map(|line| line[..3].to_owned()).collect()
}

fn mail(data: &str) -> String {
    format!(
        "EHLO me\r\nMAIL FROM:<a@example.com> BODY=8BITMIME\r\n\
         RCPT TO:<b@example.com>\r\nDATA\r\n{data}\r\n.\r\n"
    )
}

#[tokio::test]
async fn a_mail_is_kept_byte_by_byte_without_the_dots_of_transparency() {
    let sink = SmtpSink::start().await;
    let data = "Subject: x\r\n\r\n..\r\n...a\r\nb.\r\n\0\nc";
    assert_eq!(codes(&sink, &mail(data)).await, ["220", "250", "250", "250", "354", "250", "221"]);
    let [message] = sink.wait_for(1).await.try_into().unwrap();
    assert_eq!(message.raw, b"Subject: x\r\n\r\n.\r\n..a\r\nb.\r\n\0\nc\r\n");
    assert_eq!(message.envelope_from, "a@example.com");
    assert_eq!(message.envelope_to, ["b@example.com"]);
}

#[tokio::test]
async fn a_bare_line_end_ends_no_mail() {
    let sink = SmtpSink::start().await;
    codes(&sink, &mail("Subject: x\r\n\r\na\n.\nb\r.\rc\n.\r\nd\r\n.\ne")).await;
    assert_eq!(sink.messages().len(), 1);
    assert!(sink.messages()[0].raw.ends_with(b"d\r\n\ne\r\n"));
}

#[tokio::test]
async fn a_login_is_taken_in_both_ways() {
    let sink = SmtpSink::with_login("user", "password").await;
    let plain = "AUTH PLAIN AHVzZXIAcGFzc3dvcmQ=\r\n";
    assert_eq!(codes(&sink, plain).await, ["220", "235", "221"]);
    let login = "AUTH LOGIN\r\ndXNlcg==\r\ncGFzc3dvcmQ=\r\n";
    assert_eq!(codes(&sink, login).await, ["220", "334", "334", "235", "221"]);
    assert_eq!(codes(&sink, "AUTH PLAIN AHVzZXIAd3Jvbmc=\r\n").await, ["220", "535", "221"]);
    assert_eq!(codes(&sink, "MAIL FROM:<a@example.com>\r\n").await, ["220", "530", "221"]);
    assert!(sink.commands().iter().all(|command| !command.contains("AHVz")));
}

#[tokio::test]
async fn a_script_holds_once_or_always_and_for_one_recipient() {
    let sink = SmtpSink::start().await;
    sink.once(Step::Mail, Reaction::reply("451 later"));
    assert_eq!(codes(&sink, &mail("x")).await[2], "451");
    assert_eq!(codes(&sink, &mail("x")).await[2], "250");
    sink.on_mail_to("b@example.com", Step::EndOfData, Reaction::reply("554 no"));
    assert_eq!(codes(&sink, &mail("x")).await[5], "554");
    let other = mail("x").replace("b@", "c@");
    assert_eq!(codes(&sink, &other).await[5], "250");
    sink.accept();
    assert_eq!(codes(&sink, &mail("x")).await[5], "250");
}

#[tokio::test]
async fn nobody_is_there_after_it_vanished() {
    let sink = SmtpSink::start().await;
    let mut kept = TcpStream::connect(sink.address()).await.unwrap();
    kept.read_exact(&mut [0; 4]).await.unwrap();
    sink.vanish().await;
    assert!(TcpStream::connect(sink.address()).await.is_err());
    let mut rest = Vec::new();
    let _ = kept.read_to_end(&mut rest).await;
    assert!(kept.write_all(b"NOOP\r\n").await.is_err() || kept.read_u8().await.is_err());
}
