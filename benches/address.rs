//! How long does it take to parse an address, a mailbox and a header's list of 500, and to make the key of an address?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_address::{AddressList, EmailAddress, KeyRules, Mailbox, ParseOptions};
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
    for (name, text) in [
        ("mailbox", "Ada Lovelace <ada@example.org>"),
        ("mailbox with a quoted name", "\"Lovelace, Ada\" <ada@example.org>"),
        ("mailbox with a folded name", "Ada (L.)\r\n Lovelace <ada@example.org>"),
    ] {
        group.bench_function(name, |b| b.iter(|| black_box(text).parse::<Mailbox>().unwrap()));
    }
    let address: EmailAddress = "Ada.Lovelace+news@example.org".parse().unwrap();
    let rules = KeyRules::default().ignore_subaddress('+');
    group.bench_function("key", |b| b.iter(|| rules.key(black_box(&address))));
    let list: Vec<String> = (0..500)
        .map(|n| format!("\"Recipient, no. {n}\" <recipient.{n}@example.org>"))
        .collect();
    let list = list.join(",\r\n ");
    group.throughput(Throughput::Elements(500));
    group.bench_function("list of 500", |b| {
        b.iter(|| black_box(&list).parse::<AddressList>().unwrap())
    });
    group.bench_function("list of 500, leniently", |b| {
        b.iter(|| AddressList::parse_leniently(black_box(&list), &ParseOptions::default()))
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
