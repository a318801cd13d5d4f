//! Brevo: <https://developers.brevo.com/reference/send-transac-email>.

mod scheduled_at;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portcullis_api_client::HeaderMap;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::Value;

use crate::address::NamedAddress;
use crate::api::{Answer, Api};
use crate::error::{Provider, SendError, Sent};
use crate::message::{Attachment, Draft, Message, Recipients, Variable};
use crate::settings::{ApiSettings, InvalidApiSettings};

const BASE_URL: &str = "https://api.brevo.com";

/// Sends by Brevo.
#[derive(Debug)]
pub struct Brevo {
    api: Api,
    pub(crate) sender: String,
}

impl Brevo {
    /// A client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`InvalidApiSettings`] says which setting cannot be used.
    pub fn new(settings: &ApiSettings) -> Result<Self, InvalidApiSettings> {
        let key = ("api-key", settings.key.expose_secret().to_owned());
        let api = Api::new(Provider::Brevo, settings, BASE_URL, &["v3", "smtp", "email"], key)?;
        Ok(Self { api, sender: settings.sender.clone() })
    }

    /// Sends a message. Of several reply addresses Brevo gets the first; tags,
    /// the topic, and an attachment's type and content id it gets not at all.
    ///
    /// # Errors
    /// [`SendError`] says what a caller can do about it.
    pub async fn send(&self, message: &Message) -> Result<Sent, SendError> {
        let payload = Payload::of(message.draft())?;
        let answer = self.api.post(HeaderMap::new(), &payload).await?;
        if !answer.status.is_success() {
            return Err(self.failure(&answer));
        }
        let Some(Value::Object(body)) = &answer.body else {
            return Err(self.api.unexpected("is not a mapping"));
        };
        match body.get("messageId") {
            Some(Value::String(id)) if !id.is_empty() => {
                Ok(Sent { id: id.clone(), provider: Provider::Brevo })
            }
            _ => Err(self.api.unexpected("does not include a valid 'message_id'")),
        }
    }

    fn failure(&self, answer: &Answer) -> SendError {
        let told = answer.told("code");
        match answer.text("code") {
            // What Brevo answers to a key that it has seen within half an hour.
            "duplicate_parameter" | "duplicate_request" => {
                SendError::Duplicate { provider: Provider::Brevo }
            }
            // Some of these come as 400.
            "unauthorized"
            | "permission_denied"
            | "reseller_permission_denied"
            | "not_enough_credits"
            | "account_under_validation" => {
                SendError::Unauthorized { provider: Provider::Brevo, told }
            }
            _ => self.api.failure(answer, told),
        }
    }
}

/// The body of `POST /v3/smtp/email`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    sender: Contact<'a>,
    to: Vec<Contact<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc: Option<Vec<Contact<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bcc: Option<Vec<Contact<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<Contact<'a>>,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    html_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachment: Vec<AttachmentPayload<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduled_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<&'a BTreeMap<String, Variable>>,
}

#[derive(Serialize)]
struct Contact<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    email: &'a str,
}

#[derive(Serialize)]
struct AttachmentPayload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
}

impl<'a> Payload<'a> {
    fn of(draft: &'a Draft) -> Result<Self, SendError> {
        let scheduled_at = draft.scheduled_at.as_deref().map(scheduled_at::in_utc).transpose()?;
        let template_id = draft.template.as_ref().map(|template| number(&template.id));
        let mut headers: BTreeMap<_, _> =
            draft.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if let Some(key) = &draft.idempotency_key {
            headers.insert("idempotencyKey", key);
        }
        let list = |Recipients(list): &'a Recipients| list.iter().map(|one| Contact::of(one));
        let first = |list: &'a Recipients| list.0.first().map(|one| Contact::of(one));
        Ok(Self {
            sender: Contact::of(&draft.from),
            to: list(&draft.to).collect(),
            cc: draft.cc.as_ref().map(|cc| list(cc).collect()),
            bcc: draft.bcc.as_ref().map(|bcc| list(bcc).collect()),
            reply_to: draft.reply_to.as_ref().and_then(first),
            subject: &draft.subject,
            html_content: draft.html.as_deref(),
            text_content: draft.text.as_deref(),
            attachment: draft.attachments.iter().map(AttachmentPayload::of).collect(),
            headers,
            scheduled_at,
            template_id: template_id.transpose()?,
            params: draft.template.as_ref().and_then(|template| template.variables.as_ref()),
        })
    }
}

fn number(id: &str) -> Result<u64, SendError> {
    id.parse().map_err(|_| SendError::Unsupported {
        provider: Provider::Brevo,
        what: "Brevo template.id must be numeric (stringified integer)",
    })
}

impl<'a> Contact<'a> {
    fn of(text: &'a str) -> Self {
        let NamedAddress { name, address } = NamedAddress::of(text);
        Self { name, email: address }
    }
}

impl<'a> AttachmentPayload<'a> {
    fn of(attachment: &'a Attachment) -> Self {
        // Brevo takes no content without a name.
        let fallback = attachment.content.as_ref().map(|_| "attachment");
        Self {
            url: attachment.path.as_deref(),
            content: attachment.content.as_ref().map(|content| STANDARD.encode(content)),
            name: attachment.filename.as_deref().or(fallback),
        }
    }
}
