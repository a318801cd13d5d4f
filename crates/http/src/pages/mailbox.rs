//! `/dev/mailbox`: what would have been sent, for the developer's eyes.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use portcullis_domain::ports::{Mailbox, MailboxMessage};
use serde::{Deserialize, Serialize};

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

/// Mails hold tokens, so only this machine's own eyes may see them: neither a
/// page of another origin, nor a name that was made to point here, nor whoever
/// comes through a proxy.
fn require_local(request: &HttpRequest) -> Result<(), Problem> {
    let header =
        |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let host = request.connection_info().host().to_owned();
    let is_own_page = header("origin")
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, origin)| origin == host));
    let is_foreign_fetch =
        header("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let is_forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"]
        .iter()
        .any(|name| header(name).is_some());
    if is_loopback(&host) && is_own_page && !is_foreign_fetch && !is_forwarded {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

/// Whether a `Host` header names this machine.
fn is_loopback(host: &str) -> bool {
    let without_port = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    without_port == "localhost"
        || without_port.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The page to browsers, the messages to programs.
pub(super) async fn show(
    api: web::Data<Api>,
    request: HttpRequest,
    filter: web::Query<Filter>,
) -> Result<HttpResponse, Problem> {
    require_local(&request)?;
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

pub(super) async fn clear(
    api: web::Data<Api>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require_local(&request)?;
    let cleared = mailbox(&api)?.clear().await;
    cleared.map_err(|error| Problem::from(portcullis_app::Failure::from(error)))?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn is_local(headers: &[(&'static str, &'static str)]) -> bool {
        let request = headers
            .iter()
            .fold(TestRequest::get(), |request, header| request.insert_header(*header));
        require_local(&request.to_http_request()).is_ok()
    }

    #[test]
    fn only_this_machine_reads_mails() {
        for host in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "localhost"] {
            assert!(is_local(&[("host", host)]), "{host}");
        }
        assert!(is_local(&[("host", "localhost:8000"), ("origin", "http://localhost:8000")]));
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", ""] {
            assert!(!is_local(&[("host", host)]), "{host}");
        }
        for foreign in [
            ("origin", "https://evil.example"),
            ("origin", "http://localhost:3000"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("x-forwarded-for", "192.0.2.1"),
            ("forwarded", "for=192.0.2.1"),
        ] {
            assert!(!is_local(&[("host", "localhost:8000"), foreign]), "{foreign:?}");
        }
    }
}
