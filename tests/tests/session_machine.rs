//! Random commands against sessions, and a model of what each must do.
//!
//! The model is a few plain structs that know nothing of stores. The same
//! commands go to the use cases over each adapter; where the two differ, the
//! commands are cut down to the fewest that still show it. `PROPTEST_CASES` sets
//! how many sequences are tried.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use portcullis_app::{App, Ports, RefreshRefused, Rules};
use portcullis_conformance::Stores;
use portcullis_conformance::build::{START, TICK, client, email, stored_user};
use portcullis_conformance::fakes::{
    Counting, ManualClock, PlainHasher, PlainTokens, ScriptedMailer,
};
use portcullis_domain::ports::{Caller, Cancellation, Clock, OpaqueTokens, SessionStore};
use portcullis_domain::{
    AccessClaims, AccessTokenId, Contract, EndReason, Password, PasswordHash, RefreshToken, Seed,
    SeedDigest, Session, SessionEnd, SessionId, StoreError, Timestamp, UserId,
};
use portcullis_memory::MemoryStore;
use portcullis_redis::{
    CacheKey, CachedCallers, CachedLogins, CachedSessions, CachedStore, CallerCache, Redis,
};
use portcullis_testkit::{Postgres, Redis as RedisServer};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;
use uuid::Uuid;

const PASSWORD: &str = "SecurePass123!";
const USERS: usize = 2;
const GRACE: Duration = Duration::from_secs(10);
/// How long an expired session is kept before it is removed.
const KEPT: Duration = Duration::from_hours(24);

/// How many sequences are tried if nobody says otherwise.
const CASES: u32 = 64;

fn life(contract: Contract) -> Duration {
    match contract {
        Contract::Json => Duration::from_hours(2),
        Contract::Form => Duration::from_hours(1),
    }
}

/// A session as the model sees it.
#[derive(Clone, Debug)]
struct Modelled {
    user: usize,
    contract: Contract,
    counter: u32,
    rotated_at: Timestamp,
    expires_at: Timestamp,
    end: Option<EndReason>,
    is_removed: bool,
}

impl Modelled {
    fn is_live(&self, now: Timestamp) -> bool {
        self.end.is_none() && !self.is_removed && now < self.expires_at
    }
}

/// Which refresh token is presented.
#[derive(Clone, Copy, Debug)]
enum Presented {
    /// So many before the newest one: none, the last, an older one.
    Earlier(u32),
    /// The newest one, with somebody else's seed.
    Foreign,
    /// One that the server has not made yet.
    Future,
    /// One of a session that never was.
    Nobodys,
}

/// A command; sessions are meant by their place among those that were opened.
#[derive(Clone, Debug)]
enum Command {
    Open(usize, Contract),
    Present(Index, Presented),
    End(Index, usize),
    EndAll(usize),
    Look(Index, usize),
    Purge,
    Wait(Duration),
}

/// What a command must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Opened,
    /// A refresh token of that number.
    Refreshed(u32),
    Yes,
    No,
    Count(u64),
    Nothing,
}

/// The model: what is so, and what the last command must have answered.
#[derive(Clone, Debug)]
struct Model {
    now: Timestamp,
    sessions: Vec<Modelled>,
    reply: Reply,
}

impl Model {
    fn at(&mut self, index: Index) -> Option<&mut Modelled> {
        if self.sessions.is_empty() { None } else { Some(index.get_mut(&mut self.sessions)) }
    }

    fn present(&mut self, index: Index, presented: Presented) -> Reply {
        let now = self.now;
        let Some(session) = self.at(index) else { return Reply::No };
        let Presented::Earlier(back) = presented else { return Reply::No };
        if !session.is_live(now) {
            return Reply::No;
        }
        // Contract B's stand still: every one is the newest.
        if session.contract == Contract::Form {
            return Reply::Refreshed(0);
        }
        match back.min(session.counter) {
            0 => {
                session.counter += 1;
                session.rotated_at = now;
                Reply::Refreshed(session.counter)
            }
            1 if now.since(session.rotated_at) <= GRACE => Reply::Refreshed(session.counter),
            _ => {
                session.end = Some(EndReason::Reuse);
                Reply::No
            }
        }
    }

