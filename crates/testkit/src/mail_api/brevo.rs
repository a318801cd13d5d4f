//! Brevo's `POST /v3/smtp/email`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ApiMail;
use crate::http::Request;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    sender: Contact,
    to: Vec<Contact>,
    cc: Option<Vec<Contact>>,
    bcc: Option<Vec<Contact>>,
    #[serde(rename = "replyTo")]
    _reply_to: Option<Contact>,
    subject: String,
    html_content: Option<String>,
    text_content: Option<String>,
    #[serde(default)]
    attachment: Vec<Attachment>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    scheduled_at: Option<String>,
    template_id: Option<u64>,
    params: Option<Map<String, Value>>,
    #[serde(rename = "tags")]
    _tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contact {
    name: Option<String>,
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attachment {
    url: Option<String>,
    content: Option<String>,
    name: Option<String>,
}

pub(super) fn read(request: &Request) -> Result<ApiMail, String> {
    let whole: Value = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let body: Body = serde_json::from_slice(&request.body).map_err(|error| error.to_string())?;
    let is_empty = |list: &Option<Vec<Contact>>| list.as_ref().is_some_and(Vec::is_empty);
    if body.to.is_empty() || is_empty(&body.cc) || is_empty(&body.bcc) {
        return Err("A list of recipients is empty.".into());
    }
    let is_named = |contact: &Contact| contact.email.contains(['<', '>', ' ']);
    if is_named(&body.sender) || body.to.iter().any(is_named) {
        return Err("email is not valid.".into());
    }
    let has_body = body.html_content.is_some() || body.text_content.is_some();
    if body.template_id.is_none() && !has_body {
        return Err("htmlContent, textContent or templateId is missing.".into());
    }
    if body.params.as_ref().is_some_and(Map::is_empty) {
        return Err("params is blank.".into());
    }
    let is_whole = |file: &Attachment| match (&file.url, &file.content) {
        (Some(_), None) => true,
        (None, Some(_)) => file.name.is_some(),
        _ => false,
    };
    if !body.attachment.iter().all(is_whole) {
        return Err("An attachment needs a url, or a content and a name.".into());
    }
    if body.scheduled_at.as_deref().is_some_and(|at| !is_utc(at)) {
        return Err("scheduledAt must be YYYY-MM-DDTHH:mm:ss.SSSZ.".into());
    }
    let mut headers = body.headers;
    let key = headers.remove("idempotencyKey");
    if key.as_deref().is_some_and(|key| !is_uuid(key)) {
        return Err("idempotencyKey must be a UUID.".into());
    }
    let Contact { name, email } = body.sender;
    Ok(ApiMail {
        key,
        from: name.map_or_else(|| email.clone(), |name| format!("{name} <{email}>")),
        to: body.to.into_iter().map(|contact| contact.email).collect(),
        subject: body.subject,
        text: body.text_content.unwrap_or_default(),
        html: body.html_content.unwrap_or_default(),
        headers: headers.into_keys().collect(),
        body: whole,
    })
}

/// `2026-12-24T18:00:00.000Z`.
fn is_utc(text: &str) -> bool {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(digits).collect::<String>() == "0000-00-00T00:00:00.000Z"
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}
