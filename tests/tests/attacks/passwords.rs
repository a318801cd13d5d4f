//! Passwords and their hashes (PW).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use portcullis_tests::{Answer, PASSWORD, Server, at_once, problem};
use reqwest::Method;
use serde_json::{Value, json};

use crate::routes::Route;

const CANARY: &str = "canary-7f0c1f6e-93a1";
const FORM: &str = "application/x-www-form-urlencoded";
const LOGIN: &str = "/api/v1/auth/login";

/// Registers somebody with a password, and tries another one and then that one.
async fn only_the_whole_password_logs_in(
    server: &Server,
    email: &str,
    right: &str,
    wrong: &[String],
) {
    server.verified_with(email, right).await;
    for guess in wrong {
        let answer = server.anonymous().log_in(email, guess).await;
        answer.is_problem(problem::BAD_LOGIN);
    }
    server.logged_in_with(email, right).await.is_alive().await;
}

#[tokio::test]
async fn pw_02_the_longest_passwords_are_kept_whole_and_longer_ones_store_nothing() {
    let server = Server::start().await;
    let longest = "correct horse battery staple 1234".repeat(32)[..1024].to_owned();
    for (number, password) in [
        "correct horse battery staple 123".repeat(2),
        "Grüße, 世界! 🙂 ".repeat(6).chars().take(64).collect(),
        "短い".repeat(32),
        longest.clone(),
        "🙂".repeat(256),
    ]
    .into_iter()
    .enumerate()
    {
        let mut cut = password.clone();
        cut.pop();
        let changed = cut.clone() + "y";
        let email = format!("ann{number}@example.com");
        only_the_whole_password_logs_in(&server, &email, &password, &[cut, changed]).await;
    }
    for too_long in [longest.clone() + "y", "é".repeat(513), "x".repeat(60_000)] {
        let started = Instant::now();
        let answer = server.anonymous().register_with("bob@example.com", &too_long).await;
        answer.is_invalid(&["password"]);
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        let answer = server.anonymous().confirm_reset("unknown", &too_long).await;
        answer.is_invalid(&["new_password"]);
    }
    server.verified("bob@example.com").await;
}

#[tokio::test]
async fn pw_03_72_bytes_are_not_the_end_of_a_password() {
    let server = Server::start().await;
    let head = "A".repeat(72);
    let wrong = [head.clone() + "wrong1", head.clone(), head.clone() + "right"];
    only_the_whole_password_logs_in(&server, "ann@example.com", &(head + "right1"), &wrong).await;
}

#[tokio::test]
async fn pw_04_a_character_across_byte_72_is_no_special_case() {
    let server = Server::start().await;
    let heads = [
        "é".repeat(36),
        format!("a{}", "é".repeat(35)),
        "漢".repeat(24),
        format!("ab{}", "漢".repeat(23)),
        "🙂".repeat(18),
        format!("abc{}", "🙂".repeat(17)),
    ];
    for (number, head) in heads.into_iter().enumerate() {
        // The last one differs in the bytes of one character only.
        let wrong = [head.clone(), format!("{head}è"), format!("{head}é!"), format!("{head}ê")];
        let email = format!("ann{number}@example.com");
        only_the_whole_password_logs_in(&server, &email, &format!("{head}é"), &wrong).await;
    }
}

#[tokio::test]
async fn pw_05_a_nul_neither_ends_a_password_nor_stops_the_server() {
    let server = Server::start().await;
    for (number, right) in ["before\0after", "\0\0\0\0\0\0\0\0", "\0first of all", "at the end\0"]
        .into_iter()
        .enumerate()
    {
        let mut shorter = right.to_owned();
        shorter.pop();
        let wrong =
            [shorter, format!("{right}x"), right.replace('\0', ""), right.replace('\0', " ")];
        let email = format!("ann{number}@example.com");
        only_the_whole_password_logs_in(&server, &email, right, &wrong).await;
    }
}

#[tokio::test]
async fn pw_06_any_characters_will_do_and_blanks_are_kept() {
    let server = Server::start().await;
    for (number, right) in [
        "correct horse battery staple",
        "パスワードは長いほうがよい",
        "  lead and trail  ",
        "ⓤⓝⓤⓢⓤⓐⓛ ⓐⓢ ⓘⓣ ⓘⓢ",
        "onlylowercaseletters",
        "60318472975528",
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("ann{number}@example.com");
        let trimmed = right.trim();
        let wrong = if trimmed == right { vec![format!("{right} ")] } else { vec![trimmed.into()] };
        only_the_whole_password_logs_in(&server, &email, right, &wrong).await;
    }
}

