//! Proxies that the environment names. It is a process's own, so each test starts
//! one: itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use portcullis_api_client::{ApiClient, CallError, ClientSettings, Method, Repeat};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Set for the process that calls.
const PROXY: &str = "TEST_PROXY";

/// Runs a test of this file once more, where all requests are to go through a
/// proxy of that port.
fn again_behind_a_proxy(test: &str, port: u16) {
    let proxy = format!("http://127.0.0.1:{port}");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(PROXY, &proxy);
    for name in ["NO_PROXY", "no_proxy", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        command.env(name, &proxy);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_behind_a_proxy() -> bool {
    std::env::var_os(PROXY).is_some()
}

fn client(url: &str) -> ApiClient {
    let settings = ClientSettings {
        deadline: Duration::from_secs(3),
        ..ClientSettings::new(url.parse().unwrap())
    };
    ApiClient::new(settings).unwrap()
}

#[tokio::test]
async fn what_is_sent_to_this_machine_goes_through_no_proxy() {
    if !is_behind_a_proxy() {
        let name = "what_is_sent_to_this_machine_goes_through_no_proxy";
        return again_behind_a_proxy(name, portcullis_testkit::free_port());
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    });
    let answer = client(&url).call(Method::GET, &[]).send(Repeat::Never).await.unwrap();
    assert_eq!(answer.status.as_u16(), 200);
}

/// Proves also that the environment of the other test means something.
#[tokio::test]
async fn what_is_sent_elsewhere_goes_through_the_proxy() {
    if !is_behind_a_proxy() {
        let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = proxy.local_addr().unwrap().port();
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = proxy.accept().unwrap();
            let mut first = [0; 8];
            std::io::Read::read_exact(&mut stream, &mut first).unwrap();
            first
        });
        again_behind_a_proxy("what_is_sent_elsewhere_goes_through_the_proxy", port);
        assert_eq!(&asked.join().unwrap(), b"CONNECT ");
        return;
    }
    let elsewhere = client("https://api.example").call(Method::GET, &[]).send(Repeat::Never).await;
    assert!(matches!(elsewhere, Err(CallError::Unreachable(_))), "{elsewhere:?}");
}

#[tokio::test]
async fn an_api_over_tls_leads_to_none_without() {
    let here = format!("http://127.0.0.1:{}", portcullis_testkit::free_port());
    let led = client("https://api.example").at(here.parse().unwrap());
    let told = led.call(Method::GET, &[]).send(Repeat::Never).await;
    assert!(matches!(told, Err(CallError::Unsendable(_))), "{told:?}");
}
