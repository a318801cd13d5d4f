//! Pages for people. Every asset is part of the binary: no page names another
//! host, and the content security policy would refuse it.

mod assets;
mod docs;
mod file;
mod mailbox;
mod objects;

use actix_web::http::header;
use actix_web::{HttpResponse, Resource, web};
use askama::Template;

use crate::Api;
use crate::fallback::fallback;
use crate::problem::Problem;

const HTML: &str = "text/html; charset=utf-8";

/// The patterns of the routes that stand in no document, as far as there are any.
pub(crate) const PATTERNS: [&str; 8] = [
    "/assets/{name}",
    "/reset-password",
    "/openapi.json",
    "/redoc",
    "/docs",
    "/docs/{name:.*}",
    "/objects/{name:.*}",
    "/dev/mailbox",
];

/// The routes that stand in no document.
pub(crate) fn configure(api: &Api, config: &mut web::ServiceConfig) {
    config
        .service(page("/assets/{name}").route(web::get().to(assets::asset)))
        .service(page("/reset-password").route(web::get().to(reset_password)));
    if api.settings.docs {
        docs::configure(config);
    }
    let pictures = api.app.services().pictures.as_ref();
    if pictures.is_some_and(|pictures| pictures.downloads.is_some()) {
        config.service(page("/objects/{name:.*}").route(web::get().to(objects::show)));
    }
    if api.mailbox.is_some() {
        config.service(
            page("/dev/mailbox")
                .route(web::get().to(mailbox::show))
                .route(web::delete().to(mailbox::clear)),
        );
    }
}

/// A resource whose other methods are told as everywhere else.
fn page(path: &'static str) -> Resource {
    web::resource(path).default_service(web::to(fallback))
}

#[derive(Template)]
#[template(path = "verify_email.html")]
struct VerifyEmail<'a> {
    token: &'a str,
}

/// The page that a browser gets instead of spending the token.
pub(crate) fn verify_email(token: &str) -> Result<HttpResponse, Problem> {
    let page = VerifyEmail { token }.render().map_err(|_| Problem::internal())?;
    Ok(HttpResponse::Ok().content_type(HTML).body(page))
}

/// The page behind the link of a reset mail: its token is in the fragment,
/// which no request carries.
async fn reset_password() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(HTML)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(include_str!("../../templates/reset_password.html"))
}
