//! DKIM: signing and verifying, beside what the cryptography alone costs.
//!
//! `floor` in each group is SHA-256 over the message and the private-key operations of that group, nothing else: what no signer can
//! do without. Bodies are base64 in lines of 76, as attachments are.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime};
use posthaste_auth::dkim::{CanonicalBytes, DkimResult, Signer, SigningKey, verify};
use posthaste_dns::{Record, Zone};

/// Which keys sign.
#[derive(Clone, Copy)]
enum Keys {
    Rsa,
    Ed25519,
    Both,
}

impl Keys {
    const ALL: [(Self, &str); 3] = [
        (Self::Rsa, "rsa-2048"),
        (Self::Ed25519, "ed25519"),
        (Self::Both, "both"),
    ];

    fn has_rsa(self) -> bool {
        !matches!(self, Self::Ed25519)
    }

    fn has_ed25519(self) -> bool {
        !matches!(self, Self::Rsa)
    }
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn message(octets: usize) -> Vec<u8> {
    let mut message = b"From: Ada Lovelace <ada@example.org>\r\nTo: Charles Babbage <charles@example.net>\r\n\
        Subject: Notes on the engine\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <1@example.org>\r\n\
        MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    let line = b"TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQsIGNvbnNlY3RldHVyIGFkaXBpc2NpbmcgZWxpdCxh\r\n";
    while message.len() < octets {
        message.extend_from_slice(line);
    }
    message
}

fn floor(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, keys: Keys, pem: &str, message: &[u8]) {
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let rsa = RsaKeyPair::from_pkcs8(&STANDARD.decode(der).unwrap()).unwrap();
    let ed25519 = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let mut signature = vec![0; rsa.public_modulus_len()];
    group.bench_function(format!("{name}, floor"), |b| {
        b.iter(|| {
            let hash = digest(&SHA256, black_box(message));
            if keys.has_rsa() {
                rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), hash.as_ref(), &mut signature)
                    .unwrap();
            }
            if keys.has_ed25519() {
                black_box(ed25519.sign(hash.as_ref()));
            }
        });
    });
}

fn bench(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pem = SigningKey::generate_rsa_2048().unwrap().to_pem().unwrap();
    for (octets, size) in [(5_000, "5 KB"), (300_000, "300 KB")] {
        let message = message(octets);
        let mut sign = c.benchmark_group(format!("dkim sign, {size}"));
        sign.throughput(Throughput::Bytes(message.len() as u64));
        let mut signed = Vec::new();
        for (keys, name) in Keys::ALL {
            let mut zone = Zone::new();
            let mut builder = Signer::builder("example.org".parse().unwrap());
            let rsa = || SigningKey::from_pem(&pem).unwrap();
            let ed25519 = || SigningKey::from_ed25519_seed(&[7; 32]).unwrap();
            let wanted = [("r", keys.has_rsa().then(rsa)), ("e", keys.has_ed25519().then(ed25519))];
            for (selector, key) in wanted {
                let Some(key) = key else { continue };
                let record = Record::txt(key.dns_record());
                zone.insert(&format!("{selector}._domainkey.example.org"), record)
                    .unwrap();
                builder = builder.key(selector.parse().unwrap(), key);
            }
            let signer = builder.build().unwrap();
            floor(&mut sign, name, keys, &pem, &message);
            sign.bench_function(name, |b| {
                b.iter(|| signer.sign([black_box(message.as_slice())], now()).unwrap());
            });
            let fields = signer.sign([message.as_slice()], now()).unwrap();
            signed.push((name, zone, [fields.as_bytes(), &message].concat()));
        }
        sign.finish();

        let mut verified = c.benchmark_group(format!("dkim verify, {size}"));
        verified.throughput(Throughput::Bytes(message.len() as u64));
        for (name, zone, message) in &signed {
            verified.bench_function(*name, |b| {
                b.iter(|| {
                    let verdicts = runtime.block_on(verify(black_box(message), zone, now()));
                    assert!(verdicts.iter().all(|verdict| verdict.result() == DkimResult::Pass));
                });
            });
        }
        verified.finish();
    }
}

/// What hashing a body costs that is looked at, and one that was proven canonical before.
fn bodies(c: &mut Criterion) {
    let message = message(300_000);
    let proven = CanonicalBytes::new(message.clone().into()).unwrap();
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("e".parse().unwrap(), SigningKey::from_ed25519_seed(&[7; 32]).unwrap())
        .build()
        .unwrap();
    let mut group = c.benchmark_group("dkim body, 300 KB");
    group.throughput(Throughput::Bytes(message.len() as u64));
    group.bench_function("looked at", |b| {
        b.iter(|| {
            let mut body = signer.body();
            body.update(black_box(&message));
            body
        });
    });
    group.bench_function("proven canonical", |b| {
        b.iter(|| {
            let mut body = signer.body();
            body.update_canonical(black_box(&proven));
            body
        });
    });
    group.bench_function("floor", |b| b.iter(|| digest(&SHA256, black_box(&message))));
    group.finish();
}

criterion_group!(benches, bench, bodies);
criterion_main!(benches);
