//! Whether there is an account, and in which state, is not to be seen: not in
//! answers, not in statements, not in the work of the processor.

use std::time::{Duration, Instant};

use portcullis_testkit::{Reaction, SmtpSink, Step};
use portcullis_tests::{Connection, PASSWORD, RawAnswer, Server, post_of};
use serde_json::json;

use crate::backends::Backends;
use crate::letterbox::{Letterbox, RESET};
use crate::statements::Meter;

const LOGIN: &str = "/api/v1/auth/login";
const REGISTER: &str = "/api/v1/auth/register";
const WRONG: &str = "wrong password";

/// Nobody's address, one for each state of an account, and of one length.
const ABSENT: &str = "user-0@example.com";
const ACTIVE: &str = "user-1@example.com";
const UNVERIFIED: &str = "user-2@example.com";
const DISABLED: &str = "user-3@example.com";
const DAMAGED: &str = "user-4@example.com";
const UNSET: &str = "user-5@example.com";
const STATES: [&str; 6] = [ABSENT, ACTIVE, UNVERIFIED, DISABLED, DAMAGED, UNSET];

/// A server on a Postgres that counts, with an account in each state.
async fn inhabited(settings: &[(&str, &str)]) -> (Meter, Server) {
    let meter = Meter::start();
    let backends =
        settings.iter().fold(meter.backends(), |all, (name, value)| all.with(name, value));
    let server = backends.instance().await;
    for email in &STATES[1..] {
        server.anonymous().register(email).await.is(201);
    }
    meter.deliver().await;
    meter.let_letters_wait();
    meter.sql(&format!(
        "UPDATE users SET email_verified_at = now() WHERE email <> '{UNVERIFIED}';
         UPDATE users SET is_active = false WHERE email = '{DISABLED}';
         UPDATE users SET password_hash = left(password_hash, 40) WHERE email = '{DAMAGED}';
         UPDATE users SET password_hash = '!' WHERE email = '{UNSET}'"
    ));
    (meter, server)
}

/// What a client and a database see of a request.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    answer: String,
    statements: String,
}

/// Sends requests one after the other; tells what was seen of each, and the
/// processor time of each.
fn seen(meter: &Meter, server: &Server, requests: &[Vec<u8>]) -> (Vec<Seen>, Vec<Duration>) {
    let mut connection = server.connect();
    let mut times = Vec::new();
    let told = requests.iter().map(|request| {
        let before = server.cpu_time();
        let (answer, statements) = meter.statements_of(|| connection.ask(request));
        times.push(server.cpu_time().saturating_sub(before));
        Seen { answer: answer.masked(&["retry-after", "email"]), statements }
    });
    (told.collect(), times)
}

fn login(email: &str, password: &str) -> Vec<u8> {
    post_of(LOGIN, &[], &json!({"email": email, "password": password}))
}

fn mail_request(path: &str, email: &str) -> Vec<u8> {
    post_of(&format!("/api/v1/auth/{path}"), &[], &json!({"email": email}))
}

/// Which is as many hashes as one: wide enough for a machine that is busy, and
/// far from none and from two.
#[track_caller]
fn is_one_hash(time: Duration, hash: Duration, what: &str) {
    let ratio = time.as_secs_f64() / hash.as_secs_f64();
    assert!((0.5..1.7).contains(&ratio), "{what}: {time:?} is {ratio:.2} of {hash:?}");
}

/// The least time is the one that nothing else disturbed.
fn least(times: &[Duration]) -> Duration {
    times.iter().copied().min().unwrap()
}

/// Three tries before the lock, the third of which starts it, and two after.
#[tokio::test]
async fn en_01_en_02_en_03_en_08_every_state_costs_the_same_statements_and_hashes() {
    let (meter, server) = inhabited(&[("LOCKOUT_THRESHOLD", "3")]).await;
    let tries = |email: &str| vec![login(email, WRONG); 5];
    let (absent, times) = seen(&meter, &server, &tries(ABSENT));
    let hash = least(&times[..3]);
    println!("a hash takes {hash:?}; each try of a stranger {times:?}");
    assert!(absent[..3].iter().all(|seen| seen.answer.starts_with("HTTP/1.1 400")), "{absent:?}");
    assert!(absent[3..].iter().all(|seen| seen.answer.starts_with("HTTP/1.1 429")), "{absent:?}");
    assert!(absent[0].statements.contains("login_failures"), "{absent:?}");
    for email in &STATES[1..] {
        let (state, times) = seen(&meter, &server, &tries(email));
        println!("{email}: {times:?}");
        assert_eq!(state, absent, "{email}");
        is_one_hash(least(&times[..3]), hash, email);
        assert!(least(&times[3..]) < hash / 3, "{email} is locked, and yet hashed: {times:?}");
    }
}

#[tokio::test]
async fn en_03_lg_15_the_right_password_of_a_disabled_account_costs_what_a_strangers_costs() {
    let (meter, server) = inhabited(&[("LOCKOUT_THRESHOLD", "3")]).await;
    let tries = |email: &str| vec![login(email, PASSWORD); 5];
    let (absent, times) = seen(&meter, &server, &tries(ABSENT));
    let hash = least(&times[..3]);
    let (disabled, times) = seen(&meter, &server, &tries(DISABLED));
    assert_eq!(disabled, absent);
    is_one_hash(least(&times[..3]), hash, "disabled");
}

