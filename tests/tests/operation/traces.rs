//! Traces of requests, as a collector gets them.

use std::time::{Duration, Instant};

use portcullis_testkit::{CollectedSpan, Fault, FaultProxy, Rotel, TraceCollector};
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, eventually};
use reqwest::Method;
use serde_json::{Value, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const ME: &str = "/api/v1/auth/me";

/// A server that sends what it has after a moment. Its settings are in a file, which
/// the SDK does not read.
async fn traced(endpoint: &str, settings: &str, sdk: &[(&str, &str)]) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}\nLOG_FORMAT=json\n{settings}\n");
    std::fs::write(folder.path().join(".env"), text).unwrap();
    Server::start_in(folder, &[&[("OTEL_BSP_SCHEDULE_DELAY", "100")], sdk].concat()).await
}

/// Reads the own profile as a part of some trace.
async fn read_within(caller: &LoggedIn, traceparent: &str) {
    let request = caller.request(Method::GET, ME).header("traceparent", traceparent);
    Answer::to(request).await.is(200);
}

/// The spans of a trace, once the request's own is there: it ends last.
async fn spans_of(collector: &TraceCollector, trace: &str) -> Vec<CollectedSpan> {
    eventually("the request's span", Duration::from_secs(10), async || {
        let spans = collector.spans().into_iter().filter(|span| span.trace == trace);
        let spans: Vec<_> = spans.collect();
        spans.iter().any(|span| span.kind == 2).then_some(spans)
    })
    .await
}

fn answered(server: &Server) -> Vec<Value> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == "answered").collect()
}

