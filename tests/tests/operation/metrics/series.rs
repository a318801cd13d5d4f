//! Which series there are, whatever clients say.

use std::collections::BTreeSet;

use portcullis_tests::{Answer, Server};
use reqwest::Method;

/// Says things that are in no catalogue, wherever something can be said.
async fn babble(server: &Server, word: &str) {
    let visitor = server.anonymous();
    for path in [
        format!("/{word}"),
        format!("/api/v1/auth/{word}?{word}"),
        format!("/api/v1/auth/verify-email/{word}"),
        format!("/docs/{word}"),
        format!("/assets/{word}"),
        format!("/objects/{word}"),
        format!("/%22{word}%22}} 1"),
        format!("/%0A{word} 1"),
    ] {
        drop(visitor.get(&path).await);
    }
    let method = Method::from_bytes(word.to_uppercase().as_bytes()).unwrap();
    drop(Answer::to(visitor.request(method, "/api/v1/auth/login")).await);
    let email = format!("{word}@example.com");
    drop(visitor.register(&email).await);
    drop(visitor.log_in(&email, word).await);
    drop(visitor.log_in_by_form(word, word).await);
    drop(visitor.sign_up(word, &format!("x{email}")).await);
    drop(visitor.refresh(word).await);
    drop(visitor.confirm_reset(word, word).await);
    let request = visitor.request(Method::GET, "/health").header("user-agent", word);
    let request = request.header("x-request-id", word).header("origin", format!("https://{word}"));
    drop(Answer::to(request.header("authorization", format!("Bearer {word}"))).await);
    drop(server.raw(format!("GET /{word} HTTP/1.1\r\nHost: {word}\r\nConnection: close\r\n\r\n")));
}

#[tokio::test]
async fn nothing_that_a_client_says_becomes_a_series() {
    let (server, port) = Server::start_measured(&[]).await;
    babble(&server, "canaryone").await;
    let first = port.scrape().await;
    babble(&server, "canarytwo").await;
    babble(&server, "canarythree").await;
    let last = port.scrape().await;
    let text = last.text.to_lowercase();
    assert!(!text.contains("canary") && !text.contains("example.com"), "{text}");
    let (before, after): (BTreeSet<_>, BTreeSet<_>) =
        (first.series().collect(), last.series().collect());
    let new: Vec<_> = after.difference(&before).collect();
    assert_eq!(new, Vec::<&&str>::new(), "more clients made more series");
}

#[tokio::test]
async fn every_route_is_counted_by_its_pattern() {
    let (server, port) = Server::start_measured(&[]).await;
    let document = server.anonymous().get("/openapi.json").await.expect(200).body;
    let before = port.scrape().await;
    let mut expected = BTreeSet::new();
    for (route, operations) in document["paths"].as_object().unwrap() {
        // These are for deployments that have the service behind them.
        let is_offer = ["/firebase", "/avatar", "/devices", "/purchases"];
        if is_offer.iter().any(|offer| route.contains(offer)) {
            continue;
        }
        for method in operations.as_object().unwrap().keys() {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            let path = route.replace("{token}", "x").replace("{id}", "1").replace("{user_id}", "1");
            let answer = Answer::to(server.anonymous().request(method.clone(), &path)).await;
            let class = answer.status / 100;
            expected.insert((
                format!("route=\"{route}\",method=\"{method}\",status=\"{class}xx\""),
                format!("route=\"{route}\",method=\"{method}\""),
            ));
        }
    }
    for (path, route) in [
        ("/docs/", "/docs/{name:.*}"),
        ("/docs", "/docs"),
        ("/redoc", "/redoc"),
        ("/assets/pages.css", "/assets/{name}"),
        ("/reset-password", "/reset-password"),
        ("/dev/mailbox", "/dev/mailbox"),
    ] {
        let class = server.anonymous().get(path).await.status / 100;
        expected.insert((
            format!("route=\"{route}\",method=\"GET\",status=\"{class}xx\""),
            format!("route=\"{route}\",method=\"GET\""),
        ));
    }
    let now = port.scrape().await;
    for (answered, timed) in &expected {
        let count =
            |labels: &str| now.value(&format!("portcullis_http_requests_total{{{labels}}}"));
        assert!(count(answered) >= 1.0, "{answered}");
        let name = format!("portcullis_http_request_duration_seconds_count{{{timed}}}");
        assert!(now.value(&name) >= 1.0, "{name}");
    }
    let grown = now.growth_since(&before, &["portcullis_http_requests_total"]);
    assert!(!grown.iter().any(|(series, _)| series.contains("unmatched")), "{grown:?}");
}
