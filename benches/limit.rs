//! What does one decision of the limiter cost?
//!
//! Keyed by the name of a tenant, rate and rolling quota together, with the clock that production uses and with one
//! that stands still; admitted, refused, from two threads, and under a flood of unknown keys. Then through a Redis and a
//! PostgreSQL that it starts itself, one at a time and many at once, where `POSTHASTE_INTEROP_REDIS` and
//! `POSTHASTE_INTEROP_POSTGRES` say where the programs are.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench says plainly what it expects"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use posthaste_limit::{Limit, Limiter, ManualClock, PostgresLimiter, RedisLimiter, SharedLimiter, Throttle};
use testservers::{Postgres, Program, Redis};
use tokio::runtime::Runtime;

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

/// Decisions of a store, one at a time and `crowd` at once, over a thousand keys.
fn shared(c: &mut Criterion, name: &str, runtime: &Runtime, limiter: &dyn SharedLimiter, crowd: usize) {
    let tenants = tenants();
    let mut group = c.benchmark_group(format!("limit/{name}"));
    let mut turn = 0;
    let mut next = || {
        turn = (turn + 1) % tenants.len();
        tenants[turn].as_str()
    };
    group.throughput(Throughput::Elements(1));
    group.bench_function("one at a time", |b| {
        b.iter(|| runtime.block_on(limiter.acquire(next(), 1)).unwrap());
    });
    group.throughput(Throughput::Elements(crowd as u64));
    group.bench_function(format!("{crowd} at once"), |b| {
        b.iter(|| {
            let all = join_all((0..crowd).map(|_| limiter.acquire(next(), 1)));
            for decision in runtime.block_on(all) {
                assert!(decision.unwrap().is_admitted());
            }
        });
    });
    group.finish();
}

fn stores(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let _guard = runtime.enter();
    let limit = wide().per_day(u32::MAX).unwrap();
    if Program::Redis.path().is_some() {
        let server = Redis::start();
        let limiter = RedisLimiter::builder(&server.url(), limit).timeout(Duration::from_secs(60));
        shared(c, "redis", &runtime, &limiter.build().unwrap(), 256);
    }
    if Program::Postgres.path().is_some() {
        let server = Postgres::start();
        let limiter = PostgresLimiter::builder(&server.url("postgres"), limit).timeout(Duration::from_secs(60));
        shared(c, "postgres", &runtime, &limiter.connections(8).build().unwrap(), 64);
    }
}

criterion_group!(benches, throttle, keyed, two_threads, flood, stores);
criterion_main!(benches);
