//! What the database keeps of accounts, and what it makes of hostile rows.

use std::time::Duration;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use portcullis_testkit::{Redis, SmtpSink};
use portcullis_tests::{Answer, LoggedIn, PASSWORD, Server, at_once, eventually, problem};
use serde_json::json;

use crate::backends::Backends;
use crate::letterbox::{Letterbox, RESET, VERIFICATION};
use crate::start::is_refused;

const ANOTHER: &str = "NewSecurePass456!";

/// The scheme and cost, the salt, and the digest of somebody's hash.
fn hash_of(backends: &Backends, email: &str) -> (String, String, String) {
    let query = format!("SELECT password_hash FROM users WHERE email = '{email}'");
    let hash = backends.sql(&query);
    let mut parts = hash.rsplitn(3, '$').map(str::to_owned);
    let (digest, salt) = (parts.next().unwrap(), parts.next().unwrap());
    (parts.next().unwrap(), salt, digest)
}

#[tokio::test]
async fn pw_11_new_hashes_are_of_the_documented_strength_and_no_two_are_alike() {
    for (hasher, expected) in
        [("bcrypt", "$bcrypt-sha256$v=2,t=2b,r=12"), ("argon2id", "$argon2id$v=19$m=19456,t=2,p=1")]
    {
        // No cost of the tests' own: the default.
        let backends = Backends::new().with("BCRYPT_ROUNDS", "").with("PASSWORD_HASHER", hasher);
        let server = backends.instance().await;
        for email in ["ann@example.com", "bob@example.com"] {
            server.anonymous().register(email).await.is(201);
        }
        let ann = hash_of(&backends, "ann@example.com");
        let bob = hash_of(&backends, "bob@example.com");
        assert_eq!((ann.0.as_str(), bob.0.as_str()), (expected, expected));
        assert!(ann.1.len() >= 22 && ann.1 != bob.1, "{} {}", ann.1, bob.1);
        assert!(ann.2.len() >= 31 && ann.2 != bob.2, "{} {}", ann.2, bob.2);
    }
    let weak = Backends::new().with("BCRYPT_ROUNDS", "9");
    is_refused(&weak, "BCRYPT_ROUNDS", "must be at least 10");
}

#[tokio::test]
async fn pw_12_a_raised_cost_is_applied_at_the_next_login_and_not_before() {
    let backends = Backends::new();
    let mut server = backends.instance().await;
    server.verified("ann@example.com").await;
    server.verified("bob@example.com").await;
    let weak = hash_of(&backends, "ann@example.com");
    for (settings, expected) in [
        ([("BCRYPT_ROUNDS", "11"), ("PASSWORD_HASHER", "bcrypt")], "$bcrypt-sha256$v=2,t=2b,r=11"),
        (
            [("BCRYPT_ROUNDS", "11"), ("PASSWORD_HASHER", "argon2id")],
            "$argon2id$v=19$m=19456,t=2,p=1",
        ),
    ] {
        let before = hash_of(&backends, "ann@example.com");
        server.restart_with(&settings).await;
        let wrong = server.anonymous().log_in("ann@example.com", "wrong password").await;
        wrong.is_problem(problem::BAD_LOGIN);
        assert_eq!(hash_of(&backends, "ann@example.com"), before, "a wrong password replaced it");
        let session = server.logged_in_again("ann@example.com").await;
        assert_eq!(hash_of(&backends, "ann@example.com").0, expected);
        session.is_alive().await;
        server.logged_in_again("ann@example.com").await.is_alive().await;
    }
    // Whoever does not come keeps what they have, and is let in by it.
    assert_eq!(hash_of(&backends, "bob@example.com").0, weak.0);
    server.logged_in_again("bob@example.com").await;
    // Hashes of other makers, of `SecurePass123!`.
    for foreign in [
        "$2b$05$jn0iB8LvxgiFW71x5KVqkux1ZEJRxBJccvwE6FK.nTQFhk.hX4126",
        "$2y$04$CrA9EoVLzlb0cOcBpmxmc.uJd/Cbp7.l8c8ou/96BTld/GRAHwYtW",
        "$argon2id$v=19$m=7168,t=5,p=1$AI/gHF0cF1vKBUkstrinpQ$hJndd/u/X/MJ4r/p2zTDKJ2VEnk7kdbA0LRS4gBztBk",
    ] {
        backends.sql(&format!("UPDATE users SET password_hash = '{foreign}'"));
        server.logged_in_again("bob@example.com").await;
        let now = hash_of(&backends, "bob@example.com").0;
        assert_eq!(now, "$argon2id$v=19$m=19456,t=2,p=1", "{foreign}");
    }
}

