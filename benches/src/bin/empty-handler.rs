//! What the web framework costs by itself: a handler that does nothing.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use actix_web::{App, HttpResponse, HttpServer, web};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let app = || App::new().default_service(web::to(async || HttpResponse::Ok().body("{}")));
    HttpServer::new(app).bind(("127.0.0.1", port))?.run().await
}
