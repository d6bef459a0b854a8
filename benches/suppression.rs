//! What does it cost to ask whether a message may go out?
//!
//! A list of a hundred thousand addresses in memory, in a SQLite file and in PostgreSQL (where `POSTHASTE_INTEROP_POSTGRES` says where that
//! is): one recipient and fifty, half of whom are on the list; and files in and out.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench says plainly what it expects"
)]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_address::EmailAddress;
use posthaste_suppression::{
    CsvReader, CsvWriter, Entry, Lookup, MemorySuppressionList, PostgresSuppressionList, Reason, SqlSettings,
    SqliteSuppressionList, SuppressionList,
};
use testservers::{Postgres, Program};
use tokio::runtime::Runtime;

const ADDRESSES: usize = 100_000;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn address(n: usize) -> EmailAddress {
    format!("recipient.{n:07}@example{}.net", n % 100).parse().unwrap()
}

fn entries() -> Vec<Entry> {
    // The even ones.
    let entry = |n| Entry::new(address(2 * n), Reason::Bounce, now()).with_detail("550 5.1.1 no such user");
    (0..ADDRESSES).map(entry).collect()
}

fn find(c: &mut Criterion, name: &str, runtime: &Runtime, list: &dyn SuppressionList) {
    for batch in entries().chunks(10_000) {
        runtime.block_on(list.put(batch)).unwrap();
    }
    let mut group = c.benchmark_group(format!("suppression/{name}"));
    for recipients in [1, 50] {
        let all: Vec<EmailAddress> = (0..ADDRESSES).step_by(7).map(address).collect();
        let mut turn = 0;
        group.throughput(Throughput::Elements(recipients as u64));
        group.bench_function(format!("find {recipients}"), |b| {
            b.iter(|| {
                turn = (turn + recipients) % (all.len() - recipients);
                let addresses: Vec<&EmailAddress> = all[turn..turn + recipients].iter().collect();
                let lookup = Lookup::new(black_box(&addresses), now());
                runtime.block_on(list.find(&lookup)).unwrap()
            });
        });
    }
    group.finish();
}

fn lists(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    find(c, "memory", &runtime, &MemorySuppressionList::new());
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteSuppressionList::open(folder.path().join("list.db"), SqlSettings::default());
    find(c, "sqlite", &runtime, &runtime.block_on(sqlite).unwrap());
    if Program::Postgres.path().is_some() {
        let server = Postgres::start();
        let settings = SqlSettings::default().with_timeout(Duration::from_secs(60));
        let url = server.url("postgres");
        let postgres = runtime
            .block_on(PostgresSuppressionList::connect(&url, settings))
            .unwrap();
        find(c, "postgres", &runtime, &postgres);
    }
}

fn files(c: &mut Criterion) {
    let entries = entries();
    let write = || {
        let mut writer = CsvWriter::new(Vec::new());
        entries.iter().for_each(|entry| writer.write(entry).unwrap());
        writer.finish().unwrap()
    };
    let file = write();
    let mut group = c.benchmark_group("suppression/csv");
    group.sample_size(20).throughput(Throughput::Elements(ADDRESSES as u64));
    group.bench_function("write", |b| b.iter(write));
    group.bench_function("read", |b| {
        b.iter(|| {
            assert_eq!(
                CsvReader::new(black_box(file.as_slice()), now()).flatten().count(),
                ADDRESSES
            )
        });
    });
    group.finish();
}

criterion_group!(benches, lists, files);
criterion_main!(benches);
