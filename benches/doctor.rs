//! How long does it take to look at a domain whose records are at hand, and at a message?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use posthaste_dns::Zone;
use posthaste_doctor::{Context, Doctor, preflight};
use posthaste_mime::Message;

fn doctor(c: &mut Criterion) {
    let mut group = c.benchmark_group("doctor");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let domain = "example.org".parse().unwrap();
    for (name, text) in [
        ("full", include_str!("../crates/doctor/tests/zones/full.zone")),
        ("hostile", include_str!("../crates/doctor/tests/zones/hostile.zone")),
    ] {
        let zone = Zone::parse(text).unwrap();
        let doctor = Doctor::new(&zone).selectors(["s1".parse().unwrap(), "huge".parse().unwrap()]);
        group.bench_function(name, |b| b.iter(|| runtime.block_on(black_box(&doctor).check(&domain))));
    }
    let message = Message::builder()
        .from("Ada <ada@example.org>".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("News")
        .text("See https://example.org/")
        .html("<p><a href=\"https://example.org/\">Read on</a></p>".repeat(50))
        .build()
        .unwrap();
    let context = Context::new().bulk(true).signed_by("example.org".parse().unwrap());
    group.bench_function("preflight", |b| b.iter(|| preflight(black_box(&message), &context)));
    group.finish();
}

criterion_group!(benches, doctor);
criterion_main!(benches);
