//! The mailbox in which a developer reads the mails.

use portcullis_tests::{Answer, Server, foreign_hosts, resources};
use reqwest::Method;

#[tokio::test]
async fn the_mailbox_lists_mails_newest_first() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    server.registered("bob@example.com").await;
    let answer = server.mailbox().answer("").await.expect(200);
    answer.has_exactly(&["messages"]);
    let messages = answer.body["messages"].as_array().unwrap();
    let to: Vec<_> = messages.iter().map(|message| message["to"][0].as_str().unwrap()).collect();
    assert_eq!(to, ["bob@example.com", "ann@example.com"]);
    let mut keys: Vec<_> = messages[0].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["from", "html", "id", "sent_at", "subject", "text", "to"]);
    assert_eq!(answer.str("/messages/0/from"), "Portcullis <noreply@localhost>");
    assert_eq!(answer.str("/messages/0/subject"), "Verify your email address");
    answer.is_instant_at("/messages/0/sent_at");
    assert_ne!(messages[0]["id"], messages[1]["id"]);
}

#[tokio::test]
async fn the_mailbox_can_be_asked_for_one_address() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    server.registered("ann+1@example.com").await;
    let answer = server.mailbox().answer("?to=ann@example.com").await.expect(200);
    assert_eq!(answer.body["messages"].as_array().unwrap().len(), 1);
    assert_eq!(answer.str("/messages/0/to/0"), "ann@example.com");
    assert_eq!(server.mailbox().all("ann+1@example.com").await.len(), 1);
    assert!(server.mailbox().all("nobody@example.com").await.is_empty());
}

#[tokio::test]
async fn both_parts_of_a_mail_hold_the_link() {
    let server = Server::start().await;
    server.anonymous().register("ann@example.com").await.is(201);
    let mail = server.mailbox().mail("ann@example.com", "Verify your email address").await;
    assert!(mail.link().starts_with(&format!("http://localhost:{}/", server.port())));
    assert!(mail.html.contains(&mail.token()), "{}", mail.html);
    assert!(mail.token().len() >= 43, "{}", mail.token());
}

#[tokio::test]
async fn the_mailbox_can_be_emptied() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    let answer = server.mailbox().empty().await;
    assert!([200, 204].contains(&answer.status), "{answer:?}");
    let answer = server.mailbox().answer("").await.expect(200);
    assert!(answer.body["messages"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn the_mailbox_is_a_page_for_browsers() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    let page = server.anonymous().browse("/dev/mailbox").await.expect(200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.text.contains("id=\"empty\""), "{}", page.text);
    assert_eq!(foreign_hosts(&page.text), Vec::<String>::new());
    for resource in resources(&page.text) {
        server.anonymous().get(&resource).await.is(200);
    }
}

#[tokio::test]
async fn the_mailbox_survives_a_restart() {
    let mut server = Server::start().await;
    server.registered("ann@example.com").await;
    server.restart().await;
    assert_eq!(server.mailbox().all("ann@example.com").await.len(), 1);
}

#[tokio::test]
async fn a_server_that_others_can_reach_shows_no_mailbox() {
    let server = Server::start_with(&[("HOST", "0.0.0.0"), ("BCRYPT_ROUNDS", "10")]).await;
    server.mailbox().answer("").await.is_refused(404, "NOT_FOUND");
    server.mailbox().empty().await.is_refused(404, "NOT_FOUND");
    server.anonymous().browse("/dev/mailbox").await.is_refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn pages_of_other_origins_and_visitors_through_proxies_see_no_mail() {
    let server = Server::start().await;
    server.registered("ann@example.com").await;
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Sec-Fetch-Site", "cross-site"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Host", "evil.example"),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let request = server.anonymous().request(method, "/dev/mailbox").header(name, value);
            Answer::to(request).await.is_refused(404, "NOT_FOUND");
        }
    }
    assert_eq!(server.mailbox().all("ann@example.com").await.len(), 1);
}
