//! Use cases: one method per thing a person can do.
//!
//! Each file holds one use case, or two that belong together: its refusals,
//! its `impl App`, its tests. Everything is written in terms of the domain's
//! values and ports; nothing here knows which adapters stand behind them.

mod authenticate;
mod avatar;
mod backoff;
mod deliver_mail;
mod demo_people;
mod devices;
mod failure;
mod health;
mod issue_tokens;
mod letters;
mod log_in;
mod log_in_with_identity;
mod log_out;
mod move_accounts;
mod profile;
mod purchases;
mod purge;
mod refresh;
mod register;
mod reset_password;
mod rules;
mod run_jobs;
mod seed_users;
mod services;
mod sign_in_notice;
mod sign_up;
mod verify_email;

#[cfg(test)]
mod costs;
#[cfg(test)]
mod stage;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use portcullis_domain::ports::{
    AccessTokens, AccountsArchive, Auxiliary, AvatarStore, Callers, Cancellation, Clock,
    DeviceStore, EntitlementStore, HasherError, IdGenerator, IdentifierDigest, JobQueue,
    LoginStore, Mailer, OpaqueTokens, OutboxQueue, PasswordHasher, Randomness, SessionStore, Store,
};
use portcullis_domain::{LoginIdentifier, Password, PasswordHash};

pub use authenticate::AccessDenied;
pub use avatar::{AVATAR_URL_TTL, AvatarRefused, ShownAvatar};
pub use deliver_mail::Delivery;
pub use devices::DeviceRefused;
pub use failure::Failure;
pub use issue_tokens::Tokens;
pub use log_in::{LoggedIn, LoginRefused};
pub use log_in_with_identity::IdentityRefused;
pub use log_out::LogoutRefused;
pub use move_accounts::{ACCOUNTS_AT_ONCE, Arrival, MailboxProof, MoveIn, MoveOut};
pub use purchases::PurchaseRefused;
pub use purge::Purged;
pub use refresh::{RefreshRefused, Refreshed, Refreshment};
pub use register::{Registered, Registration, RegistrationRefused};
pub use reset_password::ResetRefused;
pub use rules::{Disclosure, Links, Rules, SessionRules};
pub use run_jobs::{JOB_LIMIT, JobOutcome};
pub use seed_users::{Seeded, Seeding};
pub use services::{NotOffered, Pictures, Services};
pub use sign_up::{SignUp, SignUpRefused};
pub use verify_email::VerificationRefused;

/// The adapters behind the use cases.
#[derive(Clone)]
pub struct Ports {
    /// Units of work.
    pub store: Arc<dyn Store>,
    /// Sessions, one step at a time.
    pub sessions: Arc<dyn SessionStore>,
    /// Who bears an access token.
    pub callers: Arc<dyn Callers>,
    /// Login attempts, one step at a time.
    pub logins: Arc<dyn LoginStore>,
    /// The outbox as its worker sees it.
    pub outbox: Arc<dyn OutboxQueue>,
    /// Devices that notices go to.
    pub devices: Arc<dyn DeviceStore>,
    /// Where pictures lie.
    pub avatars: Arc<dyn AvatarStore>,
    /// Who bought what.
    pub entitlements: Arc<dyn EntitlementStore>,
    /// What a deployment may do without.
    pub services: Services,
    /// The queue of jobs.
    pub jobs: Arc<dyn JobQueue>,
    /// Accounts, many at a time.
    pub archive: Arc<dyn AccountsArchive>,
    /// Password hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Access tokens.
    pub access_tokens: Arc<dyn AccessTokens>,
    /// Refresh tokens and one-time tokens.
    pub opaque_tokens: Arc<dyn OpaqueTokens>,
    /// The mail provider.
    pub mailer: Arc<dyn Mailer>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Secrets.
    pub randomness: Arc<dyn Randomness>,
    /// What is good to have and can be done without, by the name under which
    /// `/health` tells of it.
    pub auxiliaries: Vec<(&'static str, Arc<dyn Auxiliary>)>,
}

/// The application: what Portcullis does, without how it is reached.
#[derive(Clone)]
pub struct App {
    ports: Ports,
    rules: Arc<Rules>,
    /// Whether the last mail was not accepted.
    mail_is_away: Arc<AtomicBool>,
}

impl App {
    /// Puts the application together.
    #[must_use]
    pub fn new(ports: Ports, rules: Rules) -> Self {
        Self { ports, rules: Arc::new(rules), mail_is_away: Arc::default() }
    }

    /// The rules it was put together with.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What the deployment has beside its store.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.ports.services
    }

    /// The time by the application's clock.
    #[must_use]
    pub fn now(&self) -> portcullis_domain::Timestamp {
        self.ports.clock.now()
    }

    /// An id for a request whose client named none.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        self.ports.ids.request().to_string()
    }

    /// Hashes a new password, unless whoever asks leaves before it is its turn.
    async fn hash(
        &self,
        password: Password,
        cancellation: Cancellation,
    ) -> Result<PasswordHash, HasherError> {
        let turn = self.ports.hasher.admit(cancellation)?;
        self.ports.hasher.hash(turn, password).await
    }

    /// Somebody's name in the log: the same for the same person on every instance,
    /// and no way back from it to what they are called, since it is keyed.
    #[must_use]
    pub fn pseudonym(&self, identifier: &LoginIdentifier) -> String {
        let IdentifierDigest(digest) = self.ports.opaque_tokens.digest_identifier(identifier);
        let (short, _) = digest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        format!("{:016x}", u64::from_be_bytes(*short))
    }

    /// The public keys of access tokens, as a JSON Web Key Set.
    #[must_use]
    pub fn public_keys(&self) -> String {
        self.ports.access_tokens.public_keys()
    }
}
