//! What does it cost to build and write one message?
//!
//! Three sizes: text and HTML of 8 KB each with UTF-8 in subject and names; the same with an inline picture and an
//! attachment of 100 KB; the same with 1 MB. Then what a campaign pays for each further message with an attachment that
//! is encoded already.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench says plainly what it expects")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use posthaste_mime::{Attachment, ContentId, ContentType, Message, MessageBuilder};

/// Text of `len` octets as people write it: lines of some seventy characters, a few of them not ASCII.
fn prose(len: usize, line: &str) -> String {
    let mut text = line.repeat(len.div_ceil(line.len()));
    while !text.is_char_boundary(len) {
        text.push(' ');
    }
    text.truncate(len);
    text
}

fn plain() -> String {
    prose(
        8192,
        "Liebe Grüße aus Köln, wo heute wieder einmal die Sonne nicht scheint.\n",
    )
}

fn html() -> String {
    prose(
        8192,
        "<p style=\"margin:0 0 12px\">Liebe Grüße aus <b>Köln</b>, wo die Sonne nicht scheint.</p>\n",
    )
}

fn attachment(len: usize) -> Attachment {
    let data: Vec<u8> = (0..len).map(|n| u8::try_from(n * 31 % 251).unwrap()).collect();
    Attachment::new("Bericht März.pdf", ContentType::parse("application/pdf").unwrap(), data).unwrap()
}

fn logo() -> Attachment {
    let data = vec![0x5A; 24 * 1024];
    Attachment::inline(
        ContentId::new("logo").unwrap(),
        ContentType::parse("image/png").unwrap(),
        data,
    )
}

fn letter(plain: &str, html: &str) -> MessageBuilder {
    Message::builder()
        .from("Jürgen Groß <juergen@example.org>".parse().unwrap())
        .to("Zoë Müller <zoe@example.net>".parse().unwrap())
        .subject("Grüße zum Monatsende")
        .text(plain)
        .html(html)
}

fn one_message(c: &mut Criterion) {
    let (plain, html) = (plain(), html());
    let mut group = c.benchmark_group("mime/one message");
    let size = |builder: MessageBuilder| Throughput::Bytes(builder.build().unwrap().to_rope().len());

    group.throughput(size(letter(&plain, &html)));
    group.bench_function("16 KB of text", |b| {
        b.iter(|| letter(black_box(&plain), &html).build().unwrap().to_rope());
    });
    for (name, len) in [
        ("with 100 KB attached", 100 * 1024),
        ("with 1 MB attached", 1024 * 1024),
    ] {
        group.throughput(size(letter(&plain, &html).inline(logo()).attach(attachment(len))));
        group.bench_function(name, |b| {
            // Fresh attachments each time: nothing is encoded yet.
            b.iter_batched(
                || (logo(), attachment(len)),
                |(logo, attachment)| {
                    letter(black_box(&plain), &html)
                        .inline(logo)
                        .attach(attachment)
                        .build()
                        .unwrap()
                        .to_rope()
                },
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

fn campaign(c: &mut Criterion) {
    let (plain, html) = (plain(), html());
    let (logo, attachment) = (logo(), attachment(200 * 1024));
    let mut group = c.benchmark_group("mime/campaign");
    group.throughput(Throughput::Elements(1));
    group.bench_function("200 KB attached to every message", |b| {
        b.iter(|| {
            letter(black_box(&plain), &html)
                .inline(logo.clone())
                .attach(attachment.clone())
                .build()
                .unwrap()
                .to_rope()
        });
    });
    group.finish();
}

fn headers(c: &mut Criterion) {
    let recipients: Vec<posthaste_address::Mailbox> = (0..500)
        .map(|n| format!("Recipient Number {n} <user{n}@example.org>").parse().unwrap())
        .collect();
    let mut group = c.benchmark_group("mime/headers");
    group.throughput(Throughput::Elements(500));
    group.bench_function("500 recipients in To", |b| {
        b.iter_batched(
            || recipients.clone(),
            |recipients| {
                let builder = Message::builder().from("ada@example.org".parse().unwrap());
                builder.to_all(recipients).build().unwrap().to_rope()
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, one_message, campaign, headers);
criterion_main!(benches);
