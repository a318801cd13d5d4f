//! Where each field of a message goes.

use portcullis_mail_api::{
    Attachment, Brevo, Draft, Message, Provider, Recipients, Resend, SendError, Tag, Template,
};
use portcullis_testkit::MailApi;
use serde_json::{Value, json};

use crate::far_side::settings;

const KEY: &str = "00000000-0000-0000-0000-000000000001";

/// A message with every field that goes along with bodies.
fn full() -> Draft {
    Draft {
        from: "Portcullis <noreply@example.com>".into(),
        to: ["Ann Lee <ann@example.com>", "bob@example.com"].into(),
        cc: Some("cc@example.com".into()),
        bcc: Some(["bcc1@example.com", "bcc2@example.com"].into()),
        reply_to: Some(["Help <help@example.com>", "second@example.com"].into()),
        subject: "Hello".into(),
        html: Some("<p>html</p>".into()),
        text: Some("text".into()),
        attachments: vec![
            Attachment {
                filename: Some("a.bin".into()),
                content: Some(vec![0, 255, 62, 63]),
                content_type: Some("application/octet-stream".into()),
                content_id: Some("a".into()),
                ..Attachment::default()
            },
            Attachment { path: Some("https://example.com/b.pdf".into()), ..Attachment::default() },
        ],
        tags: vec![Tag { name: "kind".into(), value: "welcome".into() }],
        headers: [("X-One".to_owned(), "1".to_owned())].into(),
        scheduled_at: Some("2026-12-24T18:00:00+01:00".into()),
        topic_id: Some("news".into()),
        template: None,
        idempotency_key: Some(KEY.into()),
    }
}

/// The least that a message may hold.
fn least() -> Draft {
    Draft {
        from: "noreply@example.com".into(),
        to: "ann@example.com".into(),
        subject: "Hello".into(),
        text: Some("text".into()),
        ..Draft::default()
    }
}

fn templated(id: &str) -> Draft {
    let variables = [("name".to_owned(), "Ann".into()), ("count".to_owned(), 3.into())];
    let template = Template { id: id.into(), variables: Some(variables.into()) };
    Draft { text: None, template: Some(template), ..least() }
}

/// What Resend was sent.
async fn to_resend(draft: Draft) -> Value {
    let api = MailApi::resend().await;
    let client = Resend::new(&settings(&api)).unwrap();
    let sent = client.send(&Message::new(draft).unwrap()).await.unwrap();
    assert_eq!((sent.id.as_str(), sent.provider), ("re-1", Provider::Resend));
    api.mails().remove(0).body
}

/// What Brevo was sent.
async fn to_brevo(draft: Draft) -> Result<Value, SendError> {
    let api = MailApi::brevo().await;
    let client = Brevo::new(&settings(&api)).unwrap();
    let sent = client.send(&Message::new(draft).unwrap()).await?;
    assert_eq!((sent.id.as_str(), sent.provider.as_str()), ("<1@smtp-relay.example>", "brevo"));
    Ok(api.mails().remove(0).body)
}

#[tokio::test]
async fn resend_gets_every_field_in_snake_case() {
    let expected = json!({
        "from": "Portcullis <noreply@example.com>",
        "to": ["Ann Lee <ann@example.com>", "bob@example.com"],
        "cc": ["cc@example.com"],
        "bcc": ["bcc1@example.com", "bcc2@example.com"],
        "reply_to": ["Help <help@example.com>", "second@example.com"],
        "subject": "Hello",
        "html": "<p>html</p>",
        "text": "text",
        "attachments": [
            {
                "filename": "a.bin",
                "content": "AP8+Pw==",
                "content_type": "application/octet-stream",
                "content_id": "a",
            },
            {"path": "https://example.com/b.pdf"},
        ],
        "tags": [{"name": "kind", "value": "welcome"}],
        "headers": {"X-One": "1"},
        "scheduled_at": "2026-12-24T18:00:00+01:00",
        "topic_id": "news",
    });
    assert_eq!(to_resend(full()).await, expected);
}

#[tokio::test]
async fn brevo_gets_what_it_has_a_place_for() {
    let expected = json!({
        "sender": {"name": "Portcullis", "email": "noreply@example.com"},
        "to": [{"name": "Ann Lee", "email": "ann@example.com"}, {"email": "bob@example.com"}],
        "cc": [{"email": "cc@example.com"}],
        "bcc": [{"email": "bcc1@example.com"}, {"email": "bcc2@example.com"}],
        "replyTo": {"name": "Help", "email": "help@example.com"},
        "subject": "Hello",
        "htmlContent": "<p>html</p>",
        "textContent": "text",
        "attachment": [
            {"name": "a.bin", "content": "AP8+Pw=="},
            {"url": "https://example.com/b.pdf"},
        ],
        "headers": {"X-One": "1", "idempotencyKey": KEY},
        "scheduledAt": "2026-12-24T17:00:00.000Z",
    });
    assert_eq!(to_brevo(full()).await.unwrap(), expected);
}

#[tokio::test]
async fn what_is_not_there_is_not_sent() {
    let expected = json!({
        "from": "noreply@example.com",
        "to": ["ann@example.com"],
        "subject": "Hello",
        "text": "text",
    });
    assert_eq!(to_resend(least()).await, expected);
    let expected = json!({
        "sender": {"email": "noreply@example.com"},
        "to": [{"email": "ann@example.com"}],
        "subject": "Hello",
        "textContent": "text",
    });
    assert_eq!(to_brevo(least()).await.unwrap(), expected);
}

#[tokio::test]
async fn a_template_goes_with_its_variables() {
    let template = &to_resend(templated("welcome")).await["template"];
    assert_eq!(*template, json!({"id": "welcome", "variables": {"name": "Ann", "count": 3}}));
    let body = to_brevo(templated("42")).await.unwrap();
    assert_eq!(body["templateId"], 42);
    assert_eq!(body["params"], json!({"name": "Ann", "count": 3}));
}

#[tokio::test]
async fn a_template_without_variables_goes_alone() {
    let bare = |id: &str| {
        let template = Template { id: id.into(), variables: None };
        Draft { text: None, template: Some(template), ..least() }
    };
    assert_eq!(to_resend(bare("welcome")).await["template"], json!({"id": "welcome"}));
    assert_eq!(to_brevo(bare("42")).await.unwrap().get("params"), None);
}

#[tokio::test]
async fn a_template_of_brevo_has_a_number() {
    let error = to_brevo(templated("welcome")).await.unwrap_err();
    assert_eq!(error.to_string(), "Brevo template.id must be numeric (stringified integer)");
}

#[tokio::test]
async fn a_schedule_of_brevo_is_iso_8601() {
    let draft = Draft { scheduled_at: Some("in 1 min".into()), ..least() };
    assert_eq!(to_resend(draft.clone()).await["scheduled_at"], "in 1 min");
    let error = to_brevo(draft).await.unwrap_err().to_string();
    assert_eq!(error, "scheduled_at must be an ISO-8601 datetime string for Brevo");
}

#[tokio::test]
async fn content_without_a_name_gets_one_at_brevo() {
    let file = Attachment { content: Some(b"x".into()), ..Attachment::default() };
    let body = to_brevo(Draft { attachments: vec![file], ..least() }).await.unwrap();
    assert_eq!(body["attachment"], json!([{"name": "attachment", "content": "eA=="}]));
}

#[tokio::test]
async fn one_recipient_is_a_list_of_one() {
    let draft = Draft { to: Recipients(vec!["ann@example.com".into()]), ..least() };
    assert_eq!(to_resend(draft).await["to"], json!(["ann@example.com"]));
}
