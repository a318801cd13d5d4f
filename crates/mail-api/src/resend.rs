//! Resend: <https://resend.com/docs/api-reference/emails/send-email>.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_api_client::{HeaderMap, HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use crate::api::{Answer, Api};
use crate::error::{Provider, SendError, Sent};
use crate::message::{Attachment, Draft, Message, Tag, Template, Variable};
use crate::settings::{ApiSettings, InvalidApiSettings};

const BASE_URL: &str = "https://api.resend.com";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Sends by Resend.
#[derive(Debug)]
pub struct Resend {
    api: Api,
    pub(crate) sender: String,
}

impl Resend {
    /// A client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidApiSettings`] says which setting cannot be used.
    pub fn new(settings: &ApiSettings) -> Result<Self, InvalidApiSettings> {
        let key = ("authorization", format!("Bearer {}", settings.key.expose_secret()));
        let api = Api::new(Provider::Resend, settings, BASE_URL, &["emails"], key)?;
        Ok(Self { api, sender: settings.sender.clone() })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`SendError`] says what a caller can do about it.
    pub async fn send(&self, message: &Message) -> Result<Sent, SendError> {
        let draft = message.draft();
        let mut headers = HeaderMap::new();
        // A checked key always fits.
        let key = draft.idempotency_key.as_deref().map(HeaderValue::from_str);
        if let Some(Ok(key)) = key {
            headers.insert(IDEMPOTENCY_KEY, key);
        }
        let answer = self.api.post(headers, &Payload::of(draft)).await?;
        if !answer.status.is_success() {
            return Err(self.failure(&answer));
        }
        let Some(Value::Object(body)) = &answer.body else {
            return Err(self.api.unexpected("is not a mapping"));
        };
        match body.get("id") {
            Some(Value::String(id)) if !id.is_empty() => {
                Ok(Sent { id: id.clone(), provider: Provider::Resend })
            }
            _ => Err(self.api.unexpected("does not include a valid 'id'")),
        }
    }

    fn failure(&self, answer: &Answer) -> SendError {
        let told = answer.told("name");
        match (answer.status.as_u16(), answer.text("name")) {
            // The same key with another payload: the first one was taken.
            (409, "invalid_idempotent_request") => {
                SendError::Duplicate { provider: Provider::Resend }
            }
            // Each of our mails has the same sender: it is not about this one.
            (_, "invalid_from_address" | "missing_api_key" | "invalid_api_key") => {
                SendError::Unauthorized { provider: Provider::Resend, told }
            }
            _ => self.api.failure(answer, told),
        }
    }
}

/// The body of `POST /emails`.
#[derive(Serialize)]
struct Payload<'a> {
    from: &'a str,
    to: &'a [String],
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bcc: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentPayload<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagPayload<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<TemplatePayload<'a>>,
}

#[derive(Serialize)]
struct AttachmentPayload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id: Option<&'a str>,
}

#[derive(Serialize)]
struct TagPayload<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct TemplatePayload<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<&'a BTreeMap<String, Variable>>,
}

impl<'a> Payload<'a> {
    fn of(draft: &'a Draft) -> Self {
        Self {
            from: &draft.from,
            to: &draft.to.0,
            subject: &draft.subject,
            cc: draft.cc.as_ref().map(|list| list.0.as_slice()),
            bcc: draft.bcc.as_ref().map(|list| list.0.as_slice()),
            reply_to: draft.reply_to.as_ref().map(|list| list.0.as_slice()),
            html: draft.html.as_deref(),
            text: draft.text.as_deref(),
            attachments: draft.attachments.iter().map(AttachmentPayload::of).collect(),
            tags: draft.tags.iter().map(|Tag { name, value }| TagPayload { name, value }).collect(),
            headers: &draft.headers,
            scheduled_at: draft.scheduled_at.as_deref(),
            topic_id: draft.topic_id.as_deref(),
            template: draft.template.as_ref().map(|Template { id, variables }| TemplatePayload {
                id,
                variables: variables.as_ref(),
            }),
        }
    }
}

impl<'a> AttachmentPayload<'a> {
    fn of(attachment: &'a Attachment) -> Self {
        Self {
            filename: attachment.filename.as_deref(),
            content: attachment.content.as_ref().map(|content| STANDARD.encode(content)),
            path: attachment.path.as_deref(),
            content_type: attachment.content_type.as_deref(),
            content_id: attachment.content_id.as_deref(),
        }
    }
}
