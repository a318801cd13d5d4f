//! Bytes on a socket, for what no HTTP client would send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// How long to wait for the server to answer or to hang up: longer than the
/// 30 s after which it must cut off whoever stalls.
const PATIENCE: Duration = Duration::from_secs(40);

/// What came back on a socket until the server closed it.
#[derive(Clone, Debug)]
pub struct RawAnswer {
    /// Everything that came.
    pub text: String,
    /// Whether the server closed the connection.
    pub closed: bool,
    /// How long that took.
    pub took: Duration,
}

impl RawAnswer {
    pub(crate) fn to(port: u16, bytes: &[u8]) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may refuse before it has read everything.
        drop(stream.write_all(bytes));
        Self::rest_of(&mut stream)
    }

    /// Reads a connection until the server closes it.
    #[must_use]
    pub fn rest_of(stream: &mut TcpStream) -> Self {
        let (mut read, started) = (Vec::new(), Instant::now());
        let closed = match stream.read_to_end(&mut read) {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        let text = String::from_utf8_lossy(&read).into_owned();
        Self { text, closed, took: started.elapsed() }
    }

    /// The status code, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// The answer without what differs between any two answers: the date, the
    /// request id, timestamps, and the values of `more` headers and fields. What
    /// is left out leaves its length behind. The order of headers, and of the
    /// parts of a list, is drawn anew for each answer; here they are sorted.
    #[must_use]
    pub fn masked(&self, more: &[&str]) -> String {
        let (head, body) = self.text.split_once("\r\n\r\n").unwrap_or((&self.text, ""));
        let is_masked = |name: &str, known: &[&str]| {
            known.iter().chain(more).any(|other| other.eq_ignore_ascii_case(name))
        };
        let mut lines = head.lines();
        let mut masked = format!("{}\n", lines.next().unwrap_or_default());
        let mut headers: Vec<String> = lines
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                if is_masked(name, &["date", "x-request-id"]) {
                    return format!("{name}: {}\n", "*".repeat(value.len()));
                }
                let mut parts: Vec<_> = value.split(", ").collect();
                parts.sort_unstable();
                format!("{name}: {}\n", parts.join(", "))
            })
            .collect();
        headers.sort();
        masked.extend(headers);
        masked.push('\n');
        // Every second part of a JSON text stands between quotation marks.
        let mut field = "";
        for (number, part) in body.split('"').enumerate() {
            let is_value = number % 2 == 1 && !field.is_empty();
            if is_value && is_masked(field, &["timestamp", "created_at", "id"]) {
                masked.push_str(&"*".repeat(part.len()));
            } else {
                masked.push_str(part);
            }
            masked.push('"');
            field = match (number % 2, part) {
                (1, name) if field.is_empty() => name,
                (0, ":") => field,
                _ => "",
            };
        }
        masked
    }

    /// Insists that the server refused: with one of these codes, or by hanging
    /// up without a word.
    #[track_caller]
    pub fn is_refused_with(&self, codes: &[u16]) {
        let is_refused = match self.status() {
            Some(status) => codes.contains(&status),
            None => self.closed && self.text.is_empty(),
        };
        assert!(is_refused, "{self:?}");
        let answers = self.text.matches("HTTP/1.").count();
        assert!(answers <= 1, "bytes of one request were read as two: {self:?}");
    }
}
