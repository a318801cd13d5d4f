//! Connections, and how long each side of one may keep the other waiting.
//!
//! The framework limits the head of the *first* request on a connection and the
//! silence after an answer; a body has its own limit where it is read. What is left
//! is seen to here: a client that dribbles the head of a later request, or what
//! nobody reads of a body, and a client that does not take its answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Instant, Sleep, sleep};
use portcullis_http::Exchange;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::telemetry;

/// How long a client may take to send its headers, be it of the first request or
/// of a later one (contract §2: under 30 s). Apache's `mod_reqtimeout` gives 20 s
/// and more while bytes come; nginx 60 s between two bytes.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(9);
/// How long a connection is kept between two requests; above what proxies keep
/// theirs (nginx: 60 s), so that it is them who close.
pub(crate) const IDLE_PATIENCE: Duration = Duration::from_secs(75);
/// How long a client may take none of its answer (nginx's `send_timeout` is 60 s).
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// How much is read that nobody asks for: what is left of a body that was refused,
/// so that the refusal is read, and the heads of further requests, which the
/// framework limits to 128 KiB. A body that was announced, and that others like it are
/// taken of, is read to its end besides: who ends a connection in the middle of one
/// takes the answer away with it, and a proxy tells its client 502 for a 401.
const UNREAD_LIMIT: usize = 256 * 1024;
/// How many times the largest body that is taken one that is refused may be, to be read
/// to its end: somebody's picture is too large by a few times, hardly by many.
const TOO_LARGE: usize = 4;

/// A connection that ends when its client keeps it waiting.
pub(crate) struct Connection<S = TcpStream> {
    stream: S,
    exchange: Exchange,
    /// Requests that were handled when it was looked last.
    handled: u64,
    /// What the client has to do next, and until when.
    awaited: Awaited,
    reading: Pin<Box<Sleep>>,
    /// Bytes that came since the last answer and belong to no request so far.
    unread: usize,
    /// How many of those there may be.
    unread_limit: usize,
    /// The largest body that the server takes.
    largest_body: usize,
    /// Set while the client takes nothing.
    writing: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The head of the first request: the framework's business.
    FirstHead,
    /// Another request, or the end.
    Request,
    /// The rest of something that has begun.
    Rest,
}

impl<S> Connection<S> {
    /// Over that stream, for a server that takes bodies of up to so many bytes.
    pub(crate) fn new(stream: S, largest_body: usize) -> Self {
        Self {
            stream,
            exchange: Exchange::default(),
            handled: 0,
            awaited: Awaited::FirstHead,
            reading: Box::pin(sleep(IDLE_PATIENCE)),
            unread: 0,
            unread_limit: UNREAD_LIMIT,
            largest_body,
            writing: None,
        }
    }

    /// What tells of the requests on it.
    pub(crate) fn exchange(&self) -> Exchange {
        self.exchange.clone()
    }

    fn awaits(&mut self, what: Awaited, patience: Duration) {
        if self.awaited != what {
            self.awaited = what;
            self.reading.as_mut().reset(Instant::now() + patience);
        }
    }

    /// The body of the latest request, if it is read to its end.
    fn announced(&self) -> usize {
        let announced = usize::try_from(self.exchange.announced()).ok();
        let most = self.largest_body.saturating_mul(TOO_LARGE);
        announced.filter(|length| *length <= most).unwrap_or(0)
    }

