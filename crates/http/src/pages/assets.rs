//! Scripts and styles of our own pages.

use actix_web::http::header::{self, ContentEncoding};
use actix_web::{HttpResponse, web};

use super::file::File;
use crate::problem::Problem;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

pub(super) async fn asset(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    let (content_type, text) = match name.as_str() {
        "pages.css" => (CSS, include_str!("../../assets/pages.css")),
        "mailbox.js" => (JAVASCRIPT, include_str!("../../assets/mailbox.js")),
        "redoc-start.js" => (JAVASCRIPT, include_str!("../../assets/redoc-start.js")),
        "reset-password.js" => (JAVASCRIPT, include_str!("../../assets/reset-password.js")),
        "verify-email.js" => (JAVASCRIPT, include_str!("../../assets/verify-email.js")),
        "redoc.js" => return Ok(redoc()),
        _ => return Err(Problem::not_found()),
    };
    let mut answer = HttpResponse::Ok();
    Ok(answer.content_type(content_type).insert_header(for_a_while()).body(File::new(text)))
}

/// `ReDoc` 2.5.4 (MIT), kept compressed; every browser reads it like that.
fn redoc() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(JAVASCRIPT)
        .insert_header(ContentEncoding::Gzip)
        .insert_header(for_a_while())
        .body(File::new(&include_bytes!("../../assets/redoc.standalone.js.gz")[..]))
}

fn for_a_while() -> (header::HeaderName, &'static str) {
    (header::CACHE_CONTROL, "public, max-age=3600")
}
