//! A defect in what handlers call ends one request, and no other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use async_trait::async_trait;
use portcullis_app::Ports;
use portcullis_domain::ports::{Cancellation, HasherError, PasswordHasher, Turn, Verification};
use portcullis_domain::{Password, PasswordHash};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::{parts, serve};

const SECRET: &str = "canary-that-a-panic-quotes";

/// Stumbles over every password, and says which.
struct StumblingHasher;

#[async_trait]
impl PasswordHasher for StumblingHasher {
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError> {
        Ok(Turn::new(cancellation, ()))
    }

    async fn hash(&self, _: Turn, password: Password) -> Result<PasswordHash, HasherError> {
        panic!("stumbled over {}", password.expose());
    }

    async fn verify(
        &self,
        _: Turn,
        password: Password,
        _: Option<PasswordHash>,
    ) -> Result<Verification, HasherError> {
        panic!("stumbled over {}", password.expose());
    }
}

async fn post(client: &Client, address: SocketAddr, path: &str) -> Response {
    let body = json!({"email": "ann@example.com", "name": "Ann", "password": SECRET});
    let request = client.post(format!("http://{address}/api/v1/auth/{path}")).json(&body);
    request.header("x-request-id", "of-the-test").send().await.unwrap()
}

/// The contract's 500, whole, and nothing of what the panic said.
async fn is_internal(answer: Response) {
    assert_eq!(answer.status(), 500);
    let headers = answer.headers().clone();
    assert_eq!(headers["x-request-id"], "of-the-test");
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers.contains_key("strict-transport-security"));
    let text = answer.text().await.unwrap();
    assert!(!text.contains("canary") && !text.contains("stumbled"), "{text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["error_code"], "INTERNAL_SERVER_ERROR");
    assert_eq!(body["detail"], "Internal server error");
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{text}");
}

/// One connection: a panic, then a request that is answered.
fn the_connection_serves_on(address: SocketAddr) {
    let body = format!(r#"{{"email":"ann@example.com","password":"{SECRET}"}}"#);
    let length = body.len();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}\
         GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    let statuses: Vec<_> = answers.match_indices("HTTP/1.1 ").collect();
    assert_eq!(statuses.len(), 2, "{answers}");
    assert!(answers.starts_with("HTTP/1.1 500 ") && answers.contains("HTTP/1.1 200 "), "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn op_05_r_05_a_panic_in_a_handler_is_one_500_and_touches_no_other_request() {
    let (address, _) = serve(Ports { hasher: Arc::new(StumblingHasher), ..parts::ports() });
    let client = Client::builder().no_proxy().build().unwrap();
    for path in ["register", "login"] {
        is_internal(post(&client, address, path).await).await;
    }
    the_connection_serves_on(address);
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..200 {
        let client = client.clone();
        requests.spawn(async move {
            if number % 2 == 0 {
                is_internal(post(&client, address, "register").await).await;
            } else {
                let health = client.get(format!("http://{address}/health")).send().await.unwrap();
                assert_eq!(health.status(), 200);
            }
        });
    }
    let survived = requests.join_all().await.len();
    println!("{survived} requests, every second of them a panic: all answered");
}
