//! Loopback ports that no other test gets.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A free loopback port, held for as long as this lives by a socket that does
/// not listen: until a server does, and after it is gone, whoever connects is
/// refused, and no other server of a parallel test is found there.
pub(crate) struct HeldPort {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl HeldPort {
    pub(crate) fn reserve() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        // Lets a listener that sets the same share the port.
        socket.set_reuseaddr(true).unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        Self { address: socket.local_addr().unwrap(), _socket: socket }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_server_can_come_and_go_and_come_again() {
        let port = HeldPort::reserve();
        for _ in 0..2 {
            assert!(TcpStream::connect(port.address()).await.is_err());
            let listener = TcpListener::bind(port.address()).await.unwrap();
            let client = TcpStream::connect(port.address()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            drop((listener, server, client));
        }
    }

    #[tokio::test]
    async fn nobody_else_gets_it() {
        let port = HeldPort::reserve();
        // More than there are ephemeral ports on Debian, one after the other.
        for _ in 0..30_000 {
            let other = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            assert_ne!(other.local_addr().unwrap(), port.address());
        }
    }
}
