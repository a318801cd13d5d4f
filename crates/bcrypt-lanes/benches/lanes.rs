//! How much passwords gain by waiting together.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis_bcrypt_lanes::{Hashing, MAX_LANES, advance};

/// Low, so that a sample takes milliseconds; the rounds are all alike.
const COST: u32 = 6;

fn lanes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("bcrypt, cost 6");
    group.throughput(Throughput::Elements(1));
    group.bench_function("the bcrypt crate", |bencher| {
        bencher.iter(|| bcrypt::bcrypt(COST, black_box([7; 16]), b"correct horse\0"));
    });
    for lanes in 1..=MAX_LANES {
        group.throughput(Throughput::Elements(lanes as u64));
        group.bench_function(format!("{lanes} together"), |bencher| {
            bencher.iter(|| {
                let mut hashings: Vec<_> = (0..lanes)
                    .map(|_| Hashing::new(b"correct horse\0", black_box([7; 16]), COST))
                    .collect();
                let mut together: Vec<_> = hashings.iter_mut().collect();
                advance(&mut together, u32::MAX);
                together.iter_mut().filter_map(|hashing| hashing.output()).count()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lanes);
criterion_main!(benches);
