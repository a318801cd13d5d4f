//! `/dev/mailbox`: what would have been sent, for the developer's eyes.

use actix_web::{HttpRequest, HttpResponse, web};
use portcullis_domain::ports::{Mailbox, MailboxMessage};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::HTML;
use crate::Api;
use crate::extract::accept::prefers_html;
use crate::problem::Problem;

/// Most messages that are shown at once.
const LIMIT: u32 = 200;

#[derive(Deserialize)]
pub(super) struct Filter {
    to: Option<String>,
}

#[derive(Serialize)]
struct Messages {
    messages: Vec<Message>,
}

#[derive(Serialize)]
struct Message {
    id: String,
    from: String,
    to: [String; 1],
    subject: String,
    text: String,
    html: String,
    sent_at: String,
}

impl From<MailboxMessage> for Message {
    fn from(message: MailboxMessage) -> Self {
        Self {
            id: message.id.to_string(),
            from: message.from,
            to: [message.to],
            subject: message.subject,
            text: message.text,
            html: message.html,
            sent_at: message.sent_at.to_string(),
        }
    }
}

fn mailbox(api: &Api) -> Result<&Arc<dyn Mailbox>, Problem> {
    api.mailbox.as_ref().ok_or_else(Problem::not_found)
}

/// The page to browsers, the messages to programs.
pub(super) async fn show(
    api: web::Data<Api>,
    request: HttpRequest,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    if prefers_html(&request) {
        let page = include_str!("../../templates/mailbox.html");
        return Ok(HttpResponse::Ok().content_type(HTML).body(page));
    }
    let to = filter.into_inner().to.map(|to| to.trim().to_lowercase());
    let listed = mailbox(&api)?.list(to, LIMIT).await;
    let listed = listed.map_err(|error| Problem::from(portcullis_app::Failure::from(error)))?;
    let messages = listed.into_iter().map(Message::from).collect();
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(Messages { messages }))
}

pub(super) async fn clear(api: web::Data<Api>) -> Result<HttpResponse, Problem> {
    let cleared = mailbox(&api)?.clear().await;
    cleared.map_err(|error| Problem::from(portcullis_app::Failure::from(error)))?;
    Ok(HttpResponse::NoContent().finish())
}
