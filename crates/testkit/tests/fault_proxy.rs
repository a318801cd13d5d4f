//! The proxy that fails on demand, in front of a server that echoes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use portcullis_testkit::{Fault, FaultProxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Longer than anything that works takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing must come where nothing comes.
const SILENCE: Duration = Duration::from_millis(200);

/// A server that answers with a byte of its own and then with what it is sent.
async fn echo(name: u8) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(&[name]).await.unwrap();
                let (mut read, mut write) = stream.split();
                // A reset ends it.
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn connected(proxy: &FaultProxy) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap(), b'A');
    stream
}

async fn says_back(stream: &mut TcpStream, said: &[u8]) -> Vec<u8> {
    stream.write_all(said).await.unwrap();
    let mut back = vec![0; said.len()];
    timeout(PATIENCE, stream.read_exact(&mut back)).await.unwrap().unwrap();
    back
}

/// Reads to the end, which must be a reset; gives what came before it.
async fn is_reset(stream: &mut TcpStream) -> Vec<u8> {
    let mut came = Vec::new();
    let error = timeout(PATIENCE, stream.read_to_end(&mut came)).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    came
}

#[tokio::test]
async fn with_nothing_wrong_bytes_pass_and_ends_pass_too() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut stream = connected(&proxy).await;
    let long: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let (mut read, mut write) = stream.split();
    let mut back = vec![0; long.len()];
    let (sent, came) = tokio::join!(write.write_all(&long), read.read_exact(&mut back));
    sent.unwrap();
    came.unwrap();
    assert!(back == long);
    stream.shutdown().await.unwrap();
    assert_eq!(timeout(PATIENCE, stream.read(&mut [0])).await.unwrap().unwrap(), 0);
    assert_eq!(proxy.accepted_connections(), 1);
}

#[tokio::test]
async fn who_is_refused_is_refused_at_once_and_open_connections_are_reset() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut open = connected(&proxy).await;
    proxy.set(Fault::Refuse);
    is_reset(&mut open).await;
    for _ in 0..20 {
        let error = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(proxy.open_connections(), 0);
    proxy.set(Fault::None);
    connected(&proxy).await;
}

#[tokio::test]
async fn what_is_said_while_it_hangs_passes_when_it_goes_on() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut open = connected(&proxy).await;
    proxy.set(Fault::Hang);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    open.write_all(b"ping").await.unwrap();
    assert!(timeout(SILENCE, open.read_u8()).await.is_err(), "an open connection answers");
    assert!(timeout(SILENCE, new.read_u8()).await.is_err(), "a new connection answers");
    proxy.set(Fault::None);
    let mut back = [0; 4];
    timeout(PATIENCE, open.read_exact(&mut back)).await.unwrap().unwrap();
    assert_eq!(&back, b"ping");
    assert_eq!(timeout(PATIENCE, new.read_u8()).await.unwrap().unwrap(), b'A');
}

#[tokio::test]
async fn a_cut_resets_what_is_open_at_once_and_what_is_new_after_so_many_bytes() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut open = connected(&proxy).await;
    proxy.set(Fault::Cut { after: 3 });
    is_reset(&mut open).await;
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    new.write_all(b"bcdef").await.unwrap();
    let mut came = [0; 3];
    timeout(PATIENCE, new.read_exact(&mut came)).await.unwrap().unwrap();
    assert_eq!(&came, b"Abc");
    assert_eq!(is_reset(&mut new).await, b"");
    proxy.set(Fault::Cut { after: 0 });
    // The reset may come before the system tells of the connection.
    match TcpStream::connect(proxy.address()).await {
        Ok(mut at_once) => assert_eq!(is_reset(&mut at_once).await, b""),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

#[tokio::test]
async fn slow_answers_wait_and_trickle() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut open = connected(&proxy).await;
    proxy.set(Fault::slow(Duration::from_millis(150)));
    let started = Instant::now();
    assert_eq!(says_back(&mut open, b"ping").await, b"ping");
    assert!(started.elapsed() >= Duration::from_millis(150), "{:?}", started.elapsed());
    let bytes_per_second = NonZeroU32::new(10);
    proxy.set(Fault::Slow { delay: Duration::ZERO, bytes_per_second });
    let started = Instant::now();
    assert_eq!(says_back(&mut open, b"12345").await, b"12345");
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    // What is on its way when it ends is not waited for.
    let speed = NonZeroU32::MIN;
    proxy.set(Fault::Slow { delay: Duration::ZERO, bytes_per_second: Some(speed) });
    open.write_all(&[b'x'; 1_000]).await.unwrap();
    assert_eq!(timeout(PATIENCE, open.read_u8()).await.unwrap().unwrap(), b'x');
    proxy.set(Fault::None);
    timeout(PATIENCE, open.read_exact(&mut [0; 999])).await.unwrap().unwrap();
}

#[tokio::test]
async fn corrupt_answers_have_every_so_many_bytes_inverted_and_requests_pass() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut open = connected(&proxy).await;
    proxy.set(Fault::Corrupt { every: NonZeroU32::new(3).unwrap() });
    // The first byte of the connection has passed already.
    assert_eq!(says_back(&mut open, b"abcdef").await, [b'a', b'b', !b'c', b'd', b'e', !b'f']);
    proxy.set(Fault::GARBAGE);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(timeout(PATIENCE, new.read_u8()).await.unwrap().unwrap(), !b'A');
    proxy.set(Fault::None);
    assert_eq!(says_back(&mut open, b"well").await, b"well");
}

#[tokio::test]
async fn an_address_can_move_to_another_server() {
    let proxy = FaultProxy::to(echo(b'A').await);
    let mut open = connected(&proxy).await;
    proxy.lead_to(echo(b'B').await);
    assert_eq!(says_back(&mut open, b"x").await, b"x", "open connections stay");
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(timeout(PATIENCE, new.read_u8()).await.unwrap().unwrap(), b'B');
    assert_eq!(proxy.open_connections(), 2);
}

#[tokio::test]
async fn a_url_is_led_through_the_proxy() {
    let proxy = FaultProxy::to_port(9);
    let address = proxy.address();
    let url = proxy.url("postgres://test@127.0.0.1:5432/auth?sslmode=require");
    assert_eq!(url, format!("postgres://test@{address}/auth?sslmode=require"));
    assert_eq!(proxy.url("redis://127.0.0.1:6379"), format!("redis://{address}"));
}
