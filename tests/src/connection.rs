//! A connection that stays open, to the byte and without a client's own delays.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::RawAnswer;

/// How long to wait for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection for requests one after the other. Where an answer says that it
/// is the last one, the next request has a new connection.
#[derive(Debug)]
pub struct Connection {
    port: u16,
    stream: BufReader<TcpStream>,
    is_over: bool,
    sent: Instant,
}

impl Connection {
    pub(crate) fn to(port: u16) -> Self {
        Self { port, stream: open(port), is_over: false, sent: Instant::now() }
    }

    /// Sends bytes as they are; what is asked is timed from here.
    pub fn send(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.is_over) {
            self.stream = open(self.port);
        }
        self.sent = Instant::now();
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Another hand on the same connection, to write while somebody reads.
    #[must_use]
    pub fn writer(&self) -> TcpStream {
        self.stream.get_ref().try_clone().unwrap()
    }

    /// Reads one answer to its end.
    #[must_use]
    pub fn receive(&mut self) -> RawAnswer {
        let (mut text, mut length) = (String::new(), 0);
        loop {
            let start = text.len();
            assert_ne!(self.stream.read_line(&mut text).unwrap(), 0, "no answer: {text:?}");
            let line = text[start..].trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            } else if name.eq_ignore_ascii_case("connection") {
                self.is_over = value.eq_ignore_ascii_case("close");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        let took = self.sent.elapsed();
        text.push_str(std::str::from_utf8(&body).unwrap());
        RawAnswer { text, closed: false, took }
    }

    /// Sends a request and waits for its answer.
    #[must_use]
    pub fn ask(&mut self, request: &[u8]) -> RawAnswer {
        self.send(request);
        self.receive()
    }
}

fn open(port: u16) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}

/// A request that posts JSON, as it goes over the wire; each of `headers` is a
/// whole line.
#[must_use]
pub fn post_of(path: &str, headers: &[&str], body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let headers = headers.iter().fold(String::new(), |all, line| all + line + "\r\n");
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}
