//! A small SMTP server of our own: it records, and it misbehaves as told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::message::SmtpMessage;
use super::script::{Reaction, Script, Step};
use super::session;
use crate::held_port::HeldPort;

/// Longest wait for a mail.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a sink has seen and what it is told to do.
#[derive(Default)]
pub(super) struct State {
    pub(super) script: Script,
    pub(super) messages: Vec<SmtpMessage>,
    pub(super) offered: Vec<SmtpMessage>,
    pub(super) commands: Vec<String>,
    pub(super) wire: Vec<u8>,
    pub(super) connections: usize,
}

/// What the sessions of a sink share.
pub(super) struct Shared {
    state: Mutex<State>,
    arrived: Notify,
    pub(super) login: Option<(String, String)>,
}

impl Shared {
    pub(super) fn with<T>(&self, read: impl FnOnce(&mut State) -> T) -> T {
        read(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn keep(&self, message: SmtpMessage) {
        self.with(|state| state.messages.push(message));
        self.arrived.notify_waiters();
    }
}

/// A recording, scripted SMTP server on a free loopback port. It offers no
/// TLS: [`Aiosmtpd`](super::Aiosmtpd) does.
pub struct SmtpSink {
    port: HeldPort,
    shared: Arc<Shared>,
    /// Ends every session when it is dropped.
    server: Mutex<JoinSet<()>>,
}

impl SmtpSink {
    /// Starts one that accepts every mail.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Starts one that wants a login first (`AUTH PLAIN` or `AUTH LOGIN`).
    pub async fn with_login(user: &str, password: &str) -> Self {
        Self::listen(Some((user.into(), password.into()))).await
    }

    async fn listen(login: Option<(String, String)>) -> Self {
        let port = HeldPort::reserve();
        let state = Mutex::default();
        let shared = Arc::new(Shared { state, arrived: Notify::new(), login });
        let sink = Self { port, shared, server: Mutex::default() };
        sink.come_back().await;
        sink
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// Its connection URL, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address())
    }

    /// Reacts so at that step, each time.
    pub fn on(&self, step: Step, reaction: Reaction) {
        self.shared.with(|state| state.script.add(step, None, reaction, None));
    }

    /// Reacts so at that step the next time only.
    pub fn once(&self, step: Step, reaction: Reaction) {
        self.shared.with(|state| state.script.add(step, None, reaction, Some(1)));
    }

    /// Reacts so at that step of a mail to that recipient.
    pub fn on_mail_to(&self, recipient: &str, step: Step, reaction: Reaction) {
        self.shared.with(|state| state.script.add(step, Some(recipient), reaction, None));
    }

    /// Accepts everything again.
    pub fn accept(&self) {
        self.shared.with(|state| state.script.clear());
    }

    /// The mails that it took, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<SmtpMessage> {
        self.shared.with(|state| state.messages.clone())
    }

    /// The mails that it took for that recipient alone, in order.
    #[must_use]
    pub fn messages_to(&self, recipient: &str) -> Vec<SmtpMessage> {
        let is_to = |mail: &&SmtpMessage| mail.envelope_to == [recipient];
        self.shared.with(|state| state.messages.iter().filter(is_to).cloned().collect())
    }

    /// Waits until it took that many mails.
    ///
    /// # Panics
    /// When they do not come within ten seconds.
    pub async fn wait_for(&self, count: usize) -> Vec<SmtpMessage> {
        let all = async {
            loop {
                let arrived = self.shared.arrived.notified();
                let messages = self.messages();
                if messages.len() >= count {
                    return messages;
                }
                arrived.await;
            }
        };
        let came = tokio::time::timeout(PATIENCE, all).await;
        came.unwrap_or_else(|_| panic!("{count} mails did not come: {:?}", self.messages()))
    }

    /// The mails that it read to their end, whether it took them or not.
    #[must_use]
    pub fn offered(&self) -> Vec<SmtpMessage> {
        self.shared.with(|state| state.offered.clone())
    }

    /// Every command line that it read, credentials left out.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.shared.with(|state| state.commands.clone())
    }

    /// Every byte that it read, of all connections: commands, credentials, mails.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        self.shared.with(|state| state.wire.clone())
    }

    /// How many connections it accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.with(|state| state.connections)
    }

    /// Stops listening and closes every connection.
    pub async fn vanish(&self) {
        let mut server = std::mem::take(&mut *self.server());
        server.shutdown().await;
    }

    /// Listens again, at the same address.
    pub async fn come_back(&self) {
        let listener = TcpListener::bind(self.address()).await.expect("the port is held");
        self.server().spawn(accept(listener, Arc::clone(&self.shared)));
    }

    fn server(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.with(|state| state.connections += 1);
        let shared = Arc::clone(&shared);
        sessions.spawn(async move {
            // A client may hang up whenever it likes.
            let _ = session::serve(stream, &shared).await;
        });
    }
}
