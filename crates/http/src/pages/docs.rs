//! The API's documentation: Swagger UI, `ReDoc`, and the document they show.

use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::HTML;
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
        .service(web::resource("/openapi.json").route(web::get().to(document)))
        .service(web::resource("/redoc").route(web::get().to(redoc)))
        .service(web::redirect("/docs", "/docs/"))
        .service(swagger);
}

async fn document(api: web::Data<Api>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(api.document.clone())
}

async fn redoc() -> HttpResponse {
    HttpResponse::Ok().content_type(HTML).body(include_str!("../../templates/redoc.html"))
}
