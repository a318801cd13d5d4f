//! What the machine can hash: the bcrypt crate in a bare loop on every core, for so
//! many seconds, at cost 12. Prints hashes per second.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![expect(clippy::print_stdout, reason = "a program that prints a number")]

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

const COST: u32 = 12;

fn main() {
    let seconds: u64 = std::env::args().nth(1).unwrap().parse().unwrap();
    let cores = thread::available_parallelism().unwrap().get();
    let started = Instant::now();
    let until = started + Duration::from_secs(seconds);
    let threads: Vec<_> = (0..cores)
        .map(|_| {
            thread::spawn(move || {
                let mut hashed = 0_u32;
                while Instant::now() < until {
                    black_box(bcrypt::bcrypt(COST, black_box([7; 16]), b"correct horse\0"));
                    hashed += 1;
                }
                hashed
            })
        })
        .collect();
    let hashed: u32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("{:.3}", f64::from(hashed) / started.elapsed().as_secs_f64());
}
