//! The use cases over an adapter, obeying the same commands.

use std::sync::Arc;
use std::time::Duration;

use portcullis_app::{App, Ports, RefreshRefused, Rules, Services};
use portcullis_conformance::Stores;
use portcullis_conformance::build::{START, client, email, stored_user};
use portcullis_conformance::fakes::{
    Counting, ManualClock, PlainHasher, PlainTokens, ScriptedMailer,
};
use portcullis_domain::ports::{Cancellation, Clock, OpaqueTokens};
use portcullis_domain::{
    AccessClaims, AccessTokenId, Contract, EndReason, Password, PasswordHash, RefreshToken, Seed,
    SessionEnd, SessionId, UserId,
};
use proptest::sample::Index;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::model::{Command, GRACE, Model, Presented, Reply, USERS, life};

const PASSWORD: &str = "SecurePass123!";

/// A session as its client sees it.
struct Opened {
    user: UserId,
    id: SessionId,
    /// The newest refresh token.
    newest: RefreshToken,
}

/// The use cases over an adapter, with time in our hands.
pub(super) struct Trial {
    app: App,
    stores: Stores,
    clock: Arc<ManualClock>,
    users: Vec<UserId>,
    opened: Vec<Opened>,
}

impl Trial {
    pub(super) async fn on(stores: Stores) -> Self {
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
            jobs: stores.jobs.clone(),
            devices: stores.devices.clone(),
            avatars: stores.avatars.clone(),
            entitlements: stores.entitlements.clone(),
            services: Services::default(),
            archive: stores.archive.clone(),
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
            Ok(refreshed) => {
                let given = PlainTokens.unseal(refreshed.tokens.refresh.expose_secret()).unwrap();
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

    pub(super) async fn obey(&mut self, command: &Command) -> Reply {
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
    pub(super) async fn agrees_with(&self, model: &Model) {
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
