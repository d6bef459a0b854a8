//! How long does a question to the zone in memory take, and how long its text to parse?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_dns::{RecordType, Zone};

fn zone(c: &mut Criterion) {
    let mut text = String::new();
    for n in 0..1_000 {
        writeln!(
            text,
            "host{n}.example.org. A 192.0.2.{}\nhost{n}.example.org. TXT \"v=spf1 -all\"",
            n % 250
        )
        .unwrap();
    }
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

criterion_group!(benches, zone);
criterion_main!(benches);
