//! How long does a question to the zone in memory take, how long its text to parse, and what does the cache cost over a
//! bare hash map?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_dns::{Answer, CachingResolver, LookupError, RecordType, Recorder, Resolver, Zone};

fn text() -> String {
    let mut text = String::new();
    for n in 0..1_000 {
        writeln!(
            text,
            "host{n}.example.org. A 192.0.2.{}\nhost{n}.example.org. TXT \"v=spf1 -all\"",
            n % 250
        )
        .unwrap();
    }
    text
}

/// Looks up what is answered at once.
fn ask(resolver: &dyn Resolver, name: &str) -> Result<Answer, LookupError> {
    let mut lookup = resolver.lookup(name, RecordType::Txt);
    match lookup.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(LookupError::Timeout),
    }
}

fn zone(c: &mut Criterion) {
    let text = text();
    let zone = Zone::parse(&text).unwrap();
    let mut group = c.benchmark_group("dns");
    group.throughput(Throughput::Elements(2_000));
    group.bench_function("parse 2000 records", |b| {
        b.iter(|| Zone::parse(black_box(&text)).unwrap())
    });
    group.throughput(Throughput::Elements(1));
    for (name, question) in [
        ("answer", "host500.example.org"),
        ("no such name", "nobody.example.org"),
    ] {
        group.bench_function(name, |b| b.iter(|| zone.answer(black_box(question), RecordType::Txt)));
    }
    group.finish();
}

/// A hit is a name brought into its form, a lock, a hash, and a copy of the answer. The floor is the hash map alone under
/// its lock, with the same copy.
fn cache(c: &mut Criterion) {
    let text = text();
    let names: Vec<String> = (0..1_000).map(|n| format!("host{n}.example.org")).collect();
    let zone = Zone::parse(&text).unwrap();
    let floor: Mutex<HashMap<(String, RecordType), Answer>> = Mutex::new(
        names
            .iter()
            .map(|name| {
                (
                    (name.clone(), RecordType::Txt),
                    zone.answer(name, RecordType::Txt).unwrap(),
                )
            })
            .collect(),
    );
    let cached = CachingResolver::new(zone.clone());
    for name in &names {
        ask(&cached, name).unwrap();
    }
    let thrashed = CachingResolver::builder(zone.clone()).entries(100).build();
    let unkept = CachingResolver::builder(zone).entries(0).build();

    let mut group = c.benchmark_group("dns cache");
    group.throughput(Throughput::Elements(1));
    let mut next = 0;
    let mut name = || {
        next = (next + 7) % names.len();
        names.get(next).map_or("", String::as_str)
    };
    group.bench_function("hash map", |b| {
        b.iter(|| {
            let key = (black_box(name()).to_owned(), RecordType::Txt);
            floor.lock().unwrap().get(&key).cloned()
        })
    });
    for (case, resolver) in [
        ("hit", &cached),
        ("miss that evicts", &thrashed),
        ("miss that is not kept", &unkept),
    ] {
        group.bench_function(case, |b| b.iter(|| ask(resolver, black_box(name()))));
    }
    group.bench_function("hit, recorded", |b| {
        b.iter(|| ask(&Recorder::new(&cached), black_box(name())))
    });
    group.finish();
}

criterion_group!(benches, zone, cache);
criterion_main!(benches);
