//! How long does it take to make all records of a domain, to write them, and to flatten and count an SPF record?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use posthaste_auth::dkim::SigningKey;
use posthaste_auth::dmarc::{Policy as DmarcPolicy, Record as DmarcRecord, ReportAddress};
use posthaste_dns::Zone;
use posthaste_publish::mta_sts::{Mode, Policy, Record};
use posthaste_publish::spf::{Budget, Builder, Qualifier, flatten};
use posthaste_publish::{DkimKey, Setup, tls_rpt};

fn setup(rsa: &DkimKey, ed25519: &DkimKey) -> Setup {
    let policy = Policy::new(Mode::Enforce, Duration::from_secs(604_800)).mx("*.example.org".parse().unwrap());
    let reports = ReportAddress::new("dmarc@example.org").unwrap();
    Setup::new("example.org".parse().unwrap())
        .mx(10, "mx1.example.org".parse().unwrap())
        .mx(20, "mx2.example.org".parse().unwrap())
        .spf(Builder::new().mx().include("spf.example.net").all(Qualifier::Fail))
        .dkim_key(rsa.clone())
        .dkim_key(ed25519.clone())
        .dmarc(
            DmarcRecord::builder(DmarcPolicy::Reject)
                .aggregate_reports_to(reports)
                .build(),
        )
        .mta_sts(Record::new("20261123").unwrap(), policy)
        .policy_host("www.example.org".parse().unwrap())
        .tls_rpt(tls_rpt::Record::new(["mailto:tls@example.org".parse().unwrap()]))
}

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    let rsa = DkimKey::new("r1".parse().unwrap(), &SigningKey::generate_rsa_2048().unwrap());
    let ed25519 = DkimKey::new("e1".parse().unwrap(), &SigningKey::generate_ed25519().unwrap());
    group.bench_function("setup", |b| {
        b.iter(|| setup(black_box(&rsa), black_box(&ed25519)).build().unwrap())
    });
    let publication = setup(&rsa, &ed25519).build().unwrap();
    group.bench_function("zone file", |b| b.iter(|| black_box(&publication).to_zone_file()));
    group.bench_function("json", |b| b.iter(|| black_box(&publication).to_json()));

    let mut zone =
        Zone::parse("spf.example.net. TXT \"v=spf1 include:a.example.net include:b.example.net ~all\"\n").unwrap();
    for name in ["a", "b"] {
        let networks: String = (0..20).map(|n| format!(" ip4:10.{n}.{}.0/24", n * 3)).collect();
        let text = format!("v=spf1{networks} mx:example.net -all");
        zone.insert(&format!("{name}.example.net"), posthaste_dns::Record::txt(text))
            .unwrap();
    }
    zone.insert("example.net", posthaste_dns::Record::mx(10, "mx.example.net"))
        .unwrap();
    zone.insert("mx.example.net", posthaste_dns::Record::A([192, 0, 2, 1].into()))
        .unwrap();
    let record = Builder::new().include("spf.example.net").all(Qualifier::Fail);
    let domain = "example.org".parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    group.bench_function("spf budget", |b| {
        b.iter(|| runtime.block_on(Budget::of(black_box(&record), &domain, &zone)))
    });
    group.bench_function("spf flatten", |b| {
        b.iter(|| runtime.block_on(flatten(black_box(&record), &domain, &zone)).unwrap())
    });
    group.finish();
}

criterion_group!(benches, publish);
criterion_main!(benches);
