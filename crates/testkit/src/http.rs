//! As much of HTTP/1.1 as a client of JSON needs.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;

/// A request with a body of known length.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A header, if there is one of that name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// What a server says.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A connection that the client keeps.
pub(crate) struct Connection(BufStream<TcpStream>);

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(BufStream::new(stream))
    }

    /// The next request.
    pub(crate) async fn request(&mut self) -> io::Result<Request> {
        let first = self.line().await?;
        let mut parts = first.split(' ').map(str::to_owned);
        let (method, path) = (parts.next(), parts.next());
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Request {
            method: method.unwrap_or_default(),
            path: path.unwrap_or_default(),
            headers,
            body: Vec::new(),
        };
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        request.body.resize(length.unwrap_or(0), 0);
        self.0.read_exact(&mut request.body).await?;
        Ok(request)
    }

    /// Answers the last request.
    pub(crate) async fn respond(&mut self, response: &Response) -> io::Result<()> {
        let mut lines = vec![
            format!("HTTP/1.1 {} Whatever", response.status),
            format!("content-length: {}", response.body.len()),
        ];
        lines.extend(response.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let whole = format!("{}\r\n\r\n{}", lines.join("\r\n"), response.body);
        self.0.write_all(whole.as_bytes()).await?;
        self.0.flush().await
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}
