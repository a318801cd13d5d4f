//! What a mailer makes of each way in which an SMTP server can fail.

use std::time::{Duration, Instant};

use crate::far_side::mailer;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Mailer, MailerError};
use portcullis_domain::{Email, LetterId, Mail};
use portcullis_smtp::SmtpMailer;
use portcullis_testkit::{Reaction, SmtpMessage, SmtpSink, Step};
use uuid::Uuid;

fn mail(number: u128) -> Mail {
    Mail {
        id: LetterId::new(Uuid::from_u128(number)),
        to: Email::parse("ann@example.com").unwrap(),
        subject: format!("Number {number}"),
        text: format!("text {number}"),
        html: "<p>html</p>".into(),
    }
}

/// A mailer that is patient for a second.
fn to(sink: &SmtpSink) -> SmtpMailer {
    mailer(&format!("{}?timeout=1s", sink.url()))
}

async fn failure(mailer: &SmtpMailer) -> MailerError {
    mailer.send(mail(1)).await.unwrap_err()
}

#[track_caller]
fn assert_temporary(error: &MailerError, why: &str) {
    assert!(matches!(error, MailerError::Temporary(_)), "{error:?}");
    assert!(with_causes(error).contains(why), "{}", with_causes(error));
}

#[track_caller]
fn assert_permanent(error: &MailerError, why: &str) {
    assert!(matches!(error, MailerError::Permanent(_)), "{error:?}");
    assert!(with_causes(error).contains(why), "{}", with_causes(error));
}

#[tokio::test]
async fn r_29_an_answer_that_begins_with_4_is_temporary_at_every_step() {
    for step in [Step::Connect, Step::Hello, Step::Mail, Step::Rcpt, Step::Data, Step::EndOfData] {
        let sink = SmtpSink::start().await;
        sink.on(step, Reaction::reply("451 4.3.0 try again later"));
        assert_temporary(&failure(&to(&sink)).await, "451 4.3.0 try again later");
        assert_eq!(sink.messages(), []);
    }
}

#[tokio::test]
async fn r_30_an_answer_that_begins_with_5_is_permanent_about_the_mail_only() {
    for step in [Step::Rcpt, Step::Data, Step::EndOfData] {
        let sink = SmtpSink::start().await;
        sink.on(step, Reaction::reply("554 5.6.0 refused"));
        assert_permanent(&failure(&to(&sink)).await, "refuses the mail: 554 5.6.0 refused");
    }
    for step in [Step::Connect, Step::Hello, Step::Mail] {
        let sink = SmtpSink::start().await;
        sink.on(step, Reaction::reply("554 5.7.1 not for you"));
        assert_temporary(&failure(&to(&sink)).await, "554 5.7.1 not for you");
    }
}

