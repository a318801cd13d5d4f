//! Holding the journal against what is there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use portcullis_testkit::SmtpMessage;
use tokio::task::JoinSet;

use crate::database::Database;
use crate::journal::Person;
use crate::load::Client;
use crate::world::World;

/// How long owed mail may take at most: a killed server's lease and a little.
const DELIVERY: Duration = Duration::from_secs(150);

/// States that only half of a write would leave, as statements that find them.
const HALF_STATES: [(&str, &str); 9] = [
    (
        "an account without its verification letter",
        "SELECT email FROM users WHERE NOT EXISTS
         (SELECT 1 FROM outbox WHERE recipient = email AND kind = 'verification')",
    ),
    (
        "a letter without its account",
        "SELECT recipient FROM outbox WHERE NOT EXISTS
         (SELECT 1 FROM users WHERE email = recipient)",
    ),
    (
        "a spent verification token without its effect",
        "SELECT email FROM one_time_tokens JOIN users ON users.id = user_id
         WHERE purpose = 'email_verification' AND used_at IS NOT NULL
         AND email_verified_at IS NULL",
    ),
    (
        "a proven address without a spent token",
        "SELECT email FROM users WHERE email_verified_at IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM one_time_tokens WHERE user_id = users.id AND used_at IS NOT NULL)",
    ),
    (
        "a proven address without its welcome",
        "SELECT email FROM users WHERE email_verified_at IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM outbox WHERE recipient = email AND kind = 'welcome')",
    ),
    (
        "a spent reset token without its effect",
        "SELECT email FROM one_time_tokens JOIN users ON users.id = user_id
         WHERE purpose = 'password_reset' AND used_at > password_changed_at",
    ),
    (
        "a reset without its letter",
        "SELECT email FROM one_time_tokens JOIN users ON users.id = user_id
         WHERE purpose = 'password_reset' AND used_at IS NOT NULL AND NOT EXISTS
         (SELECT 1 FROM outbox WHERE recipient = email AND kind = 'password_changed')",
    ),
    (
        "a session that outlived a reset",
        "SELECT email FROM sessions JOIN users ON users.id = user_id
         WHERE ended_at IS NULL AND opened_at < password_changed_at",
    ),
    ("an address with two accounts", "SELECT email FROM users GROUP BY email HAVING count(*) > 1"),
];

/// What a check saw.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) people: usize,
    pub(crate) letters: usize,
    pub(crate) duplicates: usize,
}

/// Insists that no write is there by half.
pub(crate) fn nothing_is_half_done(database: &Database) {
    let found = database.ask(HALF_STATES.map(|(_, statement)| statement));
    for ((what, _), rows) in HALF_STATES.iter().zip(found) {
        assert!(rows.is_empty(), "{what}: {rows:?}");
    }
}

/// Insists that everything that was acknowledged is there, and that all mail
/// that is owed arrives. Passwords are tried of so many people.
pub(crate) async fn everything_is_there(world: &World, passwords_of: usize) -> Report {
    nothing_is_half_done(&world.database);
    let people = world.journal.people();
    accounts_are_there(&world.database, &people);
    everybody_can_go_on(&world.client(), &people, passwords_of).await;
    wait_for_mail(&world.database).await;
    nothing_is_half_done(&world.database);
    let (letters, duplicates) = mail_has_come(world, &people);
    Report { people: people.len(), letters, duplicates }
}

fn accounts_are_there(database: &Database, people: &[Person]) {
    let rows = database.accounts();
    let accounts: HashMap<_, _> =
        rows.into_iter().map(|[email, name, verified]| (email, (name, verified == "1"))).collect();
    for person in people {
        let Some((name, is_verified)) = accounts.get(&person.email) else {
            panic!("an acknowledged account is lost: {person:?}");
        };
        assert_eq!((name, *is_verified), (&person.name, person.is_verified), "{}", person.email);
    }
}

async fn everybody_can_go_on(client: &Client, people: &[Person], passwords_of: usize) {
    // Newest first: what was written last is what a crash would lose.
    let mut checks = JoinSet::new();
    for (number, person) in people.iter().rev().cloned().enumerate() {
        let client = client.clone();
        checks.spawn(async move {
            for session in &person.over {
                client.is_over(session).await;
            }
            for session in &person.alive {
                client.is_alive(session, &person.name).await;
            }
            if number < passwords_of {
                passwords_are_right(&client, &person).await;
            }
        });
        if checks.len() >= 16 {
            checks.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(checked) = checks.join_next().await {
        checked.unwrap();
    }
}

async fn passwords_are_right(client: &Client, person: &Person) {
    if person.is_verified {
        client.opens(&person.email, &person.password, true).await;
    } else {
        client.waits(&person.email, &person.password).await;
    }
    for old in &person.old_passwords {
        client.opens(&person.email, old, false).await;
    }
}

async fn wait_for_mail(database: &Database) {
    let started = Instant::now();
    while database.owed() > 0 {
        let owed = database.owed();
        assert!(started.elapsed() < DELIVERY, "{owed} letters are owed after {DELIVERY:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Insists that each letter arrived, one mail or several equal ones. Returns how
/// many letters there were, and how many mails too many.
fn mail_has_come(world: &World, people: &[Person]) -> (usize, usize) {
    let mut arrived: HashMap<String, Vec<SmtpMessage>> = HashMap::new();
    for mail in world.sink.messages() {
        let id = mail.message_id().split('@').next().unwrap().replace('-', "");
        arrived.entry(id).or_default().push(mail);
    }
    let letters = world.database.letters();
    let mut by_recipient: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for [id, recipient, kind, is_buried] in &letters {
        *by_recipient.entry((recipient, kind)).or_default() += 1;
        let mails = arrived.get(id).map_or(&[][..], Vec::as_slice);
        assert!(!mails.is_empty(), "a letter is lost: {kind} to {recipient}");
        // A link that was followed before a copy was due needs no copy.
        assert!(is_buried == "0" || kind == "password_reset", "given up: {kind} to {recipient}");
        let texts: HashSet<String> = mails.iter().map(SmtpMessage::text).collect();
        assert_eq!(texts.len(), 1, "copies differ: {kind} to {recipient}");
        assert!(mails.iter().all(|mail| mail.envelope_to == [recipient.as_str()]));
    }
    for person in people {
        for kind in &person.letters {
            let count = by_recipient.get(&(person.email.as_str(), kind)).copied().unwrap_or(0);
            let owed = person.letters.iter().filter(|owed| *owed == kind).count();
            assert!(count >= owed, "{owed} x {kind} owed to {}, {count} there", person.email);
        }
    }
    let mails: usize = arrived.values().map(Vec::len).sum();
    assert_eq!(arrived.len(), letters.len(), "a mail belongs to no letter");
    (letters.len(), mails - letters.len())
}