/// Texts that are no hash, or one that would take the machine.
fn damaged() -> Vec<String> {
    let salt = "C".repeat(22);
    let sum = "A".repeat(31);
    let long = "A".repeat(43);
    let mut texts: Vec<String> = [
        "",
        " ",
        "$",
        "$$$$",
        "!",
        "x",
        "SecurePass123!",
        "null",
        "$2b$",
        "$2b$12$",
        "$2b$12$short",
        "$2b$12",
        "$2b$1$",
        "$2",
        "$argon2id$",
        "$argon2id$v=19$",
        "$argon2id$v=19$m=19456,t=2,p=1$$",
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$bcrypt-sha256$",
        "$bcrypt-sha256$v=2,t=2b,r=12",
        "$bcrypt-sha256$v=2,t=2b,r=12$$",
        "$scrypt$",
        "pbkdf2_sha256$",
        "pbkdf2_sha256$1$a$",
        "$firebase-scrypt$",
        "$unknown$1$2$3",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.extend([
        // Costs that are too low, too high, or no numbers.
        format!("$2b$00${salt}{sum}"),
        format!("$2b$31${salt}{sum}"),
        format!("$2b$99${salt}{sum}"),
        format!("$2b$-1${salt}{sum}"),
        format!("$bcrypt-sha256$v=2,t=2b,r=31${salt}${sum}"),
        format!("$bcrypt-sha256$v=2,t=2b,r=4294967296${salt}${sum}"),
        format!("$bcrypt-sha256$v=1,t=2b,r=12${salt}${sum}"),
        format!("$argon2id$v=19$m=0,t=0,p=0$c2FsdHNhbHQ${long}"),
        format!("$argon2id$v=19$m=4294967295,t=4294967295,p=16777215$c2FsdHNhbHQ${long}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1$c2Fs${long}"),
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AA".to_owned(),
        format!("$argon2id$v=16$m=19456,t=2,p=1$c2FsdHNhbHQ${long}"),
        format!("$argon2d$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ${long}"),
        format!("$scrypt$ln=63,r=8,p=1$c2FsdHNhbHQ${long}"),
        format!("$scrypt$ln=0,r=0,p=0$c2FsdHNhbHQ${long}"),
        format!("pbkdf2_sha256$4294967295$salt${long}="),
        format!("pbkdf2_sha256$0$salt${long}="),
        // Characters of more than one byte where bytes are counted.
        format!("$2b$12${}", "é".repeat(26)),
        format!("$2b$12${}{sum}", "é".repeat(11)),
        format!("$2b$é2${salt}{sum}"),
        format!("$bcrypt-sha256$v=2,t=2b,r=12${}${sum}", "é".repeat(11)),
        format!("$bcrypt-sha256$v=2,t=2b,r=12${salt}${}A", "é".repeat(15)),
        "é".repeat(60),
        "$2b".to_owned() + &"\u{1F642}".repeat(15),
        // Whole in form, and nobody's.
        format!("$2b$10${salt}{sum}"),
        format!("$bcrypt-sha256$v=2,t=2b,r=10${salt}${sum}"),
        "A".repeat(100_000),
    ]);
    texts
}

#[tokio::test]
async fn pw_13_a_damaged_hash_is_a_failed_login_and_nothing_more() {
    let backends = Backends::new().with("LOCKOUT_THRESHOLD", "1000");
    let mut server = backends.instance().await;
    server.verified("ann@example.com").await;
    let bob = server.logged_in("bob@example.com").await;
    let whole = backends.sql("SELECT password_hash FROM users WHERE email = 'ann@example.com'");
    let mut texts = damaged();
    texts.extend((1..whole.len()).step_by(4).map(|length| whole[..length].to_owned()));
    texts.push(format!("{whole} "));
    texts.push(format!("{whole}A"));
    let of_ann = "WHERE email = 'ann@example.com'";
    for text in &texts {
        backends.sql(&format!("UPDATE users SET password_hash = '{text}' {of_ann}"));
        let answer = server.anonymous().log_in("ann@example.com", PASSWORD).await;
        answer.is_problem(problem::BAD_LOGIN);
    }
    bob.is_alive().await;
    server.anonymous().get("/health").await.is(200);
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
    // The owner gets a whole one by mail.
    let token = server.reset_token("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
    server.logged_in_with("ann@example.com", ANOTHER).await.is_alive().await;
    assert!(server.terminate().await.success(), "{}", server.log());
}

#[tokio::test]
async fn rg_01_rg_03_of_48_spellings_on_two_instances_one_row_and_one_letter_remain() {
    let backends = Backends::new();
    let (here, there) = backends.two().await;
    let answers = at_once(48, |number| {
        let caller = if number % 2 == 0 { here.anonymous() } else { there.anonymous() };
        let email = ["ann@example.com", "ANN@example.com", "Ann@Example.COM"][number % 3];
        async move { caller.register(email).await }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.is_problem(problem::EMAIL_TAKEN);
    }
    assert_eq!(backends.sql("SELECT count(*), min(email) FROM users"), "1|ann@example.com");
    assert_eq!(backends.sql("SELECT count(*), min(kind) FROM outbox"), "1|verification");
}

#[tokio::test]
async fn rg_14_registering_a_waiting_address_again_writes_nothing() {
    let backends = Backends::new();
    let server = backends.instance().await;
    server.registered("ann@example.com").await;
    let rows = || {
        let tables = ["users", "one_time_tokens", "sessions", "outbox", "audit_events"];
        tables.map(|table| backends.sql(&format!("SELECT row_to_json(t) FROM {table} t")))
    };
    eventually("a settled outbox", Duration::from_secs(10), async || {
        (backends.sql("SELECT count(*) FROM outbox WHERE settled_at IS NULL") == "0").then_some(())
    })
    .await;
    let before = rows();
    assert!(before[0].contains("ann@example.com"), "{before:?}");
    let again = json!({
        "email": "ANN@example.com", "name": "Eve Intruder", "password": "the intruder's one",
    });
    let answer = server.anonymous().post("/api/v1/auth/register", &again).await;
    answer.is_problem(problem::EMAIL_TAKEN);
    let answer = server.anonymous().sign_up("intruder", "Ann@example.com").await;
    answer.is_problem(problem::SIGN_UP_FAILED);
    assert_eq!(rows(), before);
}

/// A second row for an address must fail for its uniqueness, whoever writes it.
#[tokio::test]
async fn rg_19_the_database_itself_keeps_an_address_unique_in_any_case() {
    let backends = Backends::new();
    let server = backends.instance().await;
    server.verified("ann@example.com").await;
    let insert = |email: &str, username: &str| {
        format!(
            "INSERT INTO users (id, email, username, username_canonical, name, password_hash,
             password_changed_at, created_at)
             VALUES (gen_random_uuid(), '{email}', '{username}', '{username}', 'Eve', '!', now(), now())"
        )
    };
    for email in ["ann@example.com", "ANN@example.com", "Ann@Example.COM", "ann@example.coM"] {
        // Anything but 23505 ends the statement, and with it the test.
        backends.sql(&format!(
            "DO $$ BEGIN {}; RAISE 'it was inserted';
             EXCEPTION WHEN unique_violation THEN NULL; END $$",
            insert(email, "eve")
        ));
    }
    backends.sql(&insert("eve@example.com", "eve"));
    assert_eq!(backends.sql("SELECT count(*) FROM users"), "2");
    server.logged_in_again("ANN@example.com").await.is_alive().await;
}

/// Every form in which a token might have been kept.
fn spellings(token: &str) -> Vec<Vec<u8>> {
    let hex =
        |bytes: &[u8]| bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let raw = BASE64_URL_SAFE_NO_PAD.decode(token).unwrap();
    vec![
        token.as_bytes().to_vec(),
        hex(&raw).into_bytes(),
        hex(&raw).to_uppercase().into_bytes(),
        BASE64_STANDARD.encode(&raw).trim_end_matches('=').as_bytes().to_vec(),
        hex(token.as_bytes()).into_bytes(),
        BASE64_STANDARD.encode(token).trim_end_matches('=').as_bytes().to_vec(),
        raw,
    ]
}

#[track_caller]
fn holds_no_token(place: &str, content: &[u8], tokens: &[&str]) {
    for token in tokens {
        for spelling in spellings(token) {
            let found = content.windows(spelling.len()).any(|part| part == spelling);
            assert!(!found, "{place} holds a token as {:?}", String::from_utf8_lossy(&spelling));
        }
    }
}

/// Mails a token of each kind; both were delivered and neither was spent.
async fn two_tokens(server: &Server, sink: &SmtpSink) -> [String; 2] {
    let anonymous = server.anonymous();
    anonymous.register("ann@example.com").await.is(201);
    let verification = sink.mail("ann@example.com", VERIFICATION).await.token();
    anonymous.request_reset("ann@example.com").await.is(200);
    let reset = sink.mail("ann@example.com", RESET).await.token();
    [verification, reset]
}

#[tokio::test]
async fn ve_02_pr_20_no_column_and_no_key_holds_a_mailed_token() {
    let (redis, sink) = (Redis::start(), SmtpSink::start().await);
    let backends = Backends::new().with_redis(&redis).with_smtp(&sink.url());
    let server = backends.instance().await;
    let [verification, reset] = two_tokens(&server, &sink).await;
    let tables = backends
        .sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'");
    assert!(tables.lines().count() >= 7, "{tables}");
    let everything: String =
        tables.lines().map(|table| backends.sql(&format!("SELECT t.* FROM {table} t"))).collect();
    assert!(everything.contains("email_verification"), "the tokens' rows are not there");
    holds_no_token("the database", everything.as_bytes(), &[&verification, &reset]);
    let all = "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do \
        all[#all + 1] = key local kind = redis.call('TYPE', key).ok \
        if kind == 'string' then all[#all + 1] = redis.call('GET', key) \
        elseif kind == 'zset' then for _, one in ipairs(redis.call('ZRANGE', key, 0, -1)) do \
        all[#all + 1] = one end \
        elseif kind == 'hash' then for _, one in ipairs(redis.call('HGETALL', key)) do \
        all[#all + 1] = one end \
        else all[#all + 1] = 'unread: ' .. kind end end return table.concat(all, '\\n')";
    let keys = redis.command(&["eval", all, "0"]);
    assert!(!keys.contains("unread"), "{keys}");
    holds_no_token("Redis", keys.as_bytes(), &[&verification, &reset]);
    holds_no_token("the log", server.log().as_bytes(), &[&verification, &reset]);
    // They are good all the same: what is stored recognises them.
    server.anonymous().verify(&verification).await.is(200);
    server.anonymous().confirm_reset(&reset, ANOTHER).await.is(200);
}

#[tokio::test]
async fn ve_02_pr_20_no_byte_of_the_embedded_database_holds_a_mailed_token() {
    let sink = SmtpSink::start().await;
    let backends = Backends::on("sqlite://data/portcullis.db").with_smtp(&sink.url());
    let server = backends.instance().await;
    let [verification, reset] = two_tokens(&server, &sink).await;
    let mut files = 0;
    for file in std::fs::read_dir(server.folder().join("data")).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            files += 1;
            let content = std::fs::read(&path).unwrap();
            holds_no_token(&path.display().to_string(), &content, &[&verification, &reset]);
        }
    }
    assert!(files >= 2, "the database and its log");
    server.anonymous().verify(&verification).await.is(200);
    server.anonymous().confirm_reset(&reset, ANOTHER).await.is(200);
}

