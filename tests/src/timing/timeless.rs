//! Pairs that arrive together: whose answer comes first needs no clock.
//!
//! Two connections hold a request each, whole but for the last byte. The last
//! bytes follow each other within microseconds, and the order of the answers is
//! what is looked at: delays of the network fall out of it.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::{Connection, Random, Server};

/// Time for the server to read what comes before the last byte.
const SETTLING: Duration = Duration::from_millis(2);

/// How often a stranger was answered first, of how many pairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub(super) first: usize,
    pub(super) pairs: usize,
}

impl Share {
    /// As a part of one.
    #[expect(clippy::cast_precision_loss, reason = "hundreds of pairs")]
    pub(super) fn value(self) -> f64 {
        self.first as f64 / self.pairs.max(1) as f64
    }
}

/// Each connection and each place in an order has strangers as often as accounts.
pub(super) fn measure(
    server: &Server,
    requests: &[(Vec<u8>, Vec<u8>)],
    random: &mut Random,
    progress: impl Fn(usize, usize),
) -> Share {
    let mut connections = (server.connect(), server.connect());
    let mut turns: Vec<usize> = (0..requests.len()).collect();
    random.shuffle(&mut turns);
    let mut first = 0;
    for (done, ((stranger, account), turn)) in requests.iter().zip(turns).enumerate() {
        progress(done, requests.len());
        let (left, right) = &mut connections;
        let (one, other) = if turn % 2 == 0 { (left, right) } else { (right, left) };
        // Who is prepared first is drawn, too.
        let is_stranger = turn / 4 % 2 == 0;
        let (mine, others) = if is_stranger { (stranger, account) } else { (account, stranger) };
        let (one, other) = (Held::send(one, mine), Held::send(other, others));
        if one.comes_first(other, turn / 2 % 2 == 0) == is_stranger {
            first += 1;
        }
    }
    Share { first, pairs: requests.len() }
}

/// A request that lacks its last byte.
struct Held<'a> {
    connection: &'a mut Connection,
    last: u8,
}

impl<'a> Held<'a> {
    fn send(connection: &'a mut Connection, request: &[u8]) -> Self {
        let (last, rest) = request.split_last().expect("a request");
        connection.send(rest);
        Self { connection, last: *last }
    }

    /// Completes both; says whether this one is answered first.
    fn comes_first(self, other: Held<'_>, goes_first: bool) -> bool {
        let mut mine = self.connection.writer();
        let mut others = other.connection.writer();
        let (connection, other_connection) = (self.connection, other.connection);
        std::thread::scope(|scope| {
            let arrives = |connection: &mut Connection| {
                let answer = connection.receive();
                let arrived = Instant::now();
                assert_eq!(answer.status(), Some(400), "{answer:?}");
                arrived
            };
            let here = scope.spawn(move || arrives(connection));
            let there = scope.spawn(move || arrives(other_connection));
            std::thread::sleep(SETTLING);
            if goes_first {
                mine.write_all(&[self.last]).unwrap();
                others.write_all(&[other.last]).unwrap();
            } else {
                others.write_all(&[other.last]).unwrap();
                mine.write_all(&[self.last]).unwrap();
            }
            here.join().unwrap() < there.join().unwrap()
        })
    }
}
