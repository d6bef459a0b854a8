//! What does a relay pay to look into a message and change its header?
//!
//! One message with an attachment of 150 KB, 200 KB as it is sent. `strip` parses it, takes a field out and lays out the
//! chunks to send; `parts` also finds the attachment and its size; `decode` decodes it too. mail-parser is beside them,
//! which always reads and decodes everything.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench says plainly what it expects")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mail_parser::MessageParser;
use posthaste_mime::{Attachment, ContentType, HeaderName, HeaderValue, Message, RawMessage};

fn message() -> Bytes {
    let data: Vec<u8> = (0..150_000_u32).map(|n| u8::try_from(n * 31 % 251).unwrap()).collect();
    Message::builder()
        .from("Ada Lovelace <ada@example.org>".parse().unwrap())
        .to("Zoë Müller <zoe@example.net>".parse().unwrap())
        .subject("Grüße zum Monatsende")
        .header(
            HeaderName::new("X-SES-CONFIGURATION-SET").unwrap(),
            HeaderValue::new("newsletter").unwrap(),
        )
        .text("Hello Zoë, see the report.\n".repeat(20))
        .attach(Attachment::new("report.pdf", ContentType::parse("application/pdf").unwrap(), data).unwrap())
        .build()
        .unwrap()
        .to_bytes()
        .unwrap()
}

fn relay(c: &mut Criterion) {
    let bytes = message();
    let mut group = c.benchmark_group("raw/200 KB");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("strip", |b| {
        b.iter(|| {
            let mut message = RawMessage::parse(black_box(bytes.clone())).unwrap();
            assert_eq!(message.remove("X-SES-CONFIGURATION-SET"), 1);
            message.to_rope()
        });
    });
    group.bench_function("parts", |b| {
        b.iter(|| {
            let message = RawMessage::parse(black_box(bytes.clone())).unwrap();
            let parts = message.parts().unwrap();
            parts
                .iter()
                .filter(|part| part.is_attachment())
                .map(|part| part.decoded_len())
                .sum::<usize>()
        });
    });
    group.bench_function("decode", |b| {
        b.iter(|| {
            let message = RawMessage::parse(black_box(bytes.clone())).unwrap();
            let parts = message.parts().unwrap();
            parts.iter().map(|part| part.decoded().len()).sum::<usize>()
        });
    });
    group.bench_function("mail-parser", |b| {
        b.iter(|| {
            MessageParser::default()
                .parse(black_box(&bytes[..]))
                .unwrap()
                .parts
                .len()
        });
    });
    group.finish();
}

criterion_group!(benches, relay);
criterion_main!(benches);
