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

    /// Insists that the server refused: with one of these codes, or by hanging
    /// up without a word.
    #[track_caller]
    pub fn is_refused_with(&self, codes: &[u16]) {
        let is_refused = self.status().map_or(self.closed, |status| codes.contains(&status));
        assert!(is_refused, "{self:?}");
        let answers = self.text.matches("HTTP/1.1 ").count();
        assert!(answers <= 1, "bytes of one request were read as two: {self:?}");
    }
}
