//! One connection through a [`FaultProxy`](super::FaultProxy).

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::{Fault, Way};

/// How often a limited speed lets bytes pass.
const TICK: Duration = Duration::from_millis(50);

/// Passes bytes until both sides are done, or one is broken, or there are more
/// resets than when it was let in.
pub(super) async fn carry(mut client: TcpStream, way: watch::Receiver<Way>, born: u64) {
    let mut later = way.clone();
    let mut server = None;
    let is_whole = tokio::select! {
        biased;
        _ = later.wait_for(|way| way.resets > born) => false,
        passed = pass(&mut client, &mut server, way) => passed.is_ok(),
    };
    if !is_whole {
        reset(&client);
        if let Some(server) = &server {
            reset(server);
        }
    }
}

/// Lets the end of a connection be a reset.
fn reset(stream: &TcpStream) {
    // One that is broken already needs none.
    let _ = stream.set_zero_linger();
}

async fn pass(
    client: &mut TcpStream,
    server: &mut Option<TcpStream>,
    mut way: watch::Receiver<Way>,
) -> io::Result<()> {
    let now = unfrozen(&mut way).await?;
    if now.fault == (Fault::Cut { after: 0 }) {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let server = server.insert(TcpStream::connect(now.target).await?);
    // Small pieces pass one by one, as they were sent.
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let requests = pass_requests(from_client, to_server, way.clone());
    let answers = Answers { to: to_client, way, passed: 0 }.pass(from_server);
    tokio::try_join!(requests, answers).map(drop)
}

/// The way, as soon as it is not frozen.
async fn unfrozen(way: &mut watch::Receiver<Way>) -> io::Result<Way> {
    let now = way.wait_for(|way| way.fault != Fault::Hang).await;
    now.map(|way| *way).map_err(|_| io::ErrorKind::ConnectionAborted.into())
}

async fn pass_requests(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut way: watch::Receiver<Way>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        unfrozen(&mut way).await?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}

/// What a server says, on its way to the client.
struct Answers<'a> {
    to: WriteHalf<'a>,
    way: watch::Receiver<Way>,
    /// How many bytes have passed.
    passed: u64,
}

impl Answers<'_> {
    async fn pass(mut self, mut from: ReadHalf<'_>) -> io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let count = from.read(&mut buffer).await?;
            let fault = unfrozen(&mut self.way).await?.fault;
            if count == 0 {
                return self.to.shutdown().await;
            }
            self.write(&mut buffer[..count], fault).await?;
        }
    }

    async fn write(&mut self, bytes: &mut [u8], fault: Fault) -> io::Result<()> {
        match fault {
            Fault::Cut { after } => {
                let left = usize::try_from(after.saturating_sub(self.passed)).unwrap_or(usize::MAX);
                let whole = left > bytes.len();
                self.write_all(&bytes[..left.min(bytes.len())]).await?;
                if whole { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
            }
            Fault::Slow { delay, bytes_per_second } => {
                self.rest(delay).await;
                match bytes_per_second {
                    Some(speed) => self.trickle(bytes, speed).await,
                    None => self.write_all(bytes).await,
                }
            }
            Fault::Corrupt { every } => {
                for (position, byte) in (self.passed..).zip(bytes.iter_mut()) {
                    if position % u64::from(every.get()) == 0 {
                        *byte = !*byte;
                    }
                }
                self.write_all(bytes).await
            }
            Fault::None | Fault::Refuse | Fault::Hang => self.write_all(bytes).await,
        }
    }

    /// Writes as fast as that, until the fault is another.
    async fn trickle(&mut self, mut bytes: &[u8], speed: NonZeroU32) -> io::Result<()> {
        let ticks_per_second = 1_000 / u32::try_from(TICK.as_millis()).unwrap_or(1);
        let slow = self.way.borrow().fault;
        while !bytes.is_empty() && self.way.borrow().fault == slow {
            // Below a byte per tick, the ticks are longer.
            let piece = usize::try_from(speed.get() / ticks_per_second).unwrap_or(1).max(1);
            let (now, rest) = bytes.split_at(piece.min(bytes.len()));
            self.write_all(now).await?;
            bytes = rest;
            self.rest(Duration::from_secs(1) * u32::try_from(piece).unwrap_or(1) / speed.get())
                .await;
        }
        unfrozen(&mut self.way).await?;
        self.write_all(bytes).await
    }

    /// Waits, but not longer than until something else is wrong.
    async fn rest(&mut self, time: Duration) {
        let _ = tokio::time::timeout(time, self.way.changed()).await;
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes).await?;
        self.passed += bytes.len() as u64;
        Ok(())
    }
}