/// Up to the sixth, which is one more than an address is mailed.
#[tokio::test]
async fn en_04_en_06_asking_for_a_mail_costs_the_same_in_every_state_also_past_the_cap() {
    let (meter, server) = inhabited(&[("LOCKOUT_THRESHOLD", "3")]).await;
    // Nobody has been sent a mail of these kinds within the hour.
    meter.sql("UPDATE outbox SET created_at = created_at - interval '2 hours'");
    for path in ["password-reset/request", "verify-email/resend"] {
        let requests = |email: &str| vec![mail_request(path, email); 7];
        let (absent, _) = seen(&meter, &server, &requests(ABSENT));
        assert!(absent.iter().all(|seen| seen.answer.starts_with("HTTP/1.1 200")), "{absent:?}");
        assert!(absent[4].statements.contains("INSERT"), "{absent:?}");
        assert!(!absent[5].statements.contains("INSERT"), "{absent:?}");
        for email in &STATES[1..] {
            let (state, _) = seen(&meter, &server, &requests(email));
            assert_eq!(state, absent, "{path} {email}");
        }
    }
}

/// The numbers that accounts get are the same too, or a later account of one's
/// own would tell how many there were.
#[tokio::test]
async fn en_07_en_12_a_hidden_refusal_looks_and_costs_like_a_registration() {
    let (meter, server) = inhabited(&[("REGISTRATION_DISCLOSURE", "hide")]).await;
    let register = |email: &str| {
        let body = json!({"email": email, "name": "Ann Lee", "password": PASSWORD});
        vec![post_of(REGISTER, &[], &body)]
    };
    let next_number = async |username: &str| {
        let john = server.signed_up(username, &format!("{username}@example.com")).await;
        john.users_me().await.expect(200).body["id"].as_i64().unwrap()
    };
    let mut last = next_number("first").await;
    let (free, times) = seen(&meter, &server, &register("user-9@example.com"));
    let hash = times[0];
    assert!(free[0].answer.starts_with("HTTP/1.1 201"), "{free:?}");
    let number = next_number("second").await;
    assert_eq!(number - last, 2);
    last = number;
    let accounts = meter.sql("SELECT count(*) FROM users");
    for (email, username) in [(ACTIVE, "third"), (UNVERIFIED, "fourth"), (DISABLED, "fifth")] {
        let (taken, times) = seen(&meter, &server, &register(email));
        assert_eq!(taken, free, "{email}");
        is_one_hash(times[0], hash, email);
        assert_eq!(meter.sql("SELECT count(*) FROM users"), accounts, "{email}");
        let number = next_number(username).await;
        assert_eq!(number - last, 2, "{email}");
        last = number;
        meter.sql(&format!("DELETE FROM users WHERE username = '{username}'"));
    }
}

fn ask_reset(connection: &mut Connection, email: &str) -> RawAnswer {
    connection.ask(&mail_request("password-reset/request", email))
}

/// The mail leaves by a worker: however the provider behaves, nobody who asks
/// can tell.
#[tokio::test(flavor = "multi_thread")]
async fn en_04_en_05_no_behaviour_of_the_mail_server_is_seen_by_who_asks_for_a_reset() {
    let sink = SmtpSink::start().await;
    let backends = Backends::new().with_smtp(&format!("{}?timeout=5s", sink.url()));
    let server = backends.instance().await;
    server.anonymous().register(ACTIVE).await.is(201);
    let mut connection = server.connect();
    let usual = ask_reset(&mut connection, ABSENT).masked(&[]);
    assert!(usual.starts_with("HTTP/1.1 200"), "{usual}");
    let reactions = [
        (Step::Connect, Reaction::reply("421 4.3.2 closing")),
        (Step::Rcpt, Reaction::reply("450 4.2.0 later")),
        (Step::EndOfData, Reaction::reply("554 5.7.1 refused")),
        (Step::Connect, Reaction::Hang),
    ];
    for (step, reaction) in reactions {
        sink.accept();
        sink.on(step, reaction.clone());
        let started = Instant::now();
        for email in [ACTIVE, ABSENT] {
            let answer = ask_reset(&mut connection, email);
            assert_eq!(answer.masked(&[]), usual, "{email} {reaction:?}");
        }
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{reaction:?}: {:?}",
            started.elapsed()
        );
        // Only once the worker has met it, is there anything to be seen.
        let met = async || (sink.connections() > 0).then_some(());
        portcullis_tests::eventually("a delivery", Duration::from_secs(10), met).await;
        for email in [ABSENT, ACTIVE] {
            let answer = ask_reset(&mut connection, email);
            assert_eq!(answer.masked(&[]), usual, "{email} {reaction:?}");
        }
        backends.sql("UPDATE outbox SET created_at = created_at - interval '2 hours'");
    }
    sink.vanish().await;
    for email in [ABSENT, ACTIVE] {
        assert_eq!(ask_reset(&mut connection, email).masked(&[]), usual, "{email}");
    }
    sink.accept();
    sink.come_back().await;
    backends.sql("UPDATE outbox SET due_at = now() WHERE settled_at IS NULL AND buried_at IS NULL");
    sink.mail(ACTIVE, RESET).await;
}
