//! What does one decision of the limiter cost?
//!
//! Keyed by the name of a tenant, rate and rolling quota together, with the clock that production uses and with one
//! that stands still; admitted, refused, from two threads, and under a flood of unknown keys.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench says plainly what it expects"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_limit::{Limit, Limiter, ManualClock, Throttle};

fn wide() -> Limit {
    Limit::per_second(1e9).unwrap().burst(u32::MAX).unwrap()
}

fn tenants() -> Vec<String> {
    (0..1024).map(|n| format!("tenant-{n:04}.example.org")).collect()
}

fn throttle(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit/throttle");
    group.throughput(Throughput::Elements(1));
    let throttle = Throttle::with_clock(wide(), ManualClock::new());
    group.bench_function("rate", |b| b.iter(|| throttle.try_acquire(black_box(1))));
    let throttle = Throttle::with_clock(wide().per_day(u32::MAX).unwrap(), ManualClock::new());
    group.bench_function("rate and quota", |b| b.iter(|| throttle.try_acquire(black_box(1))));
    group.finish();
}

fn keyed(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit/keyed");
    group.throughput(Throughput::Elements(1));
    let tenants = tenants();
    let cases = [
        ("rate, system clock", Limiter::<String>::new(wide())),
        (
            "rate and quota, system clock",
            Limiter::new(wide().per_day(u32::MAX).unwrap()),
        ),
        (
            "rate and quota, still clock",
            Limiter::builder(wide().per_day(u32::MAX).unwrap())
                .clock(ManualClock::new())
                .build(),
        ),
        (
            "refused",
            Limiter::builder(Limit::per_second(1).unwrap().per_day(1).unwrap())
                .clock(ManualClock::new())
                .build(),
        ),
    ];
    for (name, limiter) in cases {
        for tenant in &tenants {
            assert!(limiter.try_acquire(tenant.as_str(), 1).is_admitted());
        }
        let mut turn = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                turn = (turn + 1) % tenants.len();
                limiter.try_acquire(black_box(tenants[turn].as_str()), 1)
            });
        });
    }
    group.finish();
}

fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit/two threads");
    group.throughput(Throughput::Elements(2));
    let tenants = tenants();
    let limiter = Limiter::<String>::new(wide().per_day(u32::MAX).unwrap());
    group.bench_function("rate and quota, system clock", |b| {
        b.iter_custom(|rounds| {
            let run = || {
                for round in 0..rounds as usize {
                    let _ = limiter.try_acquire(black_box(tenants[round % tenants.len()].as_str()), 1);
                }
            };
            let start = Instant::now();
            std::thread::scope(|scope| {
                scope.spawn(run);
                scope.spawn(run);
            });
            start.elapsed()
        });
    });
    group.finish();
}

fn flood(c: &mut Criterion) {
    let mut group = c.benchmark_group("limit/flood");
    group.throughput(Throughput::Elements(1));
    let clock = ManualClock::new();
    let limit = Limit::per_second(14)
        .unwrap()
        .burst(u32::MAX)
        .unwrap()
        .per_day(u32::MAX)
        .unwrap();
    let limiter = Limiter::<u64>::builder(limit)
        .max_keys(65_536)
        .clock(clock.clone())
        .build();
    let mut next = 0;
    group.bench_function("unknown keys, table full", |b| {
        b.iter(|| {
            next += 1;
            clock.advance(Duration::from_micros(1));
            limiter.try_acquire(black_box(&next), 1)
        });
    });
    assert!(limiter.len() <= 65_536);
    group.finish();
}

criterion_group!(benches, throttle, keyed, two_threads, flood);
criterion_main!(benches);
