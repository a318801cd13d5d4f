//! Services on a port.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::sleep;
use url::form_urlencoded;

use crate::fault::Fault;
use crate::request::{Reply, Request};

/// How many requests a simulator keeps for who looks at them: one that is served
/// for days would otherwise grow for days.
pub const KEPT_REQUESTS: usize = 1_000;

/// Somebody's service, one request after the other.
pub trait Service: Send + 'static {
    /// Answers a request, as the service does that it stands for.
    fn answer(&mut self, request: &Request) -> Reply;

    /// A refusal in the service's own words, for [`Fault::Status`].
    fn refusal(&self, status: u16) -> Reply;
}

/// A service on a free loopback port. It ends with this value.
pub struct Simulator<S> {
    address: SocketAddr,
    shared: Arc<Mutex<Shared<S>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared<S> {
    service: S,
    faults: VecDeque<Fault>,
    /// The latest, oldest first.
    requests: VecDeque<Request>,
}

impl<S: Service> Simulator<S> {
    /// Starts serving on any free port.
    #[must_use]
    pub fn start(service: S) -> Self {
        Self::start_at(service, "127.0.0.1:0".parse().expect("an address"))
            .expect("a loopback port is free")
    }

    /// Starts serving there.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start_at(service: S, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Shared { service, faults: VecDeque::new(), requests: VecDeque::new() };
        let shared = Arc::new(Mutex::new(shared));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        // A runtime of its own: it serves whatever the runtime of the test does.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                tokio::select! {
                    () = accept(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it is: `http://127.0.0.1:…`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What the next requests meet, one each, after what was said before.
    pub fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.shared).faults.extend(faults);
    }

    /// Does nothing of what [`fail`](Self::fail) announced and has not happened.
    pub fn recover(&self) {
        lock(&self.shared).faults.clear();
    }

    /// What it was asked since the last look, oldest first, also what met a fault:
    /// the latest [`KEPT_REQUESTS`] at most, whatever came before.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.shared).requests).into()
    }

    /// Looks at the service, or changes it, between two requests.
    pub fn with<T>(&self, what: impl FnOnce(&mut S) -> T) -> T {
        what(&mut lock(&self.shared).service)
    }
}

impl<S> Drop for Simulator<S> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A service that panicked fails the test by itself; the others go on.
fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept<S: Service>(listener: TcpListener, shared: Arc<Mutex<Shared<S>>>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, Arc::clone(&shared)));
        }
    }
}

/// Answers until the client leaves, or a fault ends the connection.
async fn converse<S: Service>(stream: TcpStream, shared: Arc<Mutex<Shared<S>>>) {
    let answers = service_fn(|request| meet(request, &shared));
    let http = hyper::server::conn::http1::Builder::new();
    drop(http.serve_connection(TokioIo::new(stream), answers).await);
}

type Answer = Response<http_body_util::combinators::BoxBody<Bytes, io::Error>>;

/// An error ends the connection without an answer.
async fn meet<S: Service>(
    request: http::Request<Incoming>,
    shared: &Mutex<Shared<S>>,
) -> io::Result<Answer> {
    let request = whole(request).await.map_err(io::Error::other)?;
    let (reply, fault) = {
        let mut shared = lock(shared);
        if shared.requests.len() == KEPT_REQUESTS {
            shared.requests.pop_front();
        }
        shared.requests.push_back(request.clone());
        let fault = shared.faults.pop_front();
        (shared.reply(&request, fault.as_ref()), fault)
    };
    match fault {
        Some(Fault::Hang(time)) => {
            sleep(time).await;
            Err(io::ErrorKind::TimedOut.into())
        }
        Some(Fault::Cut) => Err(io::ErrorKind::ConnectionAborted.into()),
        Some(Fault::Truncate) => Ok(half(&reply)),
        _ => Ok(complete(reply)),
    }
}

impl<S: Service> Shared<S> {
    fn reply(&mut self, request: &Request, fault: Option<&Fault>) -> Reply {
        match fault {
            Some(Fault::Status(status)) => self.service.refusal(*status),
            Some(Fault::RetryAfter(status, seconds)) => {
                self.service.refusal(*status).with("retry-after", &seconds.to_string())
            }
            Some(Fault::Refusal(status, body)) => Reply {
                body: body.clone().into(),
                ..Reply::empty(*status).with("content-type", "application/json")
            },
            Some(Fault::Hang(_) | Fault::Cut) => Reply::empty(500),
            Some(Fault::Truncate) | None => self.service.answer(request),
        }
    }
}

async fn whole(request: http::Request<Incoming>) -> Result<Request, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let segments = head.uri.path().trim_start_matches('/').split('/');
    Ok(Request {
        method: head.method,
        path: segments.map(decoded).collect(),
        query: form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        headers: head.headers,
        body,
    })
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

fn complete(reply: Reply) -> Answer {
    let body = Full::new(reply.body).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed());
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// The first half of an answer; then the connection ends.
fn half(reply: &Reply) -> Answer {
    let first = reply.body.slice(..reply.body.len() / 2);
    let frames = stream::iter([Ok(Frame::data(first))]).chain(stream::once(async {
        // What was written is on its way before the connection ends.
        sleep(std::time::Duration::from_millis(20)).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    }));
    let mut response = Response::new(BodyExt::boxed(StreamBody::new(frames)));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers.clone();
    let length = HeaderValue::from(reply.body.len().max(1));
    response.headers_mut().insert("content-length", length);
    response
}
