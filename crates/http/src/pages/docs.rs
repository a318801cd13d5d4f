//! The API's documentation: Swagger UI, `ReDoc`, and the document they show.

use std::borrow::Cow;
use std::sync::Arc;

use actix_web::http::header::{self, ContentEncoding};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::Config;

use super::file::File;
use super::{HTML, page};
use crate::Api;
use crate::problem::Problem;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let swagger = Config::from("/openapi.json")
        .persist_authorization(true)
        .display_request_duration(true)
        .display_operation_id(false)
        .deep_linking(true)
        .validator_url("none");
    config
        .service(page("/openapi.json").route(web::get().to(document)))
        .service(page("/redoc").route(web::get().to(redoc)))
        .service(page("/docs").route(web::get().to(to_docs)))
        .service(
            page("/docs/{name:.*}")
                .app_data(web::Data::new(swagger))
                .route(web::get().to(swagger_ui)),
        );
}

/// Swagger UI's own service would copy a file for each request.
async fn swagger_ui(
    name: web::Path<String>,
    config: web::Data<Config<'static>>,
) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&name, Arc::clone(&config));
    let file = found.map_err(|_| Problem::internal())?.ok_or_else(Problem::not_found)?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut answer = HttpResponse::Ok();
    if file.gzpipped {
        answer.insert_header(ContentEncoding::Gzip);
    }
    Ok(answer.content_type(file.content_type).body(File::new(bytes)))
}

async fn to_docs() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn document(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(File::new(api.document.clone()))
}

async fn redoc() -> HttpResponse {
    HttpResponse::Ok().content_type(HTML).body(include_str!("../../templates/redoc.html"))
}