#[tokio::test]
async fn pw_07_one_normal_form_holds_everywhere_and_nothing_else_is_folded() {
    let server = Server::start().await;
    let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
    let folded = ["cafe au lait", "CAF\u{c9} AU LAIT", " caf\u{e9} au lait"].map(str::to_owned);
    only_the_whole_password_logs_in(&server, "ann@example.com", decomposed, &folded).await;
    server.logged_in_with("ann@example.com", composed).await;

    let token = server.reset_token("ann@example.com").await;
    // U+FB01 is another spelling of "fi" only to forms that lose something.
    let (ligature, letters) = ("\u{fb01}ne cr\u{e8}me", "fine cr\u{e8}me");
    server.anonymous().confirm_reset(&token, ligature).await.is(200);
    server.logged_in_with("ann@example.com", "\u{fb01}ne cre\u{300}me").await;
    let answer = server.anonymous().log_in("ann@example.com", letters).await;
    answer.is_problem(problem::BAD_LOGIN);
}

/// The password is judged before the token, so that no hash is computed here.
async fn refusal_at_reset(server: &Server, password: &str) -> Answer {
    server.anonymous().confirm_reset("unknown", password).await
}

#[tokio::test]
async fn pw_08_thirty_common_passwords_are_refused_at_registration_and_at_reset() {
    let server = Server::start().await;
    for common in [
        "password",
        "password1",
        "password123",
        "12345678",
        "123456789",
        "1234567890",
        "qwertyuiop",
        "qwerty123",
        "iloveyou",
        "iloveyou1",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "superman",
        "trustno1",
        "starwars",
        "whatever",
        "computer",
        "michelle",
        "jennifer",
        "11111111",
        "88888888",
        "1q2w3e4r",
        "1qaz2wsx",
        "zaq12wsx",
        "asdfghjkl",
        "abcd1234",
        "a1b2c3d4",
        "letmein1",
    ] {
        let answer = server.anonymous().register_with("ann@example.com", common).await;
        answer.is_refused(400, "WEAK_PASSWORD");
        refusal_at_reset(&server, common).await.is_refused(400, "WEAK_PASSWORD");
    }
    for sample in ["SecurePass123!", "TestPass123!", "NewSecurePass456!"] {
        refusal_at_reset(&server, sample).await.is_problem(problem::BAD_RESET);
    }
}

#[tokio::test]
async fn pw_09_trivial_variants_of_common_passwords_are_refused() {
    let server = Server::start().await;
    let mut accepted = BTreeSet::new();
    let words = [
        "password",
        "iloveyou",
        "sunshine",
        "princess",
        "football",
        "baseball",
        "superman",
        "starwars",
        "whatever",
        "computer",
        "michelle",
        "jennifer",
        "qwertyuiop",
        "butterfly",
        "chocolate",
        "elizabeth",
        "liverpool",
        "chelsea1",
        "welcome1",
        "dragon12",
    ];
    for word in words {
        let capital = word[..1].to_uppercase() + &word[1..];
        for variant in [
            word.to_uppercase(),
            capital.clone(),
            format!("{word}1"),
            format!("{word}!"),
            format!("{capital}1!"),
            format!("{capital}01"),
            format!("1{word}"),
            capital.replace('a', "@").replace('o', "0"),
        ] {
            if refusal_at_reset(&server, &variant).await.str("/error_code") != "WEAK_PASSWORD" {
                accepted.insert(variant);
            }
        }
    }
    assert_eq!(accepted, BTreeSet::new());
}

#[tokio::test]
async fn pw_10_words_of_the_account_and_of_the_service_are_refused_in_both_places() {
    let server = Server::start().await;
    server.verified("annabella@example.com").await;
    let token = server.reset_token("annabella@example.com").await;
    for word in ["annabella@example.com", "Annabella", "ann mary lee", "portcullis", "Portcullis1"]
    {
        let answer = server.anonymous().register_with("annabella@example.com", word).await;
        answer.is_refused(400, "WEAK_PASSWORD");
        let answer = server.anonymous().confirm_reset(&token, word).await;
        answer.is_refused(400, "WEAK_PASSWORD");
    }
    let form = [
        ("username", "annabella1984"),
        ("email", "bella@example.com"),
        ("password", "ANNABELLA1984"),
        ("first_name", "Anna"),
        ("last_name", "Bell"),
    ];
    let answer = server.anonymous().post_form("/api/v1/auth/signup", &form).await;
    answer.is_refused(400, "WEAK_PASSWORD");
}

