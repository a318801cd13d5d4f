//! A collector of traces.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::held_port::HeldPort;
use crate::http::{Connection, Request, Response};

/// A span that was sent to the collector.
#[derive(Clone, Debug)]
pub struct CollectedSpan {
    /// Its trace, its own id and its parent's, in hex; a root's parent is empty.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// Its parent's id.
    pub parent: String,
    /// What it is called.
    pub name: String,
    /// `OpenTelemetry`'s number for its kind: 2 is a server, 3 a client.
    pub kind: i32,
    /// `OpenTelemetry`'s number for its status: 2 is an error.
    pub status: i32,
    /// Its attributes, and those of the service that sent it.
    pub attributes: BTreeMap<String, String>,
}

#[derive(Default)]
struct Collected {
    spans: Vec<CollectedSpan>,
    bodies: Vec<u8>,
    keys: Vec<Option<String>>,
    connections: usize,
}

/// Takes OTLP over HTTP on a free loopback port, read by the protocol's published
/// definitions.
pub struct TraceCollector {
    port: HeldPort,
    collected: Arc<Mutex<Collected>>,
    /// Ends every connection when it is dropped.
    _server: JoinSet<()>,
}

impl TraceCollector {
    /// Starts one that has nothing.
    pub async fn start() -> Self {
        let port = HeldPort::reserve();
        let listener = TcpListener::bind(port.address()).await.expect("the port is held");
        let collected = Arc::default();
        let mut server = JoinSet::new();
        server.spawn(accept(listener, Arc::clone(&collected)));
        Self { port, collected, _server: server }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.port.address())
    }

    /// The port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.address().port()
    }

    /// The spans that came so far.
    #[must_use]
    pub fn spans(&self) -> Vec<CollectedSpan> {
        lock(&self.collected).spans.clone()
    }

    /// All that came so far, byte by byte.
    #[must_use]
    pub fn bodies(&self) -> Vec<u8> {
        lock(&self.collected).bodies.clone()
    }

    /// How many have connected so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.collected).connections
    }

    /// The header `api-key` of each request.
    #[must_use]
    pub fn keys(&self) -> Vec<Option<String>> {
        lock(&self.collected).keys.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, collected: Arc<Mutex<Collected>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        lock(&collected).connections += 1;
        connections.spawn(serve(stream, Arc::clone(&collected)));
    }
}

async fn serve(stream: TcpStream, collected: Arc<Mutex<Collected>>) {
    let mut connection = Connection::new(stream);
    while let Ok(request) = connection.request().await {
        let status = if take(&request, &mut lock(&collected)).is_some() { 200 } else { 400 };
        let content_type = ("content-type".into(), "application/x-protobuf".into());
        // Nothing is what a collector says that took everything.
        let response = Response { status, headers: vec![content_type], body: String::new() };
        if connection.respond(&response).await.is_err() {
            return;
        }
    }
}

/// Takes what is as published.
fn take(request: &Request, collected: &mut Collected) -> Option<()> {
    let is_traces = request.method == "POST" && request.path == "/v1/traces";
    let is_protobuf = request.header("content-type") == Some("application/x-protobuf");
    let read = ExportTraceServiceRequest::decode(request.body.as_slice());
    let export = read.ok().filter(|_| is_traces && is_protobuf)?;
    collected.keys.push(request.header("api-key").map(str::to_owned));
    collected.bodies.extend_from_slice(&request.body);
    for group in export.resource_spans {
        let service = group.resource.map(|resource| resource.attributes).unwrap_or_default();
        for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            let attributes = service.iter().chain(&span.attributes).map(text);
            collected.spans.push(CollectedSpan {
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                kind: span.kind,
                status: span.status.as_ref().map_or(0, |status| status.code),
                attributes: attributes.collect(),
                name: span.name,
            });
        }
    }
    Some(())
}

fn text(pair: &KeyValue) -> (String, String) {
    let value = match &pair.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => text.clone(),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => number.to_string(),
        Some(AnyValue { value: Some(other) }) => format!("{other:?}"),
        _ => String::new(),
    };
    (pair.key.clone(), value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
