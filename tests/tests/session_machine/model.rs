//! What must be so, in a few plain structs that know nothing of stores.

use std::time::Duration;

use portcullis_conformance::build::{START, TICK};
use portcullis_domain::{Contract, EndReason, Timestamp};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest_state_machine::ReferenceStateMachine;

pub(super) const USERS: usize = 2;
pub(super) const GRACE: Duration = Duration::from_secs(10);
/// How long an expired session is kept before it is removed.
const KEPT: Duration = Duration::from_hours(24);

pub(super) fn life(contract: Contract) -> Duration {
    match contract {
        Contract::Json => Duration::from_hours(2),
        Contract::Form => Duration::from_hours(1),
    }
}

/// A session as the model sees it.
#[derive(Clone, Debug)]
pub(super) struct Modelled {
    pub(super) user: usize,
    contract: Contract,
    pub(super) counter: u32,
    rotated_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) end: Option<EndReason>,
    pub(super) is_removed: bool,
}

impl Modelled {
    fn is_live(&self, now: Timestamp) -> bool {
        self.end.is_none() && !self.is_removed && now < self.expires_at
    }
}

/// Which refresh token is presented.
#[derive(Clone, Copy, Debug)]
pub(super) enum Presented {
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
pub(super) enum Command {
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
pub(super) enum Reply {
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
pub(super) struct Model {
    now: Timestamp,
    pub(super) sessions: Vec<Modelled>,
    pub(super) reply: Reply,
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
