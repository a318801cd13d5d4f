//! Hashes of passwords: their strength, their replacement, and damaged ones.

use portcullis_tests::{PASSWORD, problem};

use super::ANOTHER;
use crate::backends::Backends;
use crate::start::is_refused;

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