#[tokio::test]
async fn pr_01_pr_17_the_answer_is_one_for_all_and_a_disabled_account_gets_no_mail() {
    let backends = Backends::new();
    let server = backends.instance().await;
    for email in ["known@example.com", "disabled@example.com"] {
        server.verified(email).await;
    }
    server.registered("waiting@example.com").await;
    backends.sql("UPDATE users SET is_active = FALSE WHERE email = 'disabled@example.com'");
    let told = |answer: &Answer| {
        let mut names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        (answer.status, answer.text.clone(), names)
    };
    let expected = told(&server.anonymous().request_reset("nobody@example.com").await.expect(200));
    for local in ["known", "waiting", "disabled"] {
        let answer = server.anonymous().request_reset(&format!("{local}@example.com")).await;
        assert_eq!(told(&answer), expected);
    }
    for due in ["known@example.com", "waiting@example.com"] {
        server.mailbox().mail(due, RESET).await;
    }
    eventually("a settled outbox", Duration::from_secs(10), async || {
        (backends.sql("SELECT count(*) FROM outbox WHERE settled_at IS NULL") == "0").then_some(())
    })
    .await;
    for none in ["disabled@example.com", "nobody@example.com"] {
        assert_eq!(server.mailbox().count(none, RESET).await, 0);
    }
}

