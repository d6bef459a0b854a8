//! What does SPF cost beyond the DNS?
//!
//! Reading a record of ordinary size, and whole checks against a zone in memory: decided by an address, by an include
//! two levels down, and by the explanation of a refusal.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench says plainly what it expects")]

use std::{future::Future, hint::black_box, pin::pin, task};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_auth::spf::{self, Limits, Query, Record};
use posthaste_dns::Zone;

const RECORD: &str = "v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.0/25 ip6:2001:db8::/32 include:_spf.example.net \
    a:mail.%{d2} exists:%{ir}.list.example.net mx -all";

/// Finishes a future that waits for nothing, as lookups in a zone do.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(output) => output,
        task::Poll::Pending => unreachable!("a zone answers at once"),
    }
}

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("spf/parse");
    group.throughput(Throughput::Bytes(RECORD.len() as u64));
    group.bench_function("ordinary record", |b| {
        b.iter(|| Record::parse(black_box(RECORD.as_bytes())).unwrap())
    });
    group.finish();
}

fn check(c: &mut Criterion) {
    let zone = Zone::parse(
        "direct.test.   TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n\
         nested.test.   TXT \"v=spf1 include:one.test -all\"\n\
         one.test.      TXT \"v=spf1 ip4:198.51.100.0/24 include:two.test ~all\"\n\
         two.test.      TXT \"v=spf1 a:host.test mx:mx.test ?all\"\n\
         host.test.     A 203.0.113.1\n\
         mx.test.       MX 10 in.mx.test.\n\
         in.mx.test.    A 192.0.2.1\n\
         refusing.test. TXT \"v=spf1 exp=why.test -all\"\n\
         why.test.      TXT \"%{i} may not send as %{s}: https://why.test/?id=%{S}&ip=%{C}\"\n",
    )
    .unwrap();
    let limits = Limits::default();
    let mut group = c.benchmark_group("spf/check");
    group.throughput(Throughput::Elements(1));
    for (name, sender, expected) in [
        ("address", "ada@direct.test", spf::Result::Pass),
        ("two includes", "ada@nested.test", spf::Result::Pass),
        ("explained refusal", "ada@refusing.test", spf::Result::Fail),
    ] {
        let query = Query::new([192, 0, 2, 1].into(), "mail.test", sender);
        group.bench_function(name, |b| {
            b.iter(|| {
                let report = ready(spf::check_host(black_box(&query), &zone, &limits));
                assert_eq!(report.result(), expected);
                report
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parse, check);
criterion_main!(benches);
