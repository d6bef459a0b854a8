//! How long does it take to read a report of 1000 records, plain and packed, and to write one; beside what parsing alone takes?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_report::dmarc::{
    AuthResults, Disposition, DkimResult, DkimWord, Evaluation, Metadata, Outcome, Policy, PublishedPolicy, Record,
    Report,
};
use posthaste_report::{Limits, tls};

fn aggregate() -> Report {
    let mut metadata = Metadata::default();
    metadata.org_name = Some("Example".into());
    metadata.email = Some("dmarc@example.net".into());
    metadata.report_id = Some("1".into());
    metadata.begin = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    metadata.end = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_086_399));
    let mut report = Report::new(metadata, PublishedPolicy::new("example.org", Policy::Reject));
    for number in 0..1000u32 {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).into();
        let evaluation = Evaluation::new(address, "example.org", Disposition::Pass, Outcome::Pass, Outcome::Fail);
        let mut record = Record::default();
        record.source_ip = Some(evaluation.source_ip);
        record.count = Some(u64::from(number) + 1);
        record.evaluated = evaluation.evaluated;
        record.identifiers = evaluation.identifiers;
        let mut results = AuthResults::default();
        results.dkim = vec![DkimResult::new("example.org", "r2026", DkimWord::Pass)];
        record.auth_results = results;
        report.records.push(record);
    }
    report
}

fn tls_report() -> tls::Report {
    let mut report = tls::Report::default();
    report.organization_name = Some("Example".into());
    report.contact_info = Some("tls@example.net".into());
    report.report_id = Some("1".into());
    report.begin = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    report.end = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_086_399));
    let mut result = tls::PolicyResult::new(tls::Policy::new(tls::PolicyType::Sts, "example.org"), 40, 1000);
    result.failures = (0..1000)
        .map(|number| {
            let mut failure = tls::Failure::new(tls::ResultType::CertificateExpired, number + 1);
            failure.receiving_mx_hostname = Some(format!("mx{number}.example.org"));
            failure
        })
        .collect();
    report.policies = vec![result];
    report
}

fn reports(c: &mut Criterion) {
    let limits = Limits::new();
    let report = aggregate();
    let (xml, packed) = (report.to_xml().unwrap(), report.to_gzip().unwrap());
    let mut group = c.benchmark_group("aggregate report, 1000 records");
    group.throughput(Throughput::Bytes(xml.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| Report::read(black_box(xml.as_bytes()), &limits).unwrap())
    });
    // The least: the XML tokenized, nothing kept.
    group.bench_function("floor: quick-xml's events, nothing kept", |b| {
        b.iter(|| {
            let mut reader = quick_xml::Reader::from_str(black_box(&xml));
            let mut events = 0;
            while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {
                events += 1;
            }
            events
        });
    });
    group.bench_function("read, gzip", |b| {
        b.iter(|| Report::read(black_box(&packed), &limits).unwrap())
    });
    group.bench_function("write", |b| b.iter(|| black_box(&report).to_xml().unwrap()));
    group.finish();

    let report = tls_report();
    let json = report.to_json().unwrap();
    let mut group = c.benchmark_group("TLS report, 1000 failures");
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| tls::Report::read(black_box(json.as_bytes()), &limits).unwrap())
    });
    group.bench_function("floor: serde_json, any value", |b| {
        b.iter(|| serde_json::from_str::<serde_json::Value>(black_box(&json)).unwrap());
    });
    group.bench_function("write", |b| b.iter(|| black_box(&report).to_json().unwrap()));
    group.finish();
}

criterion_group!(benches, reports);
criterion_main!(benches);