/// At the default cost, fifty hashes would take half a minute of a processor.
#[tokio::test]
async fn pw_14_very_long_passwords_cost_no_hash_and_hold_up_nobody() {
    let server = Server::start_with(&[("BCRYPT_ROUNDS", "12")]).await;
    let before = server.cpu_time();
    let flood = at_once(50, |number| {
        let anonymous = server.anonymous();
        async move {
            let (email, long) = ("ann@example.com", "x".repeat(60_000));
            let answers = match number % 3 {
                0 => anonymous.log_in(email, &long).await,
                1 => anonymous.register_with(email, &long).await,
                _ => anonymous.confirm_reset("unknown", &long).await,
            };
            answers.is_refused(422, "VALIDATION_ERROR");
        }
    });
    let health = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..20 {
            let started = Instant::now();
            server.anonymous().get("/health").await.is(200);
            slowest = slowest.max(started.elapsed());
        }
        slowest
    };
    let (_, slowest) = tokio::join!(flood, health);
    std::thread::scope(|scope| {
        for number in 0..50 {
            let (server, path) = (&server, ["login", "register"][number % 2]);
            scope.spawn(move || {
                let body = format!(
                    "{{\"email\":\"ann@example.com\",\"name\":\"Ann\",\"password\":\"{}\"}}",
                    "x".repeat(1_000_000)
                );
                let head = format!(
                    "POST /api/v1/auth/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    body.len()
                );
                let answer = server.raw(head + &body);
                answer.is_refused_with(&[413]);
                assert!(answer.took < Duration::from_secs(5), "{:?}", answer.took);
            });
        }
    });
    let used = server.cpu_time().saturating_sub(before);
    println!("100 very long passwords: {used:?} of a processor, /health at most {slowest:?}");
    assert!(used < Duration::from_secs(3), "{used:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

/// Insists that a refusal holds the canary nowhere.
#[track_caller]
fn is_silent(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert!(!answer.text.contains(CANARY), "{}", answer.text);
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        assert!(!value.contains(CANARY), "{name}: {value}");
    }
}

#[tokio::test]
async fn pw_15_no_refusal_repeats_a_secret() {
    let server = Server::start().await;
    let ann = server.logged_in("ann@example.com").await;
    let long = CANARY.repeat(100);
    let wrong_types =
        [json!({CANARY: CANARY}), json!([CANARY, [CANARY]]), json!(CANARY), json!(long)];
    for route in Route::of_json() {
        for wrong in &wrong_types {
            // A canary is a name like any other.
            let is_name = route.path.ends_with("/me") && wrong == CANARY;
            let body: Value =
                route.fields.iter().map(|(field, _)| (*field, wrong.clone())).collect();
            let answer = Answer::to(route.by(&ann).json(&body)).await;
            if !is_name {
                is_silent(&answer);
            }
        }
        let (field, _) = route.fields[0];
        for body in [
            format!("{{\"{field}\": \"{CANARY}\""),
            format!("{{\"{field}\": \"{CANARY}\", \"{field}\": \"{CANARY}\"}}"),
            CANARY.to_owned(),
            format!("\"{CANARY}\""),
        ] {
            let request = route.by(&ann).header("content-type", "application/json");
            is_silent(&Answer::to(request.body(body)).await);
        }
        let request = route.by(&ann).header("content-type", CANARY);
        is_silent(&Answer::to(request.body(CANARY)).await);
    }
    for path in ["/api/v1/auth/signup", LOGIN] {
        for body in [
            format!(
                "username={CANARY}%20&password={long}{long}&email={CANARY}&first_name=&last_name="
            ),
            format!("username=a&password={CANARY}&password={CANARY}"),
            format!("username=a&password=%FF{CANARY}"),
            format!("password={CANARY}&grant_type={CANARY}"),
            format!("{CANARY}={CANARY}"),
        ] {
            is_silent(&server.anonymous().post_bytes(path, FORM, body.into()).await);
        }
    }
    for path in [
        format!("/api/v1/auth/verify-email/{CANARY}"),
        format!("/api/v1/auth/me?access_token={CANARY}"),
        format!("/{CANARY}"),
    ] {
        is_silent(&server.anonymous().get(&path).await);
    }
    let request = server.anonymous().request(Method::GET, "/api/v1/auth/me").bearer_auth(CANARY);
    is_silent(&Answer::to(request).await);
    is_silent(&server.anonymous().log_in("ann@example.com", CANARY).await);
    server.anonymous().log_in("ann@example.com", PASSWORD).await.is(200);
}