#[tokio::test]
async fn a_request_is_a_part_of_the_trace_that_its_header_names() {
    let collector = TraceCollector::start().await;
    let server = traced(&collector.url(), "OTEL_SERVICE_NAME=gate", &[]).await;
    let ann = server.logged_in("ann@example.com").await;
    read_within(&ann, &format!("00-{TRACE}-{PARENT}-01")).await;

    let spans = spans_of(&collector, TRACE).await;
    let request = spans.iter().find(|span| span.kind == 2).unwrap();
    assert_eq!((request.name.as_str(), request.parent.as_str()), ("GET /api/v1/auth/me", PARENT));
    let line = answered(&server).pop().unwrap();
    for (name, value) in [
        ("service.name", "gate"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("http.request.method", "GET"),
        ("http.route", ME),
        ("http.response.status_code", "200"),
        ("user.id", line["user"].as_str().unwrap()),
        ("session.id", line["session"].as_str().unwrap()),
        ("request_id", line["request_id"].as_str().unwrap()),
    ] {
        assert_eq!(request.attributes.get(name).map(String::as_str), Some(value), "{name}");
    }
    // The log leads to the trace.
    assert_eq!(line["trace_id"], TRACE);
    // What was asked for it is below it.
    let statement = spans.iter().find(|span| span.name == "statement").unwrap();
    assert_eq!((&statement.parent, statement.kind), (&request.id, 3));
    assert_eq!(statement.attributes["db.system.name"], "sqlite");
}

#[tokio::test]
async fn a_collector_that_others_wrote_understands_what_is_sent() {
    let collector = Rotel::start();
    let server = traced(&collector.url(), "OTEL_SERVICE_NAME=gate", &[]).await;
    let ann = server.logged_in("ann@example.com").await;
    read_within(&ann, &format!("00-{TRACE}-{PARENT}-01")).await;
    let of_the_request = eventually("the request's span", Duration::from_secs(20), async || {
        let lines = collector.understood();
        let first = lines.iter().position(|line| *line == ("Trace ID".into(), TRACE.into()))?;
        // The statement's comes first: it ends first.
        let name = ("Name".to_owned(), "GET /api/v1/auth/me".to_owned());
        let place = lines.iter().skip(first).position(|line| *line == name)?;
        Some(lines[first + place - 3..].to_vec())
    })
    .await;
    for (name, value) in [
        ("Trace ID", TRACE),
        ("Parent ID", PARENT),
        ("Kind", "SPAN_KIND_SERVER"),
        ("-> http.route", ME),
    ] {
        let found = of_the_request.iter().find(|line| line.0.contains(name));
        assert!(found.is_some_and(|line| line.1.contains(value)), "{name}: {of_the_request:?}");
    }
}

#[tokio::test]
async fn a_trace_begins_here_where_none_is_named_and_its_parts_are_told() {
    let collector = TraceCollector::start().await;
    let server = traced(&collector.url(), "", &[]).await;
    let ann = server.logged_in("ann@example.com").await;
    for wrong in ["", "00-0-0-01", "zz", "00-00000000000000000000000000000000-b7ad6b7169203331-01"]
    {
        read_within(&ann, wrong).await;
    }
    let traces: Vec<_> = answered(&server)
        .iter()
        .filter(|line| line["route"] == ME || line["route"] == "/api/v1/auth/login")
        .map(|line| line["trace_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(traces.len(), 5, "{traces:?}");
    for trace in &traces {
        assert_eq!(traces.iter().filter(|other| *other == trace).count(), 1, "{traces:?}");
        let spans = spans_of(&collector, trace).await;
        assert!(spans.iter().any(|span| span.kind == 2 && span.parent.is_empty()), "{spans:?}");
    }
    let login = spans_of(&collector, &traces[0]).await;
    assert!(login.iter().any(|span| span.name == "verify_password"), "{login:?}");
}

#[tokio::test]
async fn who_begins_a_trace_decides_whether_it_is_recorded() {
    let collector = TraceCollector::start().await;
    let server = traced(&collector.url(), "OTEL_TRACES_SAMPLER_ARG=0", &[]).await;
    let ann = server.logged_in("ann@example.com").await;
    read_within(&ann, &format!("00-1{}-{PARENT}-00", &TRACE[1..])).await;
    read_within(&ann, &format!("00-{TRACE}-{PARENT}-01")).await;
    spans_of(&collector, TRACE).await;
    assert!(collector.spans().iter().all(|span| span.trace == TRACE));
}

#[tokio::test]
async fn nothing_secret_is_sent_and_the_collectors_key_is() {
    let collector = TraceCollector::start().await;
    let headers = "OTEL_EXPORTER_OTLP_HEADERS=api-key=opens-the-collector";
    let mut server = traced(&collector.url(), headers, &[]).await;
    let ann = server.logged_in("canary@example.com").await;
    ann.me().await.is(200);
    ann.patch_me(&json!({"name": "Canary Jones"})).await.is(200);
    server.anonymous().refresh(&ann.refresh).await.is(200);
    server.anonymous().get("/api/v1/auth/verify-email/canary-token").await.is(400);
    server.anonymous().get("/canary-path?canary-query").await.is(404);
    server.anonymous().log_in("canary@example.com", "Canary-Password-1").await.is(400);
    assert!(server.terminate().await.success());

    let bodies = String::from_utf8_lossy(&collector.bodies()).to_lowercase();
    assert!(bodies.contains("/api/v1/auth/verify-email/{token}"), "{bodies}");
    let signature = ann.access.rsplit('.').next().unwrap().to_lowercase();
    for secret in ["canary", PASSWORD, &signature, &ann.refresh, "opens-the-collector"] {
        assert!(!bodies.contains(&secret.to_lowercase()), "{secret}");
    }
    let keys = collector.keys();
    assert!(keys.iter().all(|key| key.as_deref() == Some("opens-the-collector")), "{keys:?}");
    assert!(!server.log().contains("opens-the-collector"));
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_is_silent() {
    let collector = TraceCollector::start().await;
    let proxy = FaultProxy::to_port(collector.port());
    let queue = [("OTEL_BSP_MAX_QUEUE_SIZE", "64"), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "32")];
    let mut server = traced(&proxy.url(&collector.url()), "", &queue).await;
    let ann = server.logged_in("ann@example.com").await;
    proxy.set(Fault::Hang);
    let started = Instant::now();
    // More than its queue holds.
    for _ in 0..300 {
        ann.me().await.is(200);
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let before = collector.spans().len();
    proxy.set(Fault::None);
    eventually("a collector that is back", Duration::from_secs(15), async || {
        (collector.spans().len() > before).then_some(())
    })
    .await;
    read_within(&ann, &format!("00-{TRACE}-{PARENT}-01")).await;
    spans_of(&collector, TRACE).await;
    // Nor does a stop wait for long.
    proxy.set(Fault::Hang);
    ann.me().await.is(200);
    let stopping = Instant::now();
    assert!(server.terminate().await.success());
    assert!(stopping.elapsed() < Duration::from_secs(15), "{:?}", stopping.elapsed());
}

/// What goes to a collector unencrypted holds its key and who uses the service.
#[tokio::test]
async fn no_proxy_gets_what_is_not_encrypted() {
    let (collector, proxy) = (TraceCollector::start().await, TraceCollector::start().await);
    let address = proxy.url();
    let environment = [("HTTP_PROXY", address.as_str()), ("http_proxy", &address)];
    let server = traced(&collector.url(), "", &environment).await;
    let ann = server.logged_in("ann@example.com").await;
    read_within(&ann, &format!("00-{TRACE}-{PARENT}-01")).await;
    spans_of(&collector, TRACE).await;
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn what_is_left_is_sent_at_the_end() {
    let collector = TraceCollector::start().await;
    let sdk = [("OTEL_BSP_SCHEDULE_DELAY", "60000")];
    let mut server = traced(&collector.url(), "", &sdk).await;
    let ann = server.logged_in("ann@example.com").await;
    read_within(&ann, &format!("00-{TRACE}-{PARENT}-01")).await;
    assert!(server.terminate().await.success());
    assert!(collector.spans().iter().any(|span| span.trace == TRACE));
}

/// A method may be anything, and is told to a collector only if it is one.
#[tokio::test]
async fn strangers_write_nothing_into_a_trace_and_workers_begin_none() {
    let collector = TraceCollector::start().await;
    let server = traced(&collector.url(), "", &[]).await;
    let long = "A".repeat(20_000);
    for request in [
        format!("{long} /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        format!(
            "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: a={long}\r\n\r\n"
        ),
    ] {
        drop(server.raw(request));
    }
    let spans = spans_of(&collector, TRACE).await;
    assert_eq!(spans.iter().map(|span| span.name.as_str()).collect::<Vec<_>>(), ["GET"]);
    let sent = String::from_utf8_lossy(&collector.bodies()).into_owned();
    assert!(sent.contains("_OTHER") && !sent.contains("AAAA"), "{} bytes", sent.len());
    // Who polls the queues all the time is nobody's request.
    let roots = collector.spans().into_iter().filter(|span| span.parent.is_empty());
    assert!(roots.into_iter().all(|span| span.kind == 2));
}
