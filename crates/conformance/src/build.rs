//! Builders of values for tests.

use std::time::Duration;

use portcullis_domain::ports::{Attempt, IdentifierDigest, MailCap, Store};
use portcullis_domain::{
    AccountStatus, Client, Contract, Email, FullName, ImportedId, ImportedUser, Job, JobId, Letter,
    LetterId, LetterKind, LockoutPolicy, LoginIdentifier, NewJob, NewUser, PasswordHash,
    PersonName, SeedDigest, Session, SessionId, SourceAddress, Timestamp, User, UserAgent, UserId,
    Username,
};
use uuid::Uuid;

/// The point in time at which tests begin: 2026-01-01.
pub const START: Timestamp = Timestamp::from_seconds(1_767_225_600);

/// The smallest step of time.
pub const TICK: Duration = Duration::from_micros(1);

/// A lock that starts with the third failure from one source, the fifth in all.
pub const LOCKOUT: LockoutPolicy =
    LockoutPolicy { per_source: 3, per_identifier: 5, duration: Duration::from_mins(10) };

/// A cap that no test reaches by accident.
pub const NO_CAP: MailCap = MailCap { limit: u32::MAX, window: Duration::from_hours(1) };

/// An address of `example.com`.
#[must_use]
pub fn email(local: &str) -> Email {
    Email::parse(&format!("{local}@example.com")).expect("a valid local part")
}

/// A username.
#[must_use]
pub fn username(text: &str) -> Username {
    Username::parse(text).expect("a valid username")
}

/// A whole name.
#[must_use]
pub fn name(text: &str) -> PersonName {
    PersonName::whole(FullName::parse(text).expect("a valid name"))
}

/// A client on 192.0.2.1.
#[must_use]
pub fn client() -> Client {
    Client { source: source(1), user_agent: Some(UserAgent::new("conformance")) }
}

/// The source 192.0.2.`last`.
#[must_use]
pub fn source(last: u8) -> SourceAddress {
    SourceAddress::new([192, 0, 2, last].into())
}

/// A fresh user id.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test's own ids")]
pub fn user_id() -> UserId {
    UserId::new(Uuid::new_v4())
}

/// A fresh session id.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test's own ids")]
pub fn session_id() -> SessionId {
    SessionId::new(Uuid::new_v4())
}

/// A new user of contract A.
#[must_use]
pub fn new_user(local: &str) -> NewUser {
    NewUser {
        id: user_id(),
        email: email(local),
        username: None,
        name: name("Ann Lee"),
        password_hash: PasswordHash::new("$fake$hash".into()),
        created_at: START,
    }
}

/// An account from elsewhere with only what it must have, under an id of its own.
#[must_use]
pub fn imported_user(local: &str) -> ImportedUser {
    let NewUser { id, email, username, name, password_hash, created_at } = new_user(local);
    ImportedUser {
        id: ImportedId::Kept(id),
        number: None,
        email,
        email_verified_at: None,
        username,
        name,
        password_hash,
        password_changed_at: created_at,
        status: AccountStatus::Active,
        created_at,
        updated_at: None,
        last_login_at: None,
    }
}

/// Adds a new user of contract A to the store.
pub async fn stored_user(store: &dyn Store, local: &str) -> User {
    let mut unit = store.begin().await.unwrap();
    let user = unit.users().add(new_user(local)).await.unwrap();
    unit.commit().await.unwrap();
    user
}

/// A rotating session of that user, opened at [`START`], for an hour.
#[must_use]
pub fn session(user: UserId) -> Session {
    Session {
        id: session_id(),
        user_id: user,
        contract: Contract::Json,
        rotates: true,
        seed_digest: SeedDigest([7; 32]),
        counter: 0,
        opened_at: START,
        rotated_at: START,
        last_used_at: START,
        expires_at: START + Duration::from_hours(1),
        end: None,
        client: client(),
    }
}

/// Opens that session in the store.
pub async fn stored_session(store: &dyn Store, session: &Session) {
    let mut unit = store.begin().await.unwrap();
    unit.sessions().open(session).await.unwrap();
    unit.commit().await.unwrap();
}

/// A letter to an address of `example.com`, written at [`START`].
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test's own ids")]
pub fn letter(local: &str) -> Letter {
    Letter {
        id: LetterId::new(Uuid::new_v4()),
        kind: LetterKind::Verification,
        recipient: email(local).into(),
        source: Some(source(1)),
        created_at: START,
    }
}

/// Owes that letter in the store.
pub async fn owed_letter(store: &dyn Store, letter: &Letter) {
    let mut unit = store.begin().await.unwrap();
    unit.outbox().enqueue(letter, NO_CAP).await.unwrap();
    unit.commit().await.unwrap();
}

/// A notice of somebody's sign-in.
#[must_use]
pub fn notice() -> Job {
    Job::SignInNotice { user: user_id(), session: session_id() }
}

/// A job without a key, ordered at [`START`].
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test's own ids")]
pub fn job(job: Job) -> NewJob {
    NewJob { id: JobId::new(Uuid::new_v4()), job, key: None, created_at: START }
}

/// An attempt to log in with an address of `example.com` from 192.0.2.1.
#[must_use]
pub fn attempt(local: &str) -> Attempt {
    let mut digest = [0; 32];
    for (place, byte) in digest.iter_mut().zip(local.bytes()) {
        *place = byte;
    }
    Attempt {
        identifier: LoginIdentifier::Email(email(local)),
        digest: IdentifierDigest(digest),
        source: source(1),
        at: START,
    }
}
