//! What is refused costs next to nothing.

use std::time::{Duration, Instant};

use portcullis_tests::{PASSWORD, Server, post_of};
use serde_json::{Value, json};

use crate::statements::Meter;

const LOGIN: &str = "/api/v1/auth/login";

/// The processor time of a login with a password that is wrong.
fn of_a_login(server: &Server) -> Duration {
    let request = post_of(LOGIN, &[], &json!({"email": "bob@example.com", "password": PASSWORD}));
    let mut connection = server.connect();
    let times = (0..3).map(|_| {
        let before = server.cpu_time();
        assert_eq!(connection.ask(&request).status(), Some(400));
        server.cpu_time().saturating_sub(before)
    });
    times.min().unwrap()
}

/// Logins that are wrong in their form.
fn misshapen() -> Vec<Vec<u8>> {
    let long = "x".repeat(1025);
    let mut bodies = vec![
        json!({}),
        json!({"email": "ann@example.com"}),
        json!({"password": PASSWORD}),
        json!({"email": "no address", "password": PASSWORD}),
        json!({"email": "ann@example.com", "password": long}),
        json!([]),
    ];
    for odd in [json!(true), json!(0), json!([]), json!({}), Value::Null] {
        bodies.push(json!({"email": "ann@example.com", "password": odd}));
        bodies.push(json!({"email": odd, "password": PASSWORD}));
    }
    bodies.iter().map(|body| post_of(LOGIN, &[], body)).collect()
}

#[tokio::test]
async fn do_06_lg_17_misshapen_logins_cost_no_statement_and_no_hash() {
    const BURST: u32 = 5000;
    let meter = Meter::start();
    let server = meter.backends().with("BCRYPT_ROUNDS", "12").instance().await;
    let login = of_a_login(&server);
    let (requests, mut connection) = (misshapen(), server.connect());
    let before = server.cpu_time();
    let ((), statements) = meter.statements_of(|| {
        for request in requests.iter().cycle().take(BURST as usize) {
            let answer = connection.ask(request);
            assert_eq!(answer.status(), Some(422), "{answer:?}");
        }
    });
    let each = server.cpu_time().saturating_sub(before) / BURST;
    println!("a login takes {login:?} of a processor, a misshapen one {each:?}");
    assert_eq!(statements, "");
    assert!(each < login / 50, "{each:?} against {login:?}");
}

#[tokio::test]
async fn rl_10_a_login_over_the_limit_costs_no_statement_and_no_hash() {
    const BURST: u32 = 1500;
    /// 500 a second.
    const PACE: Duration = Duration::from_millis(2);
    let meter = Meter::start();
    let limits = [
        ("RATE_LIMIT_ENABLED", "true"),
        ("RATE_LIMIT_STRICT", "4"),
        // However slow the machine is, the window does not end meanwhile.
        ("RATE_LIMIT_WINDOW", "10m"),
    ];
    let backends = limits.iter().fold(meter.backends(), |all, (name, value)| all.with(name, value));
    let server = backends.with("BCRYPT_ROUNDS", "12").instance().await;
    let login = of_a_login(&server);
    let request = post_of(LOGIN, &[], &json!({"email": "bob@example.com", "password": PASSWORD}));
    let mut connection = server.connect();
    assert_eq!(connection.ask(&request).status(), Some(400), "the fourth");
    let before = server.cpu_time();
    let (mut times, statements) = meter.statements_of(|| {
        let started = Instant::now();
        let refused = (0..BURST).map(|number| {
            std::thread::sleep((PACE * number).saturating_sub(started.elapsed()));
            let answer = connection.ask(&request);
            assert!(answer.text.contains("RATE_LIMIT_EXCEEDED"), "{answer:?}");
            answer.took
        });
        refused.collect::<Vec<_>>()
    });
    let each = server.cpu_time().saturating_sub(before) / BURST;
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    println!("a login takes {login:?} of a processor, a refused one {each:?}; p99 {p99:?}");
    assert_eq!(statements, "");
    assert!(each < login / 50, "{each:?} against {login:?}");
    // On a machine that does nothing else it is below 20 ms.
    assert!(p99 < Duration::from_millis(250), "{p99:?}");
}