#[tokio::test]
async fn r_31_a_server_that_hangs_is_given_up_in_time() {
    for step in [Step::Connect, Step::Hello, Step::Mail, Step::Rcpt, Step::Data, Step::EndOfData] {
        let sink = SmtpSink::start().await;
        sink.on(step, Reaction::Hang);
        let mailer = mailer(&format!("{}?timeout=200ms", sink.url()));
        let start = Instant::now();
        assert_temporary(&failure(&mailer).await, "did not finish in time");
        assert!(start.elapsed() < Duration::from_secs(2), "{step:?}: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn r_32_a_broken_connection_is_temporary_at_every_step() {
    for step in [Step::Connect, Step::Hello, Step::Mail, Step::Rcpt, Step::Data, Step::EndOfData] {
        let sink = SmtpSink::start().await;
        sink.on(step, Reaction::Disconnect);
        let error = failure(&to(&sink)).await;
        assert!(matches!(error, MailerError::Temporary(_)), "{step:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_no_smtp_is_temporary_and_not_quoted() {
    let sink = SmtpSink::start().await;
    sink.on(Step::Connect, Reaction::reply("HTTP/1.1 400 Bad Request"));
    let error = failure(&to(&sink)).await;
    assert_temporary(&error, "its answer is not SMTP");
    assert!(!with_causes(&error).contains("HTTP"));
}

#[tokio::test]
async fn an_answer_out_of_turn_is_not_taken_for_success() {
    let sink = SmtpSink::start().await;
    sink.on(Step::EndOfData, Reaction::reply("354 go ahead"));
    assert_temporary(&failure(&to(&sink)).await, "354 is out of turn");
}

#[tokio::test]
async fn nobody_at_the_port_is_temporary() {
    let sink = SmtpSink::start().await;
    let mailer = to(&sink);
    sink.vanish().await;
    assert_temporary(&failure(&mailer).await, "refused");
}

#[tokio::test]
async fn ml_07_r_32_a_mail_whose_answer_was_lost_comes_again_with_the_same_id() {
    let sink = SmtpSink::start().await;
    let mailer = to(&sink);
    mailer.send(mail(1)).await.unwrap();
    sink.once(Step::EndOfData, Reaction::Disconnect);
    assert_temporary(&failure(&mailer).await, "");
    mailer.send(mail(1)).await.unwrap();
    let ids: Vec<_> = sink.wait_for(2).await.iter().map(SmtpMessage::message_id).collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], "00000000-0000-0000-0000-000000000001@example.com");
}

#[tokio::test]
async fn mails_share_a_connection() {
    let sink = SmtpSink::start().await;
    let mailer = to(&sink);
    for number in 0..5 {
        mailer.send(mail(number)).await.unwrap();
    }
    assert_eq!(sink.wait_for(5).await.len(), 5);
    assert_eq!(sink.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_died_while_it_waited_costs_no_attempt() {
    let sink = SmtpSink::start().await;
    let mailer = to(&sink);
    mailer.send(mail(1)).await.unwrap();
    sink.vanish().await;
    sink.come_back().await;
    mailer.send(mail(2)).await.unwrap();
    assert_eq!(sink.messages().len(), 2);
    assert_eq!(sink.connections(), 2);
}

/// The answer to the mail that was given up must not be taken for an answer to
/// the next: that one would be lost.
#[tokio::test]
async fn a_mail_that_was_given_up_leaves_no_connection_behind() {
    let sink = SmtpSink::start().await;
    let mailer = mailer(&format!("{}?timeout=300ms", sink.url()));
    mailer.send(mail(1)).await.unwrap();
    for step in [Step::Rcpt, Step::Data, Step::EndOfData] {
        sink.once(step, Reaction::Hang);
        assert_temporary(&mailer.send(mail(2)).await.unwrap_err(), "did not finish in time");
        mailer.send(mail(3)).await.unwrap();
    }
    let subjects: Vec<_> = sink.messages().iter().map(SmtpMessage::subject).collect();
    assert_eq!(subjects, ["Number 1", "Number 3", "Number 3", "Number 3"]);
    assert_eq!(sink.connections(), 4);
}

#[tokio::test]
async fn a_wrong_password_is_temporary_and_untold() {
    let sink = SmtpSink::with_login("portcullis", "right").await;
    let url = format!("smtp://portcullis:wr0ng-pa55word@{}", sink.address());
    let error = failure(&mailer(&url)).await;
    assert_temporary(&error, "refuses the login: 535");
    assert!(!format!("{error:?}").contains("wr0ng"));
    assert!(!sink.commands().iter().any(|command| command.starts_with("MAIL")));
}

#[tokio::test]
async fn a_server_that_wants_a_login_is_temporary_without_one() {
    let sink = SmtpSink::with_login("portcullis", "right").await;
    assert_temporary(&failure(&to(&sink)).await, "refuses the login: 530");
}

#[tokio::test]
async fn a_server_without_logins_is_temporary_with_one() {
    let sink = SmtpSink::start().await;
    let url = format!("smtp://portcullis:password@{}", sink.address());
    assert_temporary(&failure(&mailer(&url)).await, "neither PLAIN nor LOGIN");
}

#[tokio::test]
async fn a_login_that_cannot_be_checked_now_is_temporary() {
    let sink = SmtpSink::with_login("portcullis", "right").await;
    sink.once(Step::Login, Reaction::reply("454 4.7.0 no database"));
    let mailer = mailer(&format!("smtp://portcullis:right@{}", sink.address()));
    assert_temporary(&failure(&mailer).await, "checks no login now");
    mailer.send(mail(1)).await.unwrap();
}

#[tokio::test]
async fn the_words_of_a_server_are_kept_without_what_may_be_secret() {
    let sink = SmtpSink::start().await;
    sink.on(
        Step::Rcpt,
        Reaction::reply("550 5.1.1 <ann@example.com> unknown https://x.example/Zm9yZ2Vk"),
    );
    assert_permanent(&failure(&to(&sink)).await, "550 5.1.1 … unknown …");
}

#[tokio::test]
async fn the_envelope_names_the_bare_addresses() {
    let sink = SmtpSink::start().await;
    to(&sink).send(mail(1)).await.unwrap();
    let [message] = sink.messages().try_into().unwrap();
    assert_eq!(message.envelope_from, "noreply@example.com");
    assert_eq!(message.envelope_to, ["ann@example.com"]);
    assert_eq!(message.header("Auto-Submitted").as_deref(), Some("auto-generated"));
}
