//! Proof of an address (VE).

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use portcullis_testkit::SmtpSink;
use portcullis_tests::{Mail, PASSWORD, Server, at_once, eventually, problem};
use serde_json::{Value, json};

use crate::mail::mailing_to;

const TOKENS: usize = 1000;

fn path(token: &str) -> String {
    format!("/api/v1/auth/verify-email/{token}")
}

/// The tokens of so many verification mails, in the order of their sending.
async fn many_tokens(count: usize) -> Vec<String> {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    for round in 0..count / 20 {
        at_once(20, |number| {
            let anonymous = server.anonymous();
            async move { anonymous.register(&format!("ann{round}x{number}@example.com")).await.is(201) }
        })
        .await;
    }
    let mails = eventually("all mails", Duration::from_mins(1), async || {
        let mails = sink.messages();
        (mails.len() == count).then_some(mails)
    })
    .await;
    mails.iter().map(|mail| Mail::from(mail).token()).collect()
}

/// Pearson's statistic of counts that should all be the same.
fn chi_square(counts: &[u32]) -> f64 {
    let total: u32 = counts.iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "there are few")]
    let expected = f64::from(total) / counts.len() as f64;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// One run in a million would fail by chance: 15 degrees of freedom exceed 70
/// with a probability of 5e-9, at 64 places.
#[tokio::test]
async fn ve_01_a_thousand_tokens_show_no_structure() {
    let tokens = many_tokens(TOKENS).await;
    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), TOKENS, "a token came twice");
    let starts: HashSet<_> = tokens.iter().map(|token| &token[..10]).collect();
    assert_eq!(starts.len(), TOKENS, "tokens begin alike");
    let raw: Vec<Vec<u8>> =
        tokens.iter().map(|token| BASE64_URL_SAFE_NO_PAD.decode(token).unwrap()).collect();
    assert!(raw.iter().all(|bytes| bytes.len() == 32), "a token does not hold 256 bits");
    let nibble = |bytes: &[u8], place: usize| usize::from(bytes[place / 2] >> (place % 2 * 4) & 15);
    for place in 0..64 {
        let (mut counts, mut steps) = ([0; 16], [0; 16]);
        for (number, bytes) in raw.iter().enumerate() {
            counts[nibble(bytes, place)] += 1;
            if number > 0 {
                let step = nibble(bytes, place) ^ nibble(&raw[number - 1], place);
                steps[step] += 1;
            }
        }
        assert!(chi_square(&counts) < 70.0, "half byte {place}: {counts:?}");
        assert!(chi_square(&steps) < 70.0, "from one to the next, half byte {place}: {steps:?}");
    }
}

