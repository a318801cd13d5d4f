//! Ports for servers.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the system takes ports of outgoing connections:
/// there, one of a test's own requests could take a server's port while it
/// restarts.
const FIRST: u16 = 10_000;
const COUNT: u16 = 9_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port of the loopback address on which nobody listens.
#[must_use]
pub fn free_port() -> u16 {
    // Test programs that run beside each other begin at different places.
    let offset = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(COUNT)).unwrap();
    for _ in 0..COUNT {
        let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(offset) % COUNT;
        if TcpListener::bind(("127.0.0.1", FIRST + number)).is_ok() {
            return FIRST + number;
        }
    }
    panic!("no port is free between {FIRST} and {}", FIRST + COUNT);
}