    fn obey(&mut self, command: &Command) -> Reply {
        let now = self.now;
        match command {
            Command::Open(user, contract) => {
                self.sessions.push(Modelled {
                    user: *user,
                    contract: *contract,
                    counter: 0,
                    rotated_at: now,
                    expires_at: now + life(*contract),
                    end: None,
                    is_removed: false,
                });
                Reply::Opened
            }
            Command::Present(index, presented) => self.present(*index, *presented),
            Command::End(index, user) => match self.at(*index) {
                Some(session) if session.user == *user && session.is_live(now) => {
                    session.end = Some(EndReason::Logout);
                    Reply::Yes
                }
                _ => Reply::No,
            },
            Command::EndAll(user) => {
                let mut count = 0;
                for session in &mut self.sessions {
                    if session.user == *user && session.is_live(now) {
                        session.end = Some(EndReason::PasswordReset);
                        count += 1;
                    }
                }
                Reply::Count(count)
            }
            Command::Look(index, user) => match self.at(*index) {
                Some(session) if session.user == *user && session.is_live(now) => Reply::Yes,
                _ => Reply::No,
            },
            Command::Purge => {
                let mut count = 0;
                for session in &mut self.sessions {
                    if !session.is_removed && session.expires_at < now - KEPT {
                        session.is_removed = true;
                        count += 1;
                    }
                }
                Reply::Count(count)
            }
            Command::Wait(time) => {
                self.now = now + *time;
                Reply::Nothing
            }
        }
    }
}

fn waits() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => Just(TICK),
        4 => Just(Duration::from_secs(1)),
        3 => Just(GRACE),
        2 => Just(GRACE + TICK),
        2 => Just(Duration::from_mins(20)),
        2 => Just(Duration::from_hours(1)),
        1 => Just(Duration::from_hours(2).checked_sub(TICK).unwrap()),
        1 => Just(Duration::from_hours(25)),
    ]
}

