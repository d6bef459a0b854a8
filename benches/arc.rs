//! ARC: validating and sealing, beside what the cryptography alone costs.
//!
//! `floor` is SHA-256 over what is signed, and the public-key operations, or the private-key operations of sealing, and nothing
//! else. Of a chain of three hops that is a message signature, three seals, and two more message signatures for the oldest pass.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use posthaste_auth::arc::{self, Chain, ChainResult, Sealer};
use posthaste_auth::authres::{AuthenticationResults, MethodResult};
use posthaste_auth::dkim::SigningKey;
use posthaste_dns::{Record, Zone};

const PEM: &str = include_str!("../crates/auth/tests/data/rsa2048.pem");

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Finishes a future that waits for nothing, as lookups in a zone do.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(output) => output,
        task::Poll::Pending => unreachable!("a zone answers at once"),
    }
}

fn message() -> Vec<u8> {
    let mut message = b"From: Ada Lovelace <ada@example.org>\r\nTo: Charles Babbage <charles@example.net>\r\n\
        Subject: Notes on the engine\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@example.org>\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
        .to_vec();
    while message.len() < 10_000 {
        message.extend_from_slice(
            b"The Analytical Engine weaves algebraical patterns just as the loom weaves flowers.\r\n",
        );
    }
    message
}

fn seal(sealer: &Sealer, message: &[u8], chain: &Chain) -> String {
    let results = AuthenticationResults::new("mx.example.org")
        .with(MethodResult::new("dkim", "pass").property("header", "d", "example.org"))
        .with(chain.method_result(Some([192, 0, 2, 1].into())));
    sealer.seal(message, &results, chain, now()).unwrap()
}

fn bench(c: &mut Criterion) {
    let key = SigningKey::from_pem(PEM).unwrap();
    let builder = Sealer::builder("example.org".parse().unwrap());
    let sealer = builder.key("s".parse().unwrap(), key).build().unwrap();
    let record = sealer.dns_record().unwrap();
    let mut zone = Zone::new();
    zone.insert(record.name(), Record::txt(record.text())).unwrap();
    let validate = |message: &[u8]| ready(arc::validate(message, &zone, now()));

    let original = message();
    let mut sealed = original.clone();
    for _ in 0..3 {
        sealed = [seal(&sealer, &sealed, &validate(&sealed)).as_bytes(), &sealed].concat();
    }
    let der: String = PEM.lines().filter(|line| !line.starts_with("-----")).collect();
    let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()).unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    let mut header = vec![b'a'; 1000];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &header, &mut signature)
        .unwrap();

    let mut group = c.benchmark_group("arc/validate");
    group.throughput(Throughput::Elements(1));
    group.bench_function("three hops", |b| {
        b.iter(|| {
            let chain = validate(black_box(&sealed));
            assert_eq!(chain.result(), ChainResult::Pass);
            chain
        });
    });
    group.bench_function("three hops, floor", |b| {
        b.iter(|| {
            black_box(digest(&SHA256, black_box(&original)));
            for _ in 0..6 {
                public.verify_sig(black_box(&header), &signature).unwrap();
            }
        });
    });
    group.finish();

    let chain = validate(&original);
    let mut group = c.benchmark_group("arc/seal");
    group.throughput(Throughput::Elements(1));
    group.bench_function("first hop", |b| b.iter(|| seal(&sealer, black_box(&original), &chain)));
    group.bench_function("first hop, floor", |b| {
        b.iter(|| {
            black_box(digest(&SHA256, black_box(&original)));
            for _ in 0..2 {
                header.rotate_left(1);
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &header, &mut signature)
                    .unwrap();
            }
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
