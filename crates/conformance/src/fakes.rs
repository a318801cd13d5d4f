//! Ports whose answers a test can foretell: time, ids, secrets, mail.
//!
//! They protect nothing. Never build them into a server.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_domain::ports::{
    AccessTokens, Cancellation, Clock, HasherError, IdGenerator, IdentifierDigest,
    InvalidAccessToken, Mailer, MailerError, OpaqueTokens, PasswordHasher, Randomness,
    SigningError, Turn, Verification,
};
use portcullis_domain::{
    AccessClaims, AccessTokenId, JobId, LetterId, LoginIdentifier, Mail, Password, PasswordHash,
    Purpose, RefreshToken, Seed, SeedDigest, SessionId, Timestamp, TokenDigest, UserId,
};
use secrecy::SecretString;
use uuid::Uuid;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).expect("less than 292,000 years");
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids and seeds that count up from one.
#[derive(Debug, Default)]
pub struct Counting(AtomicU64);

impl Counting {
    fn next(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst)) + 1)
    }
}

impl IdGenerator for Counting {
    fn user(&self) -> UserId {
        UserId::new(self.next())
    }

    fn session(&self) -> SessionId {
        SessionId::new(self.next())
    }

    fn access_token(&self) -> AccessTokenId {
        AccessTokenId::new(self.next())
    }

    fn letter(&self) -> LetterId {
        LetterId::new(self.next())
    }

    fn object(&self) -> Uuid {
        self.next()
    }

    fn job(&self) -> JobId {
        JobId::new(self.next())
    }

    fn request(&self) -> Uuid {
        self.next()
    }
}

impl Randomness for Counting {
    fn seed(&self) -> Seed {
        Seed(self.next().into_bytes())
    }
}

/// Hashes that are the password itself, under the number of a generation.
#[derive(Debug, Default)]
pub struct PlainHasher {
    generation: AtomicU32,
    hashed: AtomicU32,
    verified: AtomicU32,
}

impl PlainHasher {
    /// Makes all hashes so far outdated.
    pub fn outdate(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// How many passwords were hashed so far.
    #[must_use]
    pub fn hashed(&self) -> u32 {
        self.hashed.load(Ordering::SeqCst)
    }

    /// How many passwords were checked so far, against a hash or none.
    #[must_use]
    pub fn verified(&self) -> u32 {
        self.verified.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    fn admit(&self, cancellation: Cancellation) -> Result<Turn, HasherError> {
        Ok(Turn::new(cancellation, ()))
    }

    async fn hash(&self, turn: Turn, password: Password) -> Result<PasswordHash, HasherError> {
        if turn.is_cancelled() {
            return Err(HasherError::Cancelled);
        }
        self.hashed.fetch_add(1, Ordering::SeqCst);
        let generation = self.generation.load(Ordering::SeqCst);
        Ok(PasswordHash::new(format!("{generation}:{}", password.expose())))
    }

    async fn verify(
        &self,
        turn: Turn,
        password: Password,
        hash: Option<PasswordHash>,
    ) -> Result<Verification, HasherError> {
        if turn.is_cancelled() {
            return Err(HasherError::Cancelled);
        }
        self.verified.fetch_add(1, Ordering::SeqCst);
        let generation = self.generation.load(Ordering::SeqCst).to_string();
        let found = hash.as_ref().and_then(|hash| hash.expose().split_once(':'));
        Ok(match found {
            Some((made, text)) if text == password.expose() => {
                Verification::Match { outdated: made != generation }
            }
            _ => Verification::Mismatch,
        })
    }
}

/// Tokens that anybody could make.
#[derive(Debug, Default)]
pub struct PlainTokens;

fn digest(of: &impl Hash) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (part, number) in bytes.chunks_mut(8).zip(0_u8..) {
        let mut hasher = DefaultHasher::new();
        (number, of).hash(&mut hasher);
        part.copy_from_slice(&hasher.finish().to_be_bytes());
    }
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02X}"))
}

