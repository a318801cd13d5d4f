//! A way to a server that can be made to fail.

mod connection;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::held_port::HeldPort;

/// What is wrong with the way to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: every byte passes as it is.
    None,
    /// Whoever connects is refused at once, and open connections are reset: the
    /// server is gone.
    Refuse,
    /// Whoever connects is let in, and nothing passes any more, either way, on
    /// open connections neither: the server, or the network, is frozen. What was
    /// said meanwhile passes when the fault ends.
    Hang,
    /// Open connections are reset, and each new one after that many bytes of
    /// answers; after none at all it is reset as soon as it is there.
    Cut {
        /// How many bytes of answers still pass.
        after: u64,
    },
    /// Answers take their time.
    Slow {
        /// What each piece of an answer waits before it passes.
        delay: Duration,
        /// How fast it passes then, if there is a limit.
        bytes_per_second: Option<NonZeroU32>,
    },
    /// Of the answers on a connection, the first byte and every so many-th after
    /// it are inverted.
    Corrupt {
        /// The distance between bytes that are inverted; 1 inverts all.
        every: NonZeroU32,
    },
}

impl Fault {
    /// Answers that wait, and then pass at once.
    #[must_use]
    pub const fn slow(delay: Duration) -> Self {
        Self::Slow { delay, bytes_per_second: None }
    }

    /// Every byte of every answer is inverted.
    pub const GARBAGE: Self = Self::Corrupt { every: NonZeroU32::MIN };
}

/// What connections have to know.
#[derive(Clone, Copy, Debug)]
struct Way {
    fault: Fault,
    target: SocketAddr,
    /// Grows with each fault that resets connections: those of before are reset.
    resets: u64,
}

/// A change of the way, and whom to tell that it is in force.
struct Change {
    fault: Option<Fault>,
    target: Option<SocketAddr>,
    done: Sender<()>,
}

/// Stands in front of a server, on a free loopback port of its own, and passes
/// bytes both ways, until it is told to do worse. What is wrong can be changed at
/// any time, and holds for open connections as well as for new ones.
///
/// It works on a thread of its own: a test that is busy does not slow it down.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    changes: mpsc::UnboundedSender<Change>,
    counts: Arc<Counts>,
}

/// How many connections there are, and were.
#[derive(Debug, Default)]
struct Counts {
    open: AtomicUsize,
    accepted: AtomicUsize,
}

impl FaultProxy {
    /// Leads to a server, and nothing is wrong.
    #[must_use]
    pub fn to(target: SocketAddr) -> Self {
        let (changes, asked) = mpsc::unbounded_channel();
        let counts = Arc::new(Counts::default());
        let (started, address) = channel();
        let theirs = Arc::clone(&counts);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let port = HeldPort::reserve();
                let listener = listen(&port).await;
                started.send(port.address()).unwrap();
                let way = Way { fault: Fault::None, target, resets: 0 };
                serve(&port, listener, way, asked, theirs).await;
            });
        });
        Self { address: address.recv().unwrap(), changes, counts }
    }

    /// Leads to a server on that loopback port.
    #[must_use]
    pub fn to_port(port: u16) -> Self {
        Self::to(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// Its own address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same URL, leading through here: its `127.0.0.1:port` is replaced.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let (before, rest) = url.split_once("127.0.0.1:").expect("a loopback address");
        let port = rest.bytes().take_while(u8::is_ascii_digit).count();
        format!("{before}{}{}", self.address, &rest[port..])
    }

    /// From now on, this is wrong. When it returns, it is: nobody is refused by
    /// accident any more, and connections that had to be reset are.
    pub fn set(&self, fault: Fault) {
        self.change(Some(fault), None);
    }

    /// New connections lead to another server, as if an address had moved. Open
    /// ones stay where they are.
    pub fn lead_to(&self, target: SocketAddr) {
        self.change(None, Some(target));
    }

    fn change(&self, fault: Option<Fault>, target: Option<SocketAddr>) {
        let (done, is_done) = channel();
        self.changes.send(Change { fault, target, done }).expect("its thread lives");
        is_done.recv().expect("its thread lives");
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.counts.open.load(Ordering::Relaxed)
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted_connections(&self) -> usize {
        self.counts.accepted.load(Ordering::Relaxed)
    }
}

async fn listen(port: &HeldPort) -> TcpListener {
    TcpListener::bind(port.address()).await.expect("the port is held")
}

/// Lets connections in, and changes the way, until nobody can ask for that.
async fn serve(
    port: &HeldPort,
    listener: TcpListener,
    way: Way,
    mut changes: mpsc::UnboundedReceiver<Change>,
    counts: Arc<Counts>,
) {
    let (told, way) = watch::channel(way);
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            change = changes.recv() => {
                let Some(change) = change else { return };
                let mut resets = false;
                told.send_modify(|way| resets = apply(way, &change));
                if resets {
                    while connections.join_next().await.is_some() {}
                }
                let is_gone = way.borrow().fault == Fault::Refuse;
                match &listener {
                    Some(_) if is_gone => listener = None,
                    None if !is_gone => listener = Some(listen(port).await),
                    _ => {}
                }
                // Whoever asked may have gone.
                let _ = change.done.send(());
            }
            client = accept(listener.as_ref()) => {
                counts.accepted.fetch_add(1, Ordering::Relaxed);
                let born = way.borrow().resets;
                connections.spawn(connect(client, way.clone(), born, Arc::clone(&counts)));
            }
            _ = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Says whether open connections are reset.
fn apply(way: &mut Way, change: &Change) -> bool {
    way.target = change.target.unwrap_or(way.target);
    let Some(fault) = change.fault else { return false };
    way.fault = fault;
    let resets = matches!(fault, Fault::Refuse | Fault::Cut { .. });
    way.resets += u64::from(resets);
    resets
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    loop {
        match listener {
            None => return std::future::pending().await,
            Some(listener) => {
                // A client may be gone before it was let in.
                if let Ok((client, _)) = listener.accept().await {
                    return client;
                }
            }
        }
    }
}

async fn connect(client: TcpStream, way: watch::Receiver<Way>, born: u64, counts: Arc<Counts>) {
    counts.open.fetch_add(1, Ordering::Relaxed);
    connection::carry(client, way, born).await;
    counts.open.fetch_sub(1, Ordering::Relaxed);
}
