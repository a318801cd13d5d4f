//! What the embedded limiter costs a request, over few clients and over many:
//! `just bench-parts`.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_conformance::build::START;
use portcullis_domain::ports::{Bucket, Quota, RateLimiter};
use portcullis_memory::MemoryLimiter;

const QUOTA: Quota = Quota { limit: 100, window: Duration::from_mins(1) };

fn taking(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for clients in [1_000_u32, 10_000, 100_000] {
        let limiter = MemoryLimiter::new();
        let bucket = |number: u32| {
            Bucket::General(IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number % clients)))
        };
        let mut number = 0;
        let mut now = START;
        criterion.bench_function(&format!("take from one of {clients} buckets"), |bencher| {
            bencher.iter(|| {
                number += 1;
                // As many requests a second as leave each bucket half full.
                now = now + Duration::from_micros(u64::from(1_200_000 / clients));
                runtime.block_on(limiter.take(bucket(number), QUOTA, now)).unwrap()
            });
        });
    }
}

criterion_group!(benches, taking);
criterion_main!(benches);
