//! How long does it take to read what came back: a report with fields, a bounce in words, and a mail that is neither?

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use posthaste_events::mail::Returned;
use posthaste_events::verp::Verp;
use posthaste_mime::RawMessage;

const FIELDS: &str = "From: MAILER-DAEMON@mx.example.net\r\nSubject: Undelivered Mail Returned to Sender\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n\
    I'm sorry to have to inform you that your message could not be delivered.\r\n\r\n--b\r\n\
    Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\n\
    Final-Recipient: rfc822;bob@example.net\r\nAction: failed\r\nStatus: 5.0.0\r\n\
    Diagnostic-Code: smtp; 550 5.1.1 <bob@example.net>: Recipient address rejected: User unknown\r\n\r\n--b\r\n\
    Content-Type: text/rfc822-headers\r\n\r\nTo: bob@example.net\r\nMessage-ID: <1@example.org>\r\n\r\n--b--\r\n";

const WORDS: &str = "From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n\r\n\
    Hi. This is the qmail-send program at mx.example.net.\r\n\r\n<bob@example.net>:\r\n\
    192.0.2.1 does not like recipient.\r\nRemote host said: 550 5.1.1 <bob@example.net>: User unknown\r\n\
    Giving up on 192.0.2.1.\r\n\r\n--- Below this line is a copy of the message.\r\n\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n";

fn returned(c: &mut Criterion) {
    let mut group = c.benchmark_group("mail that came back");
    let letter = format!(
        "From: ada@example.org\r\nSubject: Re: Hello\r\n\r\n{}",
        "Some words of a letter.\r\n".repeat(100)
    );
    for (name, mail) in [("fields", FIELDS), ("words", WORDS), ("a letter", letter.as_str())] {
        let octets = bytes::Bytes::from(mail.as_bytes().to_vec());
        group.bench_function(name, |b| b.iter(|| Returned::read(black_box(octets.clone())).unwrap()));
        // The least: its parts found, nothing read in them.
        group.bench_function(format!("{name}: floor, the parts alone"), |b| {
            b.iter(|| {
                RawMessage::parse(black_box(octets.clone()))
                    .unwrap()
                    .parts()
                    .unwrap()
                    .len()
            });
        });
    }
    group.finish();

    let verp = Verp::new(b"0123456789abcdef", "bounce", "mail.example.org".parse().unwrap()).unwrap();
    let recipient = "bob@example.net".parse().unwrap();
    let reverse_path = verp.for_recipient(&recipient).unwrap();
    c.bench_function("verp: make", |b| {
        b.iter(|| verp.for_recipient(black_box(&recipient)).unwrap())
    });
    c.bench_function("verp: read", |b| {
        b.iter(|| verp.read(black_box(&reverse_path)).unwrap())
    });
}

criterion_group!(benches, returned);
criterion_main!(benches);
