//! What a request costs in the program itself, from its head to its document, over
//! parts in memory and without a socket: `just bench-parts`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[path = "../tests/http/parts.rs"]
mod parts;

use actix_http::Request;
use actix_web::http::StatusCode;
use actix_web::test;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

fn post(path: &str, body: &Value) -> Request {
    test::TestRequest::post().uri(path).set_json(body).to_request()
}

fn requests(criterion: &mut Criterion) {
    let system = actix_web::rt::System::new();
    let service =
        system.block_on(test::init_service(portcullis_http::service(&parts::api(parts::ports()))));
    let signed_up = system.block_on(test::call_and_read_body_json::<_, _, Value>(
        &service,
        test::TestRequest::post()
            .uri("/api/v1/auth/signup")
            .set_form([
                ("username", "ann"),
                ("email", "ann@example.com"),
                ("first_name", "Ann"),
                ("last_name", "Lee"),
                ("password", "SecurePass123!"),
            ])
            .to_request(),
    ));
    let bearer = format!("Bearer {}", signed_up["access_token"].as_str().unwrap());
    let wrong = json!({"email": "ann@example.com", "password": 1});
    let read = || {
        let request = test::TestRequest::get().uri("/api/v1/users/me");
        request.insert_header(("authorization", bearer.as_str())).to_request()
    };
    let mut measure = |what: &str, status, request: &dyn Fn() -> Request| {
        let answer = system.block_on(test::call_service(&service, request()));
        assert_eq!(answer.status(), status, "{what}");
        criterion.bench_function(what, |bencher| {
            bencher.iter(|| system.block_on(test::call_service(&service, request())));
        });
    };
    measure("read the own account", StatusCode::OK, &read);
    measure(
        "a JSON body that is refused field by field",
        StatusCode::UNPROCESSABLE_ENTITY,
        &|| post("/api/v1/auth/login", &wrong),
    );
    measure("a path that is not there", StatusCode::NOT_FOUND, &|| {
        test::TestRequest::get().uri("/api/v1/nothing").to_request()
    });
}

criterion_group!(benches, requests);
criterion_main!(benches);