fn presentations() -> impl Strategy<Value = Presented> {
    prop_oneof![
        10 => (0..4_u32).prop_map(|back| Presented::Earlier(back.saturating_sub(1))),
        2 => Just(Presented::Earlier(2)),
        1 => Just(Presented::Foreign),
        1 => Just(Presented::Future),
        1 => Just(Presented::Nobodys),
    ]
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Command;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { now: START, sessions: Vec::new(), reply: Reply::Nothing }).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Command> {
        let contract = prop_oneof![3 => Just(Contract::Json), 1 => Just(Contract::Form)];
        prop_oneof![
            4 => (0..USERS, contract).prop_map(|(user, contract)| Command::Open(user, contract)),
            12 => (any::<Index>(), presentations()).prop_map(|(at, what)| Command::Present(at, what)),
            2 => (any::<Index>(), 0..USERS).prop_map(|(at, user)| Command::End(at, user)),
            1 => (0..USERS).prop_map(Command::EndAll),
            5 => (any::<Index>(), 0..USERS).prop_map(|(at, user)| Command::Look(at, user)),
            1 => Just(Command::Purge),
            5 => waits().prop_map(Command::Wait),
        ]
        .boxed()
    }

    fn apply(mut state: Self, command: &Command) -> Self {
        state.reply = state.obey(command);
        state
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A session as its client sees it.
struct Opened {
    user: UserId,
    id: SessionId,
    /// The newest refresh token.
    newest: RefreshToken,
}

/// The use cases over an adapter, with time in our hands.
struct Trial {
    app: App,
    stores: Stores,
    clock: Arc<ManualClock>,
    users: Vec<UserId>,
    opened: Vec<Opened>,
}

impl Trial {
    async fn on(stores: Stores) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let counting = Arc::new(Counting::default());
        let mut rules = Rules { refresh_grace: GRACE, ..Rules::default() };
        rules.json.session_ttl = life(Contract::Json);
        rules.form.session_ttl = life(Contract::Form);
        let ports = Ports {
            store: stores.store.clone(),
            sessions: stores.sessions.clone(),
            callers: stores.callers.clone(),
            logins: stores.logins.clone(),
            outbox: stores.outbox.clone(),
            hasher: Arc::new(PlainHasher::default()),
            access_tokens: Arc::new(PlainTokens),
            opaque_tokens: Arc::new(PlainTokens),
            mailer: Arc::new(ScriptedMailer::default()),
            clock: clock.clone(),
            ids: counting.clone(),
            randomness: counting,
            auxiliaries: Vec::new(),
        };
        let mut users = Vec::new();
        for number in 0..USERS {
            let user = stored_user(&*stores.store, &format!("user{number}")).await;
            let mut unit = stores.store.begin().await.unwrap();
            unit.users().mark_email_verified(user.id, START).await.unwrap();
            let hash = PasswordHash::new(format!("0:{PASSWORD}"));
            unit.users().change_password(user.id, &hash, START).await.unwrap();
            unit.commit().await.unwrap();
            users.push(user.id);
        }
        Self { app: App::new(ports, rules), stores, clock, users, opened: Vec::new() }
    }

    async fn open(&mut self, user: usize, contract: Contract) -> Reply {
        let password = Password::parse(PASSWORD).unwrap();
        let identifier = email(&format!("user{user}")).into();
        let stay = Cancellation::default();
        let logged_in =
            self.app.log_in(identifier, password, contract, client(), stay).await.unwrap();
        let newest = PlainTokens.unseal(logged_in.tokens.refresh.expose_secret()).unwrap();
        assert_eq!(newest.counter, 0);
        self.opened.push(Opened { user: self.users[user], id: newest.session, newest });
        Reply::Opened
    }

    async fn present(&mut self, index: Index, presented: Presented) -> Reply {
        if self.opened.is_empty() {
            return Reply::No;
        }
        let session = index.get_mut(&mut self.opened);
        let newest = session.newest;
        let token = match presented {
            Presented::Earlier(back) => newest.at(newest.counter.saturating_sub(back)),
            Presented::Foreign => RefreshToken { seed: Seed([0xee; 16]), ..newest },
            Presented::Future => newest.at(newest.counter + 1),
            Presented::Nobodys => {
                RefreshToken { session: SessionId::new(Uuid::from_u128(u128::MAX)), ..newest }
            }
        };
        let text = PlainTokens.seal(&token);
        match self.app.refresh(text.expose_secret(), &client()).await {
            Ok(tokens) => {
                let given = PlainTokens.unseal(tokens.refresh.expose_secret()).unwrap();
                assert_eq!(given.session, session.id);
                assert_eq!(given.seed, newest.seed);
                session.newest = given;
                Reply::Refreshed(given.counter)
            }
            Err(RefreshRefused::InvalidToken | RefreshRefused::Reused(_)) => Reply::No,
            Err(failure) => panic!("{failure:?}"),
        }
    }

    async fn end(&self, index: Index, user: usize) -> Reply {
        if self.opened.is_empty() {
            return Reply::No;
        }
        let session = index.get(&self.opened);
        let end = SessionEnd { at: self.clock.now(), reason: EndReason::Logout };
        let ended = self.stores.sessions.end(session.id, self.users[user], end).await.unwrap();
        if ended { Reply::Yes } else { Reply::No }
    }

    async fn end_all(&self, user: usize) -> Reply {
        let end = SessionEnd { at: self.clock.now(), reason: EndReason::PasswordReset };
        let mut unit = self.stores.store.begin().await.unwrap();
        let ended = unit.sessions().end_all(self.users[user], end).await.unwrap();
        unit.commit().await.unwrap();
        Reply::Count(ended)
    }

    async fn look(&self, index: Index, user: usize) -> Reply {
        if self.opened.is_empty() {
            return Reply::No;
        }
        let session = index.get(&self.opened);
        let now = self.clock.now();
        let claims = AccessClaims {
            user: self.users[user],
            session: session.id,
            id: AccessTokenId::new(Uuid::from_u128(1)),
            issued_at: now,
            expires_at: now + Duration::from_mins(1),
        };
        match self.app.authenticate(&claims).await {
            Ok(caller) => {
                assert_eq!((caller.session.id, caller.user.id), (session.id, session.user));
                Reply::Yes
            }
            Err(portcullis_app::AccessDenied::Failure(failure)) => panic!("{failure:?}"),
            Err(_) => Reply::No,
        }
    }

    async fn obey(&mut self, command: &Command) -> Reply {
        match command {
            Command::Open(user, contract) => self.open(*user, *contract).await,
            Command::Present(index, presented) => self.present(*index, *presented).await,
            Command::End(index, user) => self.end(*index, *user).await,
            Command::EndAll(user) => self.end_all(*user).await,
            Command::Look(index, user) => self.look(*index, *user).await,
            Command::Purge => Reply::Count(self.app.purge().await.unwrap().sessions),
            Command::Wait(time) => {
                self.clock.advance(*time);
                Reply::Nothing
            }
        }
    }

    /// Every row is as the model has it.
    async fn agrees_with(&self, model: &Model) {
        assert_eq!(self.opened.len(), model.sessions.len());
        for (opened, modelled) in self.opened.iter().zip(&model.sessions) {
            let found = self.stores.sessions.caller(opened.id).await.unwrap();
            assert_eq!(found.is_none(), modelled.is_removed, "{modelled:?}");
            let Some(caller) = found else { continue };
            let session = caller.session;
            assert_eq!(session.user_id, self.users[modelled.user]);
            assert_eq!(session.counter, modelled.counter, "{modelled:?}");
            assert_eq!(session.expires_at, modelled.expires_at, "{modelled:?}");
            assert_eq!(session.end.map(|end| end.reason), modelled.end, "{modelled:?}");
        }
    }
}

/// A place in which the machine runs.
trait Place {
    fn stores() -> impl Future<Output = Stores> + Send;
}

struct Machine<P>(std::marker::PhantomData<P>);

impl<P: Place> StateMachineTest for Machine<P> {
    type SystemUnderTest = Trial;
    type Reference = Model;

