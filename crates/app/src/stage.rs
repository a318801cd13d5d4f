//! A stage for tests: the application over memory, with time in our hands.

use std::sync::Arc;

use portcullis_conformance::build::START;
use portcullis_conformance::fakes::{
    Counting, ManualClock, PlainHasher, PlainTokens, ScriptedMailer,
};
use portcullis_domain::ports::{
    Caller, Cancellation, HasherError, MockPasswordHasher, MockStore, Turn,
};
use portcullis_domain::{
    Client, Contract, Email, FullName, LoginIdentifier, Mail, NamePart, Password, SourceAddress,
    StoreError, UserId, Username,
};
use portcullis_memory::MemoryStore;
use secrecy::ExposeSecret;

use crate::{
    AccessDenied, App, Delivery, LoggedIn, LoginRefused, Ports, Registered, Registration,
    RegistrationRefused, Rules, Services, SignUp, SignUpRefused, Tokens,
};

pub(crate) struct Stage {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) hasher: Arc<PlainHasher>,
    pub(crate) mailer: Arc<ScriptedMailer>,
    pub(crate) store: MemoryStore,
    source: SourceAddress,
}

/// The password of everybody on stage.
pub(crate) fn password() -> &'static str {
    "SecurePass123!"
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(crate) fn client() -> Client {
    Client { source: SourceAddress::new([192, 0, 2, 1].into()), user_agent: None }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with_rules(|_| {})
    }

    pub(crate) fn with_rules(change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = Rules::default();
        change(&mut rules);
        let store = MemoryStore::new();
        let clock = Arc::new(ManualClock::at(START));
        let hasher = Arc::new(PlainHasher::default());
        let mailer = Arc::new(ScriptedMailer::default());
        let counting = Arc::new(Counting::default());
        let ports = Ports {
            store: Arc::new(store.clone()),
            sessions: Arc::new(store.clone()),
            callers: Arc::new(store.clone()),
            logins: Arc::new(store.clone()),
            outbox: Arc::new(store.clone()),
            devices: Arc::new(store.clone()),
            avatars: Arc::new(store.clone()),
            entitlements: Arc::new(store.clone()),
            services: Services::default(),
            jobs: Arc::new(store.clone()),
            archive: Arc::new(store.clone()),
            hasher: hasher.clone(),
            access_tokens: Arc::new(PlainTokens),
            opaque_tokens: Arc::new(PlainTokens),
            mailer: mailer.clone(),
            clock: clock.clone(),
            ids: counting.clone(),
            randomness: counting,
            auxiliaries: Vec::new(),
        };
        let source = client().source;
        Self { app: App::new(ports, rules), clock, hasher, mailer, store, source }
    }

    /// The same, but no unit of work can begin.
    pub(crate) fn with_store_away(mut self) -> Self {
        let mut store = MockStore::new();
        store
            .expect_begin()
            .returning(|| Err(StoreError::Unavailable("the connection was refused".into())));
        self.app.ports.store = Arc::new(store);
        self
    }

    /// The same, but no password is hashed any more.
    pub(crate) fn with_hasher_overloaded(mut self) -> Self {
        let mut hasher = MockPasswordHasher::new();
        hasher.expect_admit().returning(|cancellation| Ok(Turn::new(cancellation, ())));
        hasher.expect_verify().returning(|_, _, _| Err(HasherError::Overloaded));
        self.app.ports.hasher = Arc::new(hasher);
        self
    }

    /// The same, but its clients come from another address.
    pub(crate) fn from(mut self, address: [u8; 4]) -> Self {
        self.source = SourceAddress::new(address.into());
        self
    }

    fn client(&self) -> Client {
        Client { source: self.source, user_agent: None }
    }

    pub(crate) async fn register(&self, address: &str) -> Result<Registered, RegistrationRefused> {
        self.register_with(address, password()).await
    }

    pub(crate) async fn register_with(
        &self,
        address: &str,
        password: &str,
    ) -> Result<Registered, RegistrationRefused> {
        let registration = Registration {
            email: email(address),
            name: FullName::parse("Ann Lee").unwrap(),
            password: Password::parse(password).unwrap(),
            client: self.client(),
        };
        self.app.register(registration, Cancellation::default()).await
    }

    pub(crate) async fn sign_up(
        &self,
        username: &str,
        address: &str,
    ) -> Result<Tokens, SignUpRefused> {
        let sign_up = SignUp {
            username: Username::parse(username).unwrap(),
            email: email(address),
            password: Password::parse(password()).unwrap(),
            first_name: NamePart::parse("John").unwrap(),
            last_name: NamePart::parse("Doe").unwrap(),
            client: self.client(),
        };
        self.app.sign_up(sign_up, Cancellation::default()).await.map(|signed_up| signed_up.tokens)
    }

    /// Registers and verifies an account.
    pub(crate) async fn verified(&self, address: &str) -> UserId {
        let id = self.register(address).await.unwrap().id;
        let token = self.mailed_token().await;
        self.app.verify_email(&token, &self.client()).await.unwrap();
        id
    }

    pub(crate) async fn log_in(
        &self,
        identifier: &str,
        password: &str,
    ) -> Result<LoggedIn, LoginRefused> {
        self.log_in_unless(Cancellation::default(), identifier, password).await
    }

    pub(crate) async fn log_in_unless(
        &self,
        cancellation: Cancellation,
        identifier: &str,
        password: &str,
    ) -> Result<LoggedIn, LoginRefused> {
        let identifier = LoginIdentifier::parse(identifier).unwrap();
        let password = Password::parse(password).unwrap();
        self.app.log_in(identifier, password, Contract::Json, self.client(), cancellation).await
    }

    pub(crate) async fn authenticate(&self, tokens: &Tokens) -> Result<Arc<Caller>, AccessDenied> {
        let claims = self.app.verify_access_token(tokens.access.expose_secret())?;
        self.app.authenticate(&claims).await
    }

    /// Resets a password by mail.
    pub(crate) async fn reset(&self, address: &str, new_password: &str) {
        self.app.request_password_reset(email(address), &self.client()).await.unwrap();
        let token = self.mailed_token().await;
        let password = Password::parse(new_password).unwrap();
        self.app
            .confirm_password_reset(&token, password, &self.client(), Cancellation::default())
            .await
            .unwrap();
    }

    /// Delivers what is due, one after the other; tells what became of each.
    pub(crate) async fn deliver(&self) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        for claim in self.app.claim_due_mail(100).await.unwrap() {
            deliveries.push(self.app.deliver(&claim).await.unwrap());
        }
        deliveries
    }

    /// Delivers what is due and hands out what arrived since the last time.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        self.deliver().await;
        self.mailer.take()
    }

    /// The token in the newest mail that carries one.
    pub(crate) async fn mailed_token(&self) -> String {
        let mails = self.mails().await;
        let link = mails
            .iter()
            .rev()
            .flat_map(|mail| mail.text.lines())
            .find(|line| line.starts_with("http"))
            .expect("a mail with a link");
        link.rsplit(['/', '=']).next().unwrap().to_owned()
    }
}