    /// Something came, or the framework looks whether it does.
    fn notice(&mut self, came: usize) -> io::Result<()> {
        if self.exchange.handled() != self.handled {
            self.handled = self.exchange.handled();
            self.awaited = Awaited::FirstHead;
            self.awaits(Awaited::Request, IDLE_PATIENCE);
            self.unread = 0;
            self.unread_limit = UNREAD_LIMIT + self.announced();
        }
        if came == 0 || self.awaited == Awaited::FirstHead || self.exchange.is_under_way() {
            return Ok(());
        }
        self.awaits(Awaited::Rest, HEAD_PATIENCE);
        self.unread += came;
        if self.unread > self.unread_limit {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "nobody reads this"));
        }
        Ok(())
    }

    /// Ends the wait for a client that was waited for long enough.
    fn while_reading<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.awaited == Awaited::FirstHead || self.exchange.is_under_way() {
            return Poll::Pending;
        }
        let too_late = || io::Error::new(io::ErrorKind::TimedOut, "the client stalls");
        self.reading.as_mut().poll(context).map(|()| Err(too_late()))
    }

    fn while_writing<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.writing = None;
            return written;
        }
        let waiting = self.writing.get_or_insert_with(|| Box::pin(sleep(ANSWER_PATIENCE)));
        let too_late = || io::Error::new(io::ErrorKind::TimedOut, "the client reads nothing");
        waiting.as_mut().poll(context).map(|()| Err(too_late()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.notice(buffer.filled().len() - before)?;
        if read.is_pending() { this.while_reading(context) } else { read }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        telemetry::write_waiting_lines();
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.while_writing(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(context);
        this.while_writing(context, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        telemetry::write_waiting_lines();
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.while_writing(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// Reads for so long at most; how long it took to be refused, if it was.
    async fn refused_after<S: AsyncRead + Unpin>(
        connection: &mut Connection<S>,
        within: Duration,
    ) -> Option<Duration> {
        let started = Instant::now();
        let mut byte = [0];
        let read = actix_web::rt::time::timeout(within, connection.read(&mut byte)).await;
        let error = read.ok()?.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        Some(started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_head_has_to_be_whole_in_time_however_it_dribbles() {
        let (mut client, stream) = duplex(64);
        let mut connection = Connection::new(stream, 0);
        drop(connection.exchange().begin());
        let started = Instant::now();
        let mut refused = None;
        while refused.is_none() && started.elapsed() < IDLE_PATIENCE {
            client.write_all(b"x").await.unwrap();
            assert_eq!(connection.read_u8().await.unwrap(), b'x');
            refused = refused_after(&mut connection, Duration::from_secs(2)).await;
        }
        let took = started.elapsed();
        assert!(
            took >= HEAD_PATIENCE && took <= HEAD_PATIENCE + Duration::from_secs(2),
            "{took:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn between_requests_a_client_may_be_silent_for_longer() {
        let (_client, stream) = duplex(64);
        let mut connection = Connection::new(stream, 0);
        drop(connection.exchange().begin());
        let refused = refused_after(&mut connection, IDLE_PATIENCE * 2).await;
        assert_eq!(refused.map(|took| took.as_secs()), Some(IDLE_PATIENCE.as_secs()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_cut_off_who_waits_for_an_answer() {
        let (mut client, stream) = duplex(64);
        let mut connection = Connection::new(stream, 0);
        drop(connection.exchange().begin());
        client.write_all(b"x").await.unwrap();
        assert_eq!(connection.read_u8().await.unwrap(), b'x');
        let under_way = connection.exchange().begin();
        assert_eq!(refused_after(&mut connection, HEAD_PATIENCE * 3).await, None);
        drop(under_way);
        assert!(refused_after(&mut connection, IDLE_PATIENCE * 2).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_take_an_answer_is_given_up() {
        let (mut client, stream) = duplex(64);
        let mut connection = Connection::new(stream, 0);
        // As long as something is taken now and then, it goes on.
        for _ in 0..4 {
            connection.write_all(&[0; 64]).await.unwrap();
            sleep(ANSWER_PATIENCE / 2).await;
            client.read_exact(&mut [0; 64]).await.unwrap();
        }
        let started = Instant::now();
        let error = connection.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), ANSWER_PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_reads_is_cut_off() {
        let (mut client, stream) = duplex(UNREAD_LIMIT * 4);
        let mut connection = Connection::new(stream, 0);
        client.write_all(&vec![0; UNREAD_LIMIT * 3]).await.unwrap();
        let under_way = connection.exchange().begin();
        // A body that is asked for has a limit of its own.
        connection.read_exact(&mut vec![0; UNREAD_LIMIT + 1]).await.unwrap();
        drop(under_way);
        let error = connection.read_exact(&mut vec![0; UNREAD_LIMIT + 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
    }

    /// One after the other, as on a connection that is kept: what was announced before
    /// counts for nothing.
    #[tokio::test(start_paused = true)]
    async fn what_was_announced_is_read_to_its_end_if_it_is_not_far_too_large() {
        const LARGEST: usize = 1024 * 1024;
        for (announced, read) in [
            (LARGEST * TOO_LARGE, LARGEST * TOO_LARGE + UNREAD_LIMIT),
            (LARGEST * TOO_LARGE + 1, UNREAD_LIMIT),
            (0, UNREAD_LIMIT),
        ] {
            let (mut client, stream) = duplex(64 * 1024);
            let mut connection = Connection::new(stream, LARGEST);
            tokio::spawn(async move { client.write_all(&vec![0; LARGEST * 8]).await });
            connection.exchange().announce(announced as u64);
            drop(connection.exchange().begin());
            connection.read_exact(&mut vec![0; read]).await.unwrap();
            let error = connection.read_u8().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted, "{announced}");
        }
    }
}
