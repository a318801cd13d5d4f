//! The API's documentation: Swagger UI, `ReDoc`, and the document they show.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{HTML, page};
use crate::Api;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let swagger = SwaggerUi::new("/docs/{_:.*}").config(
        Config::from("/openapi.json")
            .persist_authorization(true)
            .display_request_duration(true)
            .display_operation_id(false)
            .deep_linking(true)
            .validator_url("none"),
    );
    config
        .service(page("/openapi.json").route(web::get().to(document)))
        .service(page("/redoc").route(web::get().to(redoc)))
        .service(page("/docs").route(web::get().to(to_docs)))
        .service(swagger);
}

async fn to_docs() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

async fn document(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(api.document.clone())
}

async fn redoc() -> HttpResponse {
    HttpResponse::Ok().content_type(HTML).body(include_str!("../../templates/redoc.html"))
}