/// A token that was mailed before its account was disabled is dead.
#[tokio::test]
async fn pr_17_a_disabled_account_is_not_reset_by_an_older_mail() {
    let backends = Backends::new();
    let server = backends.instance().await;
    server.verified("ann@example.com").await;
    let token = server.reset_token("ann@example.com").await;
    backends.sql("UPDATE users SET is_active = FALSE");
    server.anonymous().confirm_reset(&token, ANOTHER).await.is_problem(problem::BAD_RESET);
    backends.sql("UPDATE users SET is_active = TRUE");
    server.logged_in_again("ann@example.com").await;
    server.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
}

/// Five rounds: a hash of production's cost for each of 32 takes its time.
#[tokio::test]
async fn pr_04_of_32_resets_on_two_instances_one_decides_the_password() {
    let (here, there) = Backends::new().two().await;
    here.verified("ann@example.com").await;
    for _ in 0..5 {
        let token = here.reset_token("ann@example.com").await;
        let outcomes = at_once(32, |number| {
            let caller = if number % 2 == 0 { here.anonymous() } else { there.anonymous() };
            let token = token.clone();
            async move {
                let password = format!("good password {number}");
                (caller.confirm_reset(&token, &password).await, password)
            }
        })
        .await;
        let (won, lost): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|(answer, _)| answer.status == 200);
        assert_eq!(won.len(), 1);
        for (answer, _) in &lost {
            answer.is_problem(problem::BAD_RESET);
        }
        let (winner, loser) = (&won[0].1, &lost[0].1);
        here.anonymous().log_in("ann@example.com", winner).await.is(200);
        let refused = there.anonymous().log_in("ann@example.com", loser).await;
        refused.is_problem(problem::BAD_LOGIN);
    }
}

