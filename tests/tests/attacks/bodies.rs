//! Bodies that are not what a route reads (IN-01 to IN-03, IN-07 to IN-09, IN-18).

use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, problem};
use reqwest::Method;
use serde_json::{Value, json};

use crate::routes::{ROUTES, Reads, Route};

const JSON: &str = "application/json";
const LOGIN: &str = "/api/v1/auth/login";

/// A clean refusal: a 4xx in the contract's form, whichever.
#[track_caller]
pub(crate) fn is_clean(answer: &Answer, what: &str) {
    assert!((400..500).contains(&answer.status), "{what}: {answer:?}");
    assert!(answer.body["error_code"].is_string(), "{what}: {answer:?}");
}

pub(crate) async fn send(
    route: &Route,
    caller: &LoggedIn,
    media_type: &str,
    body: Vec<u8>,
) -> Answer {
    let request = route.by(caller).body(body);
    let request =
        if media_type.is_empty() { request } else { request.header("content-type", media_type) };
    Answer::to(request).await
}

#[tokio::test]
async fn in_01_hd_12_what_a_page_of_another_origin_can_send_unasked_is_refused_everywhere() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for route in ROUTES.iter().filter(|route| route.reads != Reads::Nothing) {
        let others: &[&str] =
            if route.reads == Reads::Json && route.path != LOGIN { &forms } else { &[] };
        for media_type in ["text/plain", "text/html", "application/xml"].iter().chain(others) {
            let request = route.by(&ann).header("origin", "https://evil.test");
            let request = request.header("content-type", *media_type);
            // The whole body, valid in itself: only its name is wrong.
            let answer = Answer::to(request.body(route.body())).await;
            answer.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let request = route.by(&ann).header("content-type", "application/json");
        let twice = request.header("content-type", "text/plain").body(route.body());
        Answer::to(twice).await.is_refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    // Nothing happened: Ann is still called the same and nobody else is there.
    assert_eq!(ann.me().await.expect(200).str("/name"), portcullis_tests::NAME);
    ann.is_alive().await;
    server.anonymous().log_in_by_form("annlee", PASSWORD).await.is_problem(problem::BAD_FORM_LOGIN);
}

#[tokio::test]
async fn in_02_in_08_what_is_no_json_text_is_refused_on_every_route() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for route in Route::of_json() {
        let good = route.body();
        let open = &good[..good.len() - 1];
        let mut broken: Vec<Vec<u8>> = [
            open.to_owned(),
            format!("{good} x"),
            format!("{good}{good}"),
            good.replace('"', "'"),
            format!("{open},\"x\":NaN}}"),
            format!("{open},\"x\":Infinity}}"),
            format!("{open},\"x\":01}}"),
            format!("{open},}}"),
            format!("{open},\"x\":1 /* */}}"),
            format!("// x\n{good}"),
            format!("\u{feff}{good}"),
            format!("{open},\"x\":\"\t\"}}"),
            format!("{open},\"x\":\"\\x41\"}}"),
            format!("{open},\"x\":\"\\ud800\"}}"),
            format!("{open},\"x\":\"\\udc00\\ud800\"}}"),
            "\0".to_owned(),
        ]
        .into_iter()
        .map(String::into_bytes)
        .collect();
        for raw in [&b"\xff\xfe"[..], b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"] {
            broken.push([open.as_bytes(), b",\"x\":\"", raw, b"\"}"].concat());
        }
        broken.push(good.encode_utf16().flat_map(u16::to_le_bytes).collect());
        broken.push(good.encode_utf16().flat_map(u16::to_be_bytes).collect());
        for body in broken {
            send(route, &ann, JSON, body).await.is_malformed();
        }
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_03_a_field_named_twice_is_refused_on_every_route() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    for route in Route::of_json() {
        let good = route.body();
        for (name, _) in route.fields {
            let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
            for again in [*name, &escaped] {
                let body = good.replacen('{', &format!("{{\"{again}\":\"other\","), 1);
                send(route, &ann, JSON, body.into()).await.is_malformed();
            }
        }
    }
    for route in Route::of_forms() {
        for (name, _) in route.fields {
            for again in [
                format!("{name}=other"),
                format!("{name}="),
                format!("%{:02x}{}=x", name.as_bytes()[0], &name[1..]),
            ] {
                for body in
                    [format!("{again}&{}", route.body()), format!("{}&{again}", route.body())]
                {
                    let answer = send(route, &ann, route.media_type(), body.into()).await;
                    answer.is_refused(422, "VALIDATION_ERROR");
                }
            }
        }
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut body = part(route.fields[0].0, "other");
        for (name, value) in route.fields {
            body += &part(name, value);
        }
        body += "--x--\r\n";
        let answer = send(route, &ann, "multipart/form-data; boundary=x", body.into()).await;
        answer.is_refused(422, "VALIDATION_ERROR");
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_07_nul_and_what_else_no_database_keeps_is_a_clean_refusal() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let anonymous = server.anonymous();
    for (number, route) in Route::of_json().enumerate() {
        for (name, value) in route.fields {
            for odd in ["\0", "a\0b", "\u{1}", "\u{7f}", "\u{ffff}", "\u{10ffff}", "\u{feff}"] {
                let mut body: Value = serde_json::from_str(&route.body()).unwrap();
                if let Some(email) = body.get_mut("email") {
                    *email = json!(format!("nul{number}@example.com"));
                }
                body[name] = json!(format!("{value}{odd}"));
                let answer = Answer::to(route.by(&ann).json(&body)).await;
                assert!(answer.status < 500, "{} {name} {odd:?}: {answer:?}", route.path);
                let is_text = ["email", "name"].contains(name);
                if is_text && odd.contains('\0') {
                    answer.is_invalid(&[name]);
                }
            }
        }
    }
    for (name, _) in Route::of_forms().next().unwrap().fields {
        let fields = Route::of_forms().next().unwrap().fields.iter();
        let fields: Vec<_> = fields
            .map(|(known, value)| (*known, if known == name { "a\0b" } else { *value }))
            .collect();
        let answer = anonymous.post_form("/api/v1/auth/signup", &fields).await;
        assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
    }
    for path in [
        "/api/v1/auth/verify-email/%00",
        "/api/v1/auth/verify-email/a%00b",
        "/api/v1/auth/me%00",
        "/%00",
    ] {
        let answer = Answer::to(ann.request(Method::GET, path)).await;
        assert!(matches!(answer.status, 400 | 404 | 422), "{path}: {answer:?}");
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_09_odd_values_in_place_of_texts_are_told_as_such() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let odd = [
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "99999999999999999999999999",
        "0.1e1",
        "true",
        "null",
        "[]",
        "[\"ann@example.com\"]",
        "{}",
        "{\"$ne\":null}",
        "{\"email\":\"ann@example.com\"}",
        "[[[\"x\"]]]",
    ];
    // Not the one that changes the profile, where null is no change.
    for route in Route::of_json().filter(|route| !route.path.ends_with("/me")) {
        for value in odd {
            let fields: Vec<_> =
                route.fields.iter().map(|(name, _)| format!("\"{name}\":{value}")).collect();
            let body = format!("{{{}}}", fields.join(","));
            let answer = send(route, &ann, JSON, body.into()).await;
            answer.is_refused(422, "VALIDATION_ERROR");
        }
    }
    ann.is_alive().await;
}

#[tokio::test]
async fn in_18_a_query_is_no_body_and_no_header() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let token = server.registered("bob@example.com").await;
    let query = format!("?email=ann@example.com&password={PASSWORD}&username=ann@example.com");
    let anonymous = server.anonymous();
    let login = format!("{LOGIN}{query}");
    anonymous.post(&login, &json!({})).await.is_missing(&["email", "password"]);
    let wrong = json!({"email": "eve@example.com", "password": "another one"});
    anonymous.post(&login, &wrong).await.is_problem(problem::BAD_LOGIN);
    anonymous
        .post_form(&login, &[("username", "eve"), ("password", "x")])
        .await
        .is_problem(problem::BAD_FORM_LOGIN);
    let verify = format!("/api/v1/auth/verify-email?token={token}");
    anonymous.post(&verify, &json!({"token": "x"})).await.is_problem(problem::BAD_VERIFICATION);
    anonymous.post(&verify, &json!({})).await.is_missing(&["token"]);
    anonymous.get(&verify).await.is(405);
    for name in ["access_token", "token", "authorization", "Authorization", "bearer"] {
        let me = format!("/api/v1/auth/me?{name}={0}&{name}={0}", ann.access);
        anonymous.get(&me).await.is_problem(problem::NO_BEARER);
    }
    let refresh = format!("/api/v1/auth/refresh?refresh_token={}", ann.refresh);
    anonymous.post(&refresh, &json!({})).await.is_missing(&["refresh_token"]);
    anonymous.verify(&token).await.is(200);
    ann.is_alive().await;
}