#[tokio::test]
async fn ve_03_of_64_who_follow_the_link_at_once_one_verifies() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    let answers = at_once(64, |_| {
        let (anonymous, path) = (server.anonymous(), path(&token));
        async move { anonymous.get(&path).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        refused.is_problem(problem::BAD_VERIFICATION);
    }
    server.anonymous().get(&path(&token)).await.is_problem(problem::BAD_VERIFICATION);
    server.mailbox().mail("ann@example.com", "Welcome").await;
    // Whoever comes later has had their mail: then every earlier one is out.
    server.registered("later@example.com").await;
    assert_eq!(server.mailbox().count("ann@example.com", "Welcome").await, 1);
}

#[tokio::test]
async fn ve_05_every_token_is_good_for_its_own_purpose_only() {
    let server = Server::start().await;
    let bob = server.logged_in("bob@example.com").await;
    let verification = server.registered("ann@example.com").await;
    let reset = server.reset_token("ann@example.com").await;
    let anonymous = server.anonymous();
    for other in [&reset, &bob.refresh, &bob.access] {
        anonymous.verify(other).await.is_problem(problem::BAD_VERIFICATION);
        anonymous.get(&path(other)).await.is_problem(problem::BAD_VERIFICATION);
    }
    for other in [&verification, &bob.refresh, &bob.access] {
        let answer = anonymous.confirm_reset(other, "NewSecurePass456!").await;
        answer.is_problem(problem::BAD_RESET);
    }
    for other in [&verification, &reset] {
        anonymous.refresh(other).await.is_problem(problem::BAD_REFRESH);
    }
    // None of them was spent by the wrong try.
    anonymous.verify(&verification).await.is(200);
    anonymous.confirm_reset(&reset, "NewSecurePass456!").await.is(200);
    bob.is_alive().await;
}

/// The same bytes in another spelling: the last of 43 characters holds four bits.
fn respelled(token: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = token.split_at(token.len() - 1);
    let value = ALPHABET.iter().position(|byte| *byte == last.as_bytes()[0]).unwrap();
    format!("{head}{}", char::from(ALPHABET[value ^ 1]))
}

#[tokio::test]
async fn ve_06_near_misses_of_a_link_verify_nobody_and_spend_nothing() {
    let server = Server::start().await;
    let token = server.registered("ann@example.com").await;
    let mut misses = vec![
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        token[..22].to_owned(),
        format!("{token}A"),
        format!("A{token}"),
        format!("{token}{token}"),
        token.to_lowercase(),
        token.to_uppercase(),
        format!("{token}="),
        format!("{token}%00"),
        format!("{token}%20"),
        format!("%20{token}"),
        format!("{token}%0a"),
        format!("{token}/"),
        format!("{token}//"),
        format!("/{token}"),
        format!("{token}%2F"),
        format!("{token};a=1"),
        format!("{token}."),
        format!("./{token}/."),
        respelled(&token),
    ];
    // A flip of each single character in turn.
    misses.extend((0..token.len()).map(|at| {
        let other = if &token[at..=at] == "x" { "y" } else { "x" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    }));
    for miss in misses {
        let answer = server.raw(format!(
            "GET {} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
            path(&miss)
        ));
        assert!([400, 404, 422].contains(&answer.status().unwrap()), "{miss}: {answer:?}");
    }
    let waits = server.anonymous().log_in("ann@example.com", PASSWORD).await;
    waits.is_problem(problem::NOT_VERIFIED);
    server.anonymous().get(&path(&token)).await.is(200);
}

#[tokio::test]
async fn ve_07_blank_and_structural_tokens_match_nothing() {
    let server = Server::start().await;
    // Tokens that are spent, that wait, and none at all.
    server.verified("done@example.com").await;
    server.registered("ann@example.com").await;
    server.reset_token("ann@example.com").await;
    let anonymous = server.anonymous();
    for blank in [
        "",
        " ",
        "\t",
        "\n",
        "\0",
        "\u{a0}",
        "\u{feff}",
        "null",
        "NULL",
        "nil",
        "None",
        "undefined",
        "NaN",
        "0",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
        "\"\"",
        "''",
        "%",
        "_",
        "*",
        ".",
        "..",
        "=",
        "==",
        "' OR ''='",
        "\\x",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        "00000000-0000-0000-0000-000000000000",
        &"A".repeat(43),
        &"0".repeat(64),
        &" ".repeat(43),
        &"A".repeat(50_000),
    ] {
        for answer in [
            anonymous.verify(blank).await,
            anonymous.confirm_reset(blank, "NewSecurePass456!").await,
        ] {
            assert!([400, 422].contains(&answer.status), "{blank:?}: {answer:?}");
        }
    }
    for value in [Value::Null, json!([]), json!({}), json!(0), json!(false), json!([""])] {
        let body = json!({"token": value, "new_password": "NewSecurePass456!"});
        for path in ["/api/v1/auth/verify-email", "/api/v1/auth/password-reset/confirm"] {
            anonymous.post(path, &body).await.is_invalid(&["token"]);
        }
    }
    for blank in ["", "%20", "%09", "%00", "%25", "null", "undefined", "..%2f", "."] {
        let answer = anonymous.get(&path(blank)).await;
        assert!([400, 404, 405, 422].contains(&answer.status), "{blank:?}: {answer:?}");
    }
    let waits = anonymous.log_in("ann@example.com", PASSWORD).await;
    waits.is_problem(problem::NOT_VERIFIED);
    anonymous.log_in("done@example.com", PASSWORD).await.is(200);
}

#[tokio::test]
async fn ve_10_pr_02_no_request_decides_where_a_link_leads() {
    let sink = SmtpSink::start().await;
    let server = mailing_to(&sink).await;
    let headers = [
        "Host: evil.test",
        "Host: x\r\nX-Forwarded-Host: evil.test",
        "Host: x\r\nX-Forwarded-Server: evil.test",
        "Host: x\r\nX-Host: evil.test",
        "Host: x\r\nX-Original-Host: evil.test",
        "Host: x\r\nForwarded: host=evil.test;proto=http",
        "Host: x\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 1",
        "Host: x\r\nX-Forwarded-Prefix: /evil\r\nX-Original-URL: /evil",
        "Host: x\r\nOrigin: https://evil.test\r\nReferer: https://evil.test/",
        "Host: evil.test:80@auth.example.com",
    ];
    let mut sent = 0;
    for (number, header) in headers.into_iter().enumerate() {
        for origin in ["", "http://evil.test"] {
            let email = format!("ann{number}x{}@example.com", origin.len());
            for (path, body) in [
                ("register", json!({"email": email, "name": "Ann", "password": PASSWORD})),
                ("password-reset/request", json!({"email": email})),
            ] {
                let body = body.to_string();
                let answer = server.raw(format!(
                    "POST {origin}/api/v1/auth/{path} HTTP/1.1\r\n{header}\r\nConnection: close\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                ));
                assert!(!answer.text.contains("evil"), "{answer:?}");
                let status = answer.status().unwrap();
                assert!(status < 500, "{answer:?}");
                sent += usize::from(status < 300);
            }
        }
    }
    assert!(sent >= 16, "most of them are requests like any other: {sent}");
    for mail in sink.wait_for(sent).await {
        let (text, html) = (mail.text(), mail.html());
        assert!(!text.contains("evil") && !html.contains("evil"), "{text}{html}");
        for part in [text, html] {
            for (at, _) in part.match_indices("://") {
                let start = at.saturating_sub("https".len());
                assert!(part[start..].starts_with("https://auth.example.com/"), "{part}");
            }
        }
    }
}

#[tokio::test]
async fn ve_11_guessing_a_token_is_slowed_down() {
    let server = Server::start_with(&[("RATE_LIMIT_ENABLED", "true")]).await;
    for number in 0..100 {
        let answer = server.anonymous().get(&path(&format!("guess{number}"))).await;
        answer.is_problem(problem::BAD_VERIFICATION);
    }
    server.anonymous().get(&path("guess")).await.is_problem(problem::TOO_MANY);
    server.anonymous().verify("guess").await.is_problem(problem::TOO_MANY);
}
