//! Requests that hide in others (IN-12).

use portcullis_tests::{RawAnswer, Server};

const LOGIN: &str = "/api/v1/auth/login";

/// Sends all at the same time: some are left waiting until they are cut off.
fn raws(server: &Server, requests: &[String]) -> Vec<RawAnswer> {
    std::thread::scope(|scope| {
        let sent: Vec<_> =
            requests.iter().map(|request| scope.spawn(move || server.raw(request))).collect();
        sent.into_iter().map(|sending| sending.join().unwrap()).collect()
    })
}

/// What a second request, hidden in the first, would be answered with.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test]
async fn in_12_no_request_hides_in_another() {
    let server = Server::start().await;
    let head = format!("POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    let hidden = HIDDEN.len();
    let with_lengths: Vec<String> = [
        // Both, either way round, and twice the same.
        format!("Content-Length: {hidden}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {hidden}\r\n"),
        "Content-Length: 4\r\nTransfer-Encoding: identity\r\n".into(),
        "Content-Length: 4\r\nContent-Length: 5\r\n".into(),
        "Content-Length: 4\r\nContent-Length: 4\r\n".into(),
        "Content-Length: 4, 4\r\n".into(),
        "Content-Length: 4,5\r\n".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".into(),
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n".into(),
        // Codings that one reader knows and another does not.
        "Transfer-Encoding: chunked, identity\r\n".into(),
        "Transfer-Encoding: chunked, identity\r\nContent-Length: 4\r\n".into(),
        "Transfer-Encoding: identity, chunked\r\n".into(),
        "Transfer-Encoding: gzip, chunked\r\n".into(),
        "Transfer-Encoding: xchunked\r\n".into(),
        "Transfer-Encoding: chunked;q=1\r\n".into(),
        "Transfer-Encoding: \"chunked\"\r\n".into(),
        "Transfer-Encoding: chun\tked\r\n".into(),
        "Transfer-Encoding: \u{b}chunked\r\n".into(),
        "Transfer-Encoding:\r\n".into(),
        // Names and lines that are almost right.
        "Transfer-Encoding : chunked\r\n".into(),
        "Content-Length : 4\r\n".into(),
        " Transfer-Encoding: chunked\r\n".into(),
        "X: y\r\n Transfer-Encoding: chunked\r\n".into(),
        "Transfer-Encoding:\r\n chunked\r\n".into(),
        "Transfer-Encoding\u{0}: chunked\r\n".into(),
        "X: y\u{0}\r\nContent-Length: 4\r\n".into(),
        "X: y\rContent-Length: 4\r\n".into(),
        "Transfer_Encoding : chunked\r\n".into(),
        // Lengths that are no numbers.
        "Content-Length: +4\r\n".into(),
        "Content-Length: -4\r\n".into(),
        "Content-Length: 0x4\r\n".into(),
        "Content-Length: 4 4\r\n".into(),
        "Content-Length: 4.0\r\n".into(),
        "Content-Length: \r\n".into(),
        "Content-Length: 18446744073709551620\r\n".into(),
        "Content-Length: 4;\r\n".into(),
    ]
    .into();
    let mut requests = Vec::new();
    for lengths in with_lengths {
        for body in ["0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"] {
            requests.push(format!("{head}{lengths}\r\n{body}{HIDDEN}"));
        }
    }
    for (request, answer) in requests.iter().zip(raws(&server, &requests)) {
        answer.is_refused_with(&[400]);
        assert!(answer.closed && !answer.text.contains("404 "), "{request}: {answer:?}");
    }
    let chunks = [
        "-1\r\nx\r\n",
        "+1\r\nx\r\n",
        "0x1\r\nx\r\n",
        "1 1\r\nx\r\n",
        "g\r\nx\r\n",
        "\r\n",
        "10000000000000001\r\nx\r\n",
        "1\r\nxy\r\n",
        "1\r\nx0\r\n\r\n",
        "1\nx\n0\n\n",
        "1;\u{0}\r\nx\r\n",
        "00000000000000000000000000000001\r\nx\r\n",
    ];
    let requests: Vec<_> = chunks
        .iter()
        .map(|chunks| format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}{HIDDEN}"))
        .collect();
    for (request, answer) in requests.iter().zip(raws(&server, &requests)) {
        // Refused, or cut off while it waits for the end of a body that has none.
        let answers = answer.text.matches("HTTP/1.1 ").count();
        assert!(answer.closed && answers <= 1, "{request}: {answer:?}");
        assert!(!answer.text.contains("404 "), "{request}: {answer:?}");
    }
}

#[tokio::test]
async fn in_12_what_nobody_reads_of_a_body_is_no_request() {
    let server = Server::start().await;
    let hidden = HIDDEN.len();
    let close = "Connection: close\r\n";
    let mut requests = Vec::new();
    // Handlers that read no body, and paths that have no handler.
    for (method, path) in
        [("GET", "/health"), ("POST", "/nothing"), ("GET", "/api/v1/auth/me"), ("POST", "/health")]
    {
        for rest in [
            format!("{close}Content-Length: {hidden}\r\n\r\n{HIDDEN}"),
            format!("{close}Transfer-Encoding: chunked\r\n\r\n{hidden:x}\r\n{HIDDEN}\r\n0\r\n\r\n"),
            format!("Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n{HIDDEN}"),
            format!("{close}Expect: 100-continue\r\nContent-Length: {hidden}\r\n\r\n{HIDDEN}"),
        ] {
            requests.push(format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{rest}"));
        }
    }
    // HTTP/1.0 knows no chunks.
    requests.push(format!(
        "POST {LOGIN} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}"
    ));
    for (request, answer) in requests.iter().zip(raws(&server, &requests)) {
        let answers = answer.text.matches("HTTP/1.").count();
        let continues = answer.text.matches("HTTP/1.1 100").count();
        assert!(answers - continues <= 1, "{request}: {answer:?}");
    }
}
