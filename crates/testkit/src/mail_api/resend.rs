//! Resend's `POST /emails`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::ApiMail;
use crate::http::Request;

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    from: String,
    to: OneOrMany,
    subject: String,
    #[serde(rename = "cc")]
    _cc: Option<OneOrMany>,
    #[serde(rename = "bcc")]
    _bcc: Option<OneOrMany>,
    #[serde(rename = "reply_to")]
    _reply_to: Option<OneOrMany>,
    html: Option<String>,
    text: Option<String>,
    #[serde(default)]
    attachments: Vec<Attachment>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(rename = "scheduled_at")]
    _scheduled_at: Option<String>,
    #[serde(rename = "topic_id")]
    _topic_id: Option<String>,
    template: Option<Template>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attachment {
    #[serde(rename = "filename")]
    _filename: Option<String>,
    content: Option<String>,
    path: Option<String>,
    #[serde(rename = "content_type")]
    _content_type: Option<String>,
    #[serde(rename = "content_id")]
    _content_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    #[serde(rename = "id")]
    _id: String,
    #[serde(default)]
    variables: BTreeMap<String, Value>,
}

pub(super) fn read(request: &Request) -> Result<ApiMail, String> {
    let key = request.header("idempotency-key").map(str::to_owned);
    if key.as_ref().is_some_and(|key| !(1..=256).contains(&key.len())) {
        return Err("The key must be between 1-256 chars.".into());
    }
    let whole: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let body: Body = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let to = body.to.list();
    if to.is_empty() || to.len() > 50 {
        return Err("The `to` field must have 1 to 50 recipients.".into());
    }
    if body.template.is_some() == (body.html.is_some() || body.text.is_some()) {
        return Err("Either a template or a body.".into());
    }
    if body.attachments.iter().any(|file| file.content.is_some() == file.path.is_some()) {
        return Err("Either content or path.".into());
    }
    let is_tag = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if body.tags.iter().any(|tag| !is_tag(&tag.name) || !is_tag(&tag.value)) {
        return Err(
            "Tags should only contain ASCII letters, numbers, underscores, or dashes.".into()
        );
    }
    let mut variables = body.template.iter().flat_map(|template| template.variables.values());
    if variables.any(|value| !value.is_string() && !value.is_number()) {
        return Err("Variables must be strings or numbers.".into());
    }
    Ok(ApiMail {
        key,
        from: body.from,
        to,
        subject: body.subject,
        text: body.text.unwrap_or_default(),
        html: body.html.unwrap_or_default(),
        headers: body.headers.into_keys().collect(),
        body: whole,
    })
}
