//! What a client makes of each answer.

use std::time::{Duration, Instant};

use portcullis_conformance::mail_route::SENDER;
use portcullis_domain::error::with_causes;
use portcullis_domain::ports::{Mailer, MailerError};
use portcullis_domain::{Email, LetterId, Mail};
use portcullis_mail_api::{ApiSettings, Brevo, Draft, Message, Provider, Resend, SendError};
use portcullis_testkit::{Aiosmtpd, ApiAnswer, Certificates, Encryption, MailApi};
use uuid::Uuid;

use crate::far_side::settings;

fn message(to: &str) -> Message {
    let draft = Draft {
        from: SENDER.into(),
        to: to.into(),
        subject: "Hello".into(),
        text: Some("text".into()),
        ..Draft::default()
    };
    Message::new(draft).unwrap()
}

fn mail(text: &str) -> Mail {
    Mail {
        id: LetterId::new(Uuid::from_u128(1)),
        to: Email::parse("ann@example.com").unwrap(),
        subject: "Hello".into(),
        text: text.into(),
        html: "<p>html</p>".into(),
    }
}

/// What a client of Resend and one of Brevo make of the same answer.
async fn both(answer: &ApiAnswer) -> [SendError; 2] {
    let api = MailApi::resend().await;
    api.answer(answer.clone());
    let client = Resend::new(&settings(&api)).unwrap();
    let resend = client.send(&message("ann@example.com")).await.unwrap_err();
    let api = MailApi::brevo().await;
    api.answer(answer.clone());
    let client = Brevo::new(&settings(&api)).unwrap();
    let brevo = client.send(&message("ann@example.com")).await.unwrap_err();
    [resend, brevo]
}

fn is_permanent(error: SendError) -> bool {
    matches!(MailerError::from(error), MailerError::Permanent(_))
}

#[tokio::test]
async fn what_is_wrong_with_the_message_is_permanent() {
    for status in [400, 413, 422] {
        for error in both(&ApiAnswer::status(status, "{}")).await {
            assert!(matches!(error, SendError::Refused { .. }), "{status}: {error:?}");
            assert!(is_permanent(error));
        }
    }
}

