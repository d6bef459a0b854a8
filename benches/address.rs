//! How long does it take to parse an address, and a header's list of 500?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_address::{AddressList, EmailAddress};
use std::hint::black_box;

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("address");
    for (name, text) in [
        ("ascii", "ada.lovelace@mail.example.org"),
        ("internationalised domain", "ada.lovelace@bücher.example"),
        ("quoted local part", "\"ada lovelace\"@mail.example.org"),
    ] {
        group.throughput(Throughput::Elements(1));
        group.bench_function(name, |b| b.iter(|| black_box(text).parse::<EmailAddress>().unwrap()));
    }
    let list: Vec<String> = (0..500)
        .map(|n| format!("\"Recipient, no. {n}\" <recipient.{n}@example.org>"))
        .collect();
    let list = list.join(",\r\n ");
    group.throughput(Throughput::Elements(500));
    group.bench_function("list of 500", |b| {
        b.iter(|| black_box(&list).parse::<AddressList>().unwrap())
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
