//! Messages to be signed. The first octet says how; the rest is the message. What is signed has a signature for each key, and
//! all of them verify, however the message was handed over.
#![no_main]

use std::{future::Future, pin::pin, sync::LazyLock, task, time::Duration, time::SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::dkim::{CanonicalBytes, Canonicalization, DkimResult, Signer, SigningKey, verify};
use posthaste_dns::Zone;

/// A signer for each value of the lowest three bits, and the records of all.
static SIGNERS: LazyLock<(Vec<Signer>, Zone)> = LazyLock::new(|| {
    let key = |seed: u8| SigningKey::from_ed25519_seed(&[seed; 32]).expect("32 octets");
    let way = |bit: bool| {
        if bit {
            Canonicalization::Simple
        } else {
            Canonicalization::Relaxed
        }
    };
    let signers: Vec<Signer> = (0..8)
        .map(|bits: u8| {
            let builder = Signer::builder("example.org".parse().expect("valid"))
                .canonicalization(way(bits & 1 == 0), way(bits & 2 == 0))
                .key("a".parse().expect("valid"), key(1))
                .key("b".parse().expect("valid"), key(2));
            let builder = match bits & 4 {
                0 => builder,
                _ => builder
                    .headers(["From", "subject", "From", "X-A", "Subject", "to"])
                    .expire_after(Duration::from_secs(60))
                    .identity("a;b@mail.example.org"),
            };
            builder.build().expect("valid")
        })
        .collect();
    let zone: String = signers[0]
        .dns_records()
        .iter()
        .map(|record| format!("{record}\n"))
        .collect();
    (signers, Zone::parse(&zone).expect("a zone"))
});

fuzz_target!(|input: &[u8]| {
    let Some((&how, message)) = input.split_first() else {
        return;
    };
    let (signers, zone) = &*SIGNERS;
    let signer = &signers[usize::from(how & 7)];
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let cut = usize::from(how >> 3) + 1;
    let Ok(fields) = signer.sign([message], now) else {
        assert!(signer.sign(message.chunks(cut), now).is_err());
        return;
    };
    assert_eq!(Ok(&fields), signer.sign(message.chunks(cut), now).as_ref());
    assert_eq!(fields.matches("DKIM-Signature: v=1;").count(), 2);
    assert!(fields.lines().all(|line| line.len() <= 998));

    let end = message
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map_or(message.len(), |at| at + 4);
    let (header, body) = message.split_at(end);
    let mut hash = signer.body();
    for piece in body.chunks(cut) {
        match CanonicalBytes::new(piece.to_vec().into()) {
            Some(proven) => hash.update_canonical(&proven),
            None => hash.update(piece),
        }
    }
    assert_eq!(Ok(&fields), signer.sign_body(header, hash, now).as_ref());

    let signed = [fields.as_bytes(), message].concat();
    let mut context = task::Context::from_waker(task::Waker::noop());
    let task::Poll::Ready(verdicts) = pin!(verify(&signed, zone, now)).poll(&mut context) else {
        unreachable!("the keys are there at once")
    };
    for verdict in &verdicts[..2] {
        assert_eq!(verdict.result(), DkimResult::Pass, "{verdict:?}");
    }
});