#[tokio::test]
async fn what_an_operator_can_mend_is_temporary() {
    for status in [401, 402, 403] {
        for error in both(&ApiAnswer::status(status, "{}")).await {
            assert!(matches!(error, SendError::Unauthorized { .. }), "{status}: {error:?}");
            assert!(!is_permanent(error));
        }
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_temporary() {
    for status in [408, 409, 500, 502, 503, 504] {
        for error in both(&ApiAnswer::status(status, "<html>oh no</html>")).await {
            assert!(matches!(error, SendError::Unavailable { .. }), "{status}: {error:?}");
            assert!(!is_permanent(error));
        }
    }
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    for (header, wait) in [
        (Some("7"), Some(7)),
        (None, None),
        (Some("soon"), None),
        (Some("999999999"), Some(86_400)),
    ] {
        for error in both(&ApiAnswer::Status(429, "{}".into(), header)).await {
            let SendError::RateLimited { retry_after, .. } = &error else { panic!("{error:?}") };
            assert_eq!(*retry_after, wait.map(Duration::from_secs));
            assert!(!is_permanent(error));
        }
    }
}

#[tokio::test]
async fn a_success_without_an_id_is_none() {
    for (body, resend, brevo) in [
        ("", "Resend response is not a mapping", "Brevo response is not a mapping"),
        ("[]", "Resend response is not a mapping", "Brevo response is not a mapping"),
        ("\"id\"", "Resend response is not a mapping", "Brevo response is not a mapping"),
        (
            "{}",
            "Resend response does not include a valid 'id'",
            "Brevo response does not include a valid 'message_id'",
        ),
        (
            r#"{"id": "", "messageId": ""}"#,
            "Resend response does not include a valid 'id'",
            "Brevo response does not include a valid 'message_id'",
        ),
        (
            r#"{"id": 7, "messageId": null}"#,
            "Resend response does not include a valid 'id'",
            "Brevo response does not include a valid 'message_id'",
        ),
    ] {
        let [by_resend, by_brevo] = both(&ApiAnswer::status(200, body)).await;
        assert_eq!(
            (by_resend.to_string().as_str(), by_brevo.to_string().as_str()),
            (resend, brevo)
        );
        assert!(!is_permanent(by_resend) && !is_permanent(by_brevo));
    }
}

#[tokio::test]
async fn a_status_that_is_not_published_is_unexpected() {
    for status in [301, 404, 405, 418] {
        for error in both(&ApiAnswer::status(status, "{}")).await {
            assert!(matches!(error, SendError::UnexpectedAnswer { .. }), "{status}: {error:?}");
            assert!(!is_permanent(error));
        }
    }
}

#[tokio::test]
async fn a_failure_tells_what_the_provider_said() {
    let said = r#"{"name": "validation_error", "code": "invalid_parameter", "message": "Invalid to field."}"#;
    let [resend, brevo] = both(&ApiAnswer::status(422, said)).await;
    let told = "Resend send failed: 422 validation_error Invalid to field.";
    assert_eq!(resend.to_string(), told);
    assert_eq!(brevo.to_string(), "Brevo send failed: 422 invalid_parameter Invalid to field.");
}

#[tokio::test]
async fn codes_about_the_account_are_not_about_the_message() {
    for code in ["invalid_from_address", "invalid_api_key"] {
        let said = format!(r#"{{"name": "{code}", "message": "no"}}"#);
        let [resend, _] = both(&ApiAnswer::status(422, &said)).await;
        assert!(matches!(resend, SendError::Unauthorized { .. }), "{resend:?}");
    }
    for code in ["not_enough_credits", "account_under_validation", "permission_denied"] {
        let said = format!(r#"{{"code": "{code}", "message": "no"}}"#);
        let [_, brevo] = both(&ApiAnswer::status(400, &said)).await;
        assert!(matches!(brevo, SendError::Unauthorized { .. }), "{brevo:?}");
    }
}

#[tokio::test]
async fn a_provider_that_hangs_is_given_up_in_time() {
    let api = MailApi::resend().await;
    api.answer(ApiAnswer::Hang);
    let timeout = Duration::from_millis(200);
    let client = Resend::new(&ApiSettings { timeout, ..settings(&api) }).unwrap();
    let start = Instant::now();
    let error = client.send(&message("ann@example.com")).await.unwrap_err();
    assert_eq!(error.to_string(), "Resend send failed: it did not answer in time");
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let [resend, brevo] = both(&ApiAnswer::status(200, &" ".repeat(1_000_000))).await;
    assert_eq!(resend.to_string(), "Resend response is too long");
    assert_eq!(brevo.to_string(), "Brevo response is too long");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = MailApi::resend().await;
    let api = MailApi::resend().await;
    api.answer(ApiAnswer::status(307, &elsewhere.url()));
    let client = Resend::new(&settings(&api)).unwrap();
    let error = client.send(&message("ann@example.com")).await.unwrap_err();
    assert!(matches!(error, SendError::UnexpectedAnswer { .. }));
    assert!(elsewhere.mails().is_empty());
}

/// Any TLS server will do: the key must not get as far as HTTP.
#[tokio::test]
async fn a_certificate_that_the_machine_does_not_know_is_refused() {
    let server = Aiosmtpd::start(&Encryption::Implicit(&Certificates::new()));
    let url = format!("https://localhost:{}", server.address().port());
    let settings = ApiSettings { base_url: Some(url), ..ApiSettings::new("key".into(), SENDER) };
    let client = Resend::new(&settings).unwrap();
    let error = client.send(&message("ann@example.com")).await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }), "{error:?}");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_untold() {
    let api = MailApi::resend().await;
    let wrong = ApiSettings { key: "re_wrong-s3cret".into(), ..settings(&api) };
    let error = Resend::new(&wrong).unwrap().send(&message("ann@example.com")).await.unwrap_err();
    assert!(matches!(error, SendError::Unauthorized { provider: Provider::Resend, .. }));
    assert!(!format!("{error:?} {error}").contains("s3cret"));
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_not_sent_twice() {
    let apis = [MailApi::resend().await, MailApi::brevo().await];
    let mailers: [Box<dyn Mailer>; 2] = [
        Box::new(Resend::new(&settings(&apis[0])).unwrap()),
        Box::new(Brevo::new(&settings(&apis[1])).unwrap()),
    ];
    for (api, mailer) in apis.iter().zip(mailers) {
        api.answer(ApiAnswer::Disconnect);
        let lost = mailer.send(mail("text")).await.unwrap_err();
        assert!(matches!(lost, MailerError::Temporary(_)), "{}", with_causes(&lost));
        api.accept();
        mailer.send(mail("text")).await.unwrap();
        let keys: Vec<_> = api.mails().into_iter().map(|mail| mail.key).collect();
        assert!(keys.len() >= 2 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    }
}

#[tokio::test]
async fn a_letter_that_is_worded_anew_was_delivered_before() {
    let api = MailApi::resend().await;
    let mailer: Box<dyn Mailer> = Box::new(Resend::new(&settings(&api)).unwrap());
    mailer.send(mail("as the old version wrote it")).await.unwrap();
    mailer.send(mail("as the new version writes it")).await.unwrap();
}
