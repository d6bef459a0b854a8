//! How fast do messages go through SMTP?
//!
//! `cargo bench --bench smtp`; `-- --test` runs each measurement once.

#![allow(clippy::unwrap_used, missing_docs, reason = "a bench that cannot go on stops")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_address::{EmailAddress, Envelope, Recipient};
use posthaste_mime::Rope;
use posthaste_smtp::protocol::{Command, DataReader, DotStuffer, ReplyParser};
use posthaste_smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};
use posthaste_smtp::{SmtpTransport, Tls};
use posthaste_transport::{Outbound, SendOptions, Transport};

/// A message of about `size` octets, a dot at the start of every fiftieth line.
fn message(size: usize) -> Vec<u8> {
    let mut text = b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: bench\r\n\r\n".to_vec();
    for line in 0.. {
        if text.len() >= size {
            break;
        }
        if line % 50 == 49 {
            text.push(b'.');
        }
        text.extend_from_slice(b"The quick brown fox jumps over the lazy dog, and then over the fence, once.\r\n");
    }
    text
}

/// What do the parsers and the dots cost, without a socket?
fn protocol(c: &mut Criterion) {
    let mut group = c.benchmark_group("smtp/protocol");
    for (name, size) in [("5 KB", 5_000), ("200 KB", 200_000)] {
        let text = Bytes::from(message(size));
        group.throughput(Throughput::Bytes(text.len().try_into().unwrap()));
        group.bench_function(format!("dot-stuff {name}"), |b| {
            b.iter(|| {
                let mut stuffer = DotStuffer::new();
                stuffer.push(black_box(&text)).unwrap();
                stuffer.finish().unwrap().wire_length()
            });
        });
        let mut stuffer = DotStuffer::new();
        stuffer.push(&text).unwrap();
        let wire = stuffer.finish().unwrap().to_vec();
        group.bench_function(format!("read DATA {name}"), |b| {
            b.iter(|| {
                let mut reader = DataReader::new(1 << 20, 1000);
                reader.advance(black_box(&wire));
                reader.finish().unwrap().len()
            });
        });
    }
    let reply = b"250-mx.example.net\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
    group.throughput(Throughput::Elements(1));
    group.bench_function("parse an EHLO reply", |b| {
        b.iter(|| ReplyParser::new().advance(black_box(reply)).unwrap().0)
    });
    let line = b"MAIL FROM:<ada@example.org> SIZE=5000 BODY=8BITMIME";
    group.bench_function("parse MAIL", |b| b.iter(|| Command::parse(black_box(line)).unwrap()));
    group.finish();
}

struct Sink;

impl Handler for Sink {
    fn rcpt<'a>(&'a self, _: &'a Session, _: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        Box::pin(std::future::ready(Verdict::accept()))
    }

    fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        black_box(incoming);
        Box::pin(std::future::ready(Verdict::accept()))
    }
}

/// How long does one message take from our client to our server on loopback, over a connection that is kept?
fn loopback(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let limits = posthaste_smtp::server::Limits::default().session(std::time::Duration::from_secs(86_400));
    let bound = runtime
        .block_on(Server::builder(Sink).limits(limits).bind("127.0.0.1:0"))
        .unwrap();
    let port = bound.local_addr().port();
    runtime.spawn(bound.serve_until(std::future::pending()));

    let mut group = c.benchmark_group("smtp/loopback");
    for (name, size) in [("5 KB", 5_000), ("200 KB", 200_000)] {
        let address = |text: &str| text.parse::<EmailAddress>().unwrap();
        let envelope = Envelope::new(Some(address("ada@example.org")), [address("bob@example.net")]).unwrap();
        let mail = Outbound::raw(envelope, Rope::from(Bytes::from(message(size))));
        let transport = SmtpTransport::builder("127.0.0.1")
            .port(port)
            .tls(Tls::None)
            .build()
            .unwrap();
        let options = SendOptions::new();
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("one message of {name}"), |b| {
            b.iter(|| runtime.block_on(transport.send(&mail, &options)).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, protocol, loopback);
criterion_main!(benches);