    fn init_test(_: &Model) -> Trial {
        RUNTIME.block_on(async { Trial::on(P::stores().await).await })
    }

    fn apply(mut trial: Trial, model: &Model, command: Command) -> Trial {
        let reply = RUNTIME.block_on(trial.obey(&command));
        assert_eq!(reply, model.reply, "{command:?}");
        trial
    }

    fn teardown(trial: Trial, model: Model) {
        RUNTIME.block_on(trial.agrees_with(&model));
        RUNTIME.block_on(async { drop(trial) });
    }
}

struct Memory;

impl Place for Memory {
    async fn stores() -> Stores {
        Stores::of(MemoryStore::new(), ())
    }
}

/// Callers are kept in Redis; the store behind it is memory.
struct KeptInRedis;

impl Place for KeptInRedis {
    async fn stores() -> Stores {
        let redis = Redis::open(&RedisServer::shared().url().parse().unwrap()).unwrap();
        let cache = CallerCache::new(redis, &CacheKey([7; 32]));
        let store = MemoryStore::new();
        let inner = Arc::new(store.clone());
        Stores {
            store: Arc::new(CachedStore::new(inner.clone(), cache.clone())),
            sessions: Arc::new(CachedSessions::new(inner.clone(), cache.clone())),
            callers: Arc::new(CachedCallers::new(inner.clone(), cache.clone())),
            logins: Arc::new(CachedLogins::new(inner, cache)),
            ..Stores::of(store, ())
        }
    }
}

struct Sqlite;

impl Place for Sqlite {
    async fn stores() -> Stores {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.db");
        portcullis_sqlite::migrate(&file).unwrap();
        Stores::of(portcullis_sqlite::open(&file, 2).unwrap(), folder)
    }
}

struct OnPostgres;

impl Place for OnPostgres {
    async fn stores() -> Stores {
        let url = Postgres::shared().database_like("sessions", |template| {
            let address: portcullis_postgres::Address = template.parse().unwrap();
            // A thread of its own, since a runtime cannot wait for another.
            std::thread::spawn(move || {
                let runtime = Runtime::new().unwrap();
                runtime.block_on(portcullis_postgres::migrate(&address)).unwrap();
            })
            .join()
            .unwrap();
        });
        Stores::of(portcullis_postgres::open(&url.parse().unwrap(), 2).unwrap(), ())
    }
}

/// A store that says that a session ended, and lets it live.
struct Forgetful;

struct EndsNothing(MemoryStore);

#[async_trait]
impl SessionStore for EndsNothing {
    async fn caller(&self, id: SessionId) -> Result<Option<Caller>, StoreError> {
        self.0.caller(id).await
    }

    async fn advance(
        &self,
        id: SessionId,
        counter: u32,
        seed: SeedDigest,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        self.0.advance(id, counter, seed, now).await
    }

    async fn end(&self, id: SessionId, user: UserId, end: SessionEnd) -> Result<bool, StoreError> {
        let found = self.0.caller(id).await?.map(|caller| caller.session);
        Ok(found.is_some_and(|session| session.user_id == user && session.is_live(end.at)))
    }

    async fn user_exists(&self, id: UserId) -> Result<bool, StoreError> {
        self.0.user_exists(id).await
    }
}

impl Place for Forgetful {
    async fn stores() -> Stores {
        let store = MemoryStore::new();
        Stores { sessions: Arc::new(EndsNothing(store.clone())), ..Stores::of(store, ()) }
    }
}

/// The number of sequences that was asked for, or the usual one.
fn config() -> Config {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    config
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn sessions_in_memory_do_what_the_model_says(sequential 1..40 => Machine<Memory>);
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn callers_kept_in_redis_do_what_the_model_says(sequential 1..40 => Machine<KeptInRedis>);
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn sessions_in_sqlite_do_what_the_model_says(sequential 1..40 => Machine<Sqlite>);
}

prop_state_machine! {
    #![proptest_config(config())]
    #[test]
    fn sessions_in_postgres_do_what_the_model_says(sequential 1..40 => Machine<OnPostgres>);
}

/// The machine is able to fail, and tells in few commands what is wrong.
#[test]
fn a_store_that_ends_nothing_is_found_out() {
    let strategy = Model::sequential_strategy(1..40);
    let found = TestRunner::new(config()).run(&strategy, |(model, commands, seen)| {
        Machine::<Forgetful>::test_sequential(config(), model, commands, seen);
        Ok(())
    });
    let Err(TestError::Fail(_, (_, commands, _))) = found else { panic!("it is not: {found:?}") };
    assert!(commands.len() <= 3, "{commands:?}");
    assert!(commands.iter().any(|command| matches!(command, Command::End(..))), "{commands:?}");
}