/// No reset takes as long as so many requests.
const ENOUGH: usize = 500;

/// Refreshes and logs in on one instance for as long as that works.
async fn keep_minting(email: String, first: LoggedIn) -> Vec<LoggedIn> {
    let mut seen = vec![first];
    while seen.len() < ENOUGH {
        let last = &seen[seen.len() - 1];
        let answer = if seen.len().is_multiple_of(4) {
            last.anonymous().log_in(&email, PASSWORD).await
        } else {
            last.anonymous().refresh(&last.refresh).await
        };
        if answer.status != 200 {
            return seen;
        }
        seen.push(last.anonymous().with_tokens_of(&answer));
    }
    seen
}

#[tokio::test]
async fn pr_14_pr_15_nothing_minted_on_either_instance_outlives_a_reset() {
    let redis = Redis::start();
    let (here, there) = Backends::new().with_redis(&redis).two().await;
    for number in 0..4 {
        let email = format!("ann{number}@example.com");
        let first = here.logged_in(&email).await;
        let second = first.at(&there);
        let third = there.logged_in_again(&email).await;
        let token = here.reset_token(&email).await;
        let racing: Vec<_> = [first, second, third.clone(), third.at(&here)]
            .into_iter()
            .map(|session| tokio::spawn(keep_minting(email.clone(), session)))
            .collect();
        here.anonymous().confirm_reset(&token, ANOTHER).await.is(200);
        for race in racing {
            let seen = race.await.unwrap();
            for session in &seen[seen.len().saturating_sub(3)..] {
                session.at(&here).is_over().await;
                session.at(&there).is_over().await;
            }
        }
        there.anonymous().log_in(&email, PASSWORD).await.is_problem(problem::BAD_LOGIN);
        there.logged_in_with(&email, ANOTHER).await.is_alive().await;
    }
}
