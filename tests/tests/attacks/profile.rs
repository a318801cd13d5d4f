//! A profile belongs to its owner (ME).

use portcullis_tests::{Answer, Server, at_once};
use reqwest::Method;
use serde_json::json;

const ME: &str = "/api/v1/auth/me";
const USERS_ME: &str = "/api/v1/users/me";

#[tokio::test]
async fn me_04_nobody_reaches_somebody_else_by_an_id() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    let before = bob.me().await.expect(200).body;
    let id = before["id"].as_str().unwrap();
    let number = bob.users_me().await.expect(200).body["id"].to_string();
    for other in [id, number.as_str(), "bob@example.com"] {
        for path in [
            format!("{ME}?id={other}&user_id={other}&sub={other}&email={other}"),
            format!("{USERS_ME}?id={other}"),
        ] {
            let request = ann.request(Method::GET, &path);
            let request = request.header("x-user-id", other).header("x-forwarded-user", other);
            let answer = Answer::to(request).await.expect(200);
            assert_eq!(answer.str("/email"), "ann@example.com");
        }
        for path in [format!("{ME}/{other}"), format!("/api/v1/users/{other}")] {
            ann.get(&path).await.is(404);
        }
        let body = json!({"id": other, "user_id": other, "sub": other, "name": "Eve"});
        assert_eq!(ann.patch_me(&body).await.expect(200).str("/email"), "ann@example.com");
    }
    assert_eq!(bob.me().await.expect(200).body, before);
}

#[tokio::test]
async fn me_06_other_methods_are_refused_however_they_are_asked_for() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let before = ann.me().await.expect(200).body;
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::TRACE] {
        let answer = Answer::to(ann.request(method.clone(), ME)).await;
        assert_eq!(answer.status, 405, "{method}: {answer:?}");
        let allowed = answer.header("allow").unwrap();
        assert!(allowed.contains("GET") && allowed.contains("PATCH"), "{allowed}");
        assert!(!allowed.contains(method.as_str()), "{allowed}");
    }
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        for method in ["PATCH", "DELETE"] {
            let body = json!({"name": "Eve", "_method": method});
            let read = ann.request(Method::GET, &format!("{ME}?_method={method}"));
            let read = Answer::to(read.header(name, method).json(&body)).await.expect(200);
            assert_eq!(read.body, before);
            let write = ann.request(Method::POST, ME).header(name, method).json(&body);
            Answer::to(write).await.is(405);
        }
    }
    assert_eq!(ann.me().await.expect(200).body, before);
}

#[tokio::test]
async fn me_07_markup_in_a_name_is_data() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "{{7*7}}${7*7}<%= 7*7 %>",
        "</script><svg/onload=alert(1)>",
        "O'Neill & Söhne \\ \u{2713}",
    ] {
        for answer in [ann.patch_me(&json!({"name": name})).await, ann.me().await] {
            answer.is(200);
            assert_eq!(answer.str("/name"), name);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
}

/// Name and its parts are one value: nobody's first name meets another's last.
#[tokio::test]
async fn me_08_parallel_changes_leave_one_of_them_whole() {
    let server = Server::start().await;
    let ann = server.signed_up("annlee", "ann@example.com").await;
    for round in 0..5 {
        let answers = at_once(32, |number| {
            let ann = ann.clone();
            async move {
                let name = format!("First{round}x{number} Last{round}x{number}");
                (ann.patch_me(&json!({"name": name})).await, name)
            }
        })
        .await;
        for (answer, name) in &answers {
            answer.is(200);
            assert_eq!(answer.str("/name"), name, "each is told of its own change");
        }
        let now = ann.me().await.expect(200);
        assert!(answers.iter().any(|(_, name)| name == now.str("/name")), "{now:?}");
        let parts = ann.users_me().await.expect(200);
        let joined = format!("{} {}", parts.str("/first_name"), parts.str("/last_name"));
        assert_eq!(joined, now.str("/name"));
        assert_eq!(parts.body["updated_at"], now.body["updated_at"]);
    }
}