impl AccessTokens for PlainTokens {
    fn sign(&self, claims: AccessClaims) -> Result<SecretString, SigningError> {
        let AccessClaims { user, session, id, issued_at, expires_at } = claims;
        let times = (issued_at.as_seconds(), expires_at.as_seconds());
        let text = format!("{user}.{session}.{id}.{}.{}", times.0, times.1);
        Ok(format!("{text}.{}", hex(&digest(&text))).into())
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims, InvalidAccessToken> {
        let (text, seal) = token.rsplit_once('.').ok_or(InvalidAccessToken)?;
        if seal != hex(&digest(&text)) {
            return Err(InvalidAccessToken);
        }
        let parts: Vec<&str> = text.split('.').collect();
        let uuid = |at: usize| parts[at].parse::<Uuid>().map_err(|_| InvalidAccessToken);
        let time = |at: usize| {
            parts[at].parse().map(Timestamp::from_seconds).map_err(|_| InvalidAccessToken)
        };
        let claims = AccessClaims {
            user: UserId::new(uuid(0)?),
            session: SessionId::new(uuid(1)?),
            id: AccessTokenId::new(uuid(2)?),
            issued_at: time(3)?,
            expires_at: time(4)?,
        };
        if claims.issued_at <= now && now < claims.expires_at {
            Ok(claims)
        } else {
            Err(InvalidAccessToken)
        }
    }

    fn public_keys(&self) -> String {
        r#"{"keys":[]}"#.to_owned()
    }
}

impl OpaqueTokens for PlainTokens {
    fn seal(&self, token: &RefreshToken) -> SecretString {
        let RefreshToken { session, counter, seed } = token;
        let text = format!("{}_{counter}_{}", hex(session.as_uuid().as_bytes()), hex(&seed.0));
        format!("{text}_{}", hex(&digest(&text))).into()
    }

    fn unseal(&self, text: &str) -> Option<RefreshToken> {
        let (body, seal) = text.rsplit_once('_')?;
        if seal != hex(&digest(&body)) {
            return None;
        }
        let mut parts = body.split('_');
        let session = SessionId::new(parts.next()?.parse().ok()?);
        let counter = parts.next()?.parse().ok()?;
        let seed = Seed(parts.next()?.parse::<Uuid>().ok()?.into_bytes());
        Some(RefreshToken { session, counter, seed })
    }

    fn digest_seed(&self, seed: Seed) -> SeedDigest {
        SeedDigest(digest(&seed.0))
    }

    fn one_time_token(&self, purpose: Purpose, letter: LetterId) -> SecretString {
        hex(&digest(&(purpose, letter))).into()
    }

    fn digest_token(&self, text: &str) -> TokenDigest {
        TokenDigest(digest(&text))
    }

    fn digest_identifier(&self, identifier: &LoginIdentifier) -> IdentifierDigest {
        IdentifierDigest(digest(&identifier.canonical()))
    }
}

/// A mailer that keeps what it is given and fails as it is told.
#[derive(Debug, Default)]
pub struct ScriptedMailer {
    sent: Mutex<Vec<Mail>>,
    behaviour: Mutex<Behaviour>,
    refused: Mutex<HashSet<String>>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Behaviour {
    #[default]
    Accept,
    RefuseTemporarily,
    LoseTheAnswer,
}

impl ScriptedMailer {
    /// Takes every mail from now on.
    pub fn accept(&self) {
        *self.behaviour.lock().unwrap() = Behaviour::Accept;
    }

    /// Takes no mail for now.
    pub fn refuse_temporarily(&self) {
        *self.behaviour.lock().unwrap() = Behaviour::RefuseTemporarily;
    }

    /// Takes mails and reports a failure all the same.
    pub fn lose_the_answer(&self) {
        *self.behaviour.lock().unwrap() = Behaviour::LoseTheAnswer;
    }

    /// Never takes mail for that recipient.
    pub fn refuse_for_good(&self, recipient: &str) {
        self.refused.lock().unwrap().insert(recipient.to_owned());
    }

    /// Hands out and forgets what it was given, oldest first.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

#[async_trait]
impl Mailer for ScriptedMailer {
    async fn send(&self, mail: Mail) -> Result<(), MailerError> {
        if self.refused.lock().unwrap().contains(mail.to.as_str()) {
            return Err(MailerError::Permanent("no such mailbox".into()));
        }
        match *self.behaviour.lock().unwrap() {
            Behaviour::Accept => {
                self.sent.lock().unwrap().push(mail);
                Ok(())
            }
            Behaviour::LoseTheAnswer => {
                self.sent.lock().unwrap().push(mail);
                Err(MailerError::Temporary("the connection was cut".into()))
            }
            Behaviour::RefuseTemporarily => Err(MailerError::Temporary("try again later".into())),
        }
    }
}
