//! Messages that we signed: every kind of body, canonicalisation and key, in every way of handing a body over.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use posthaste_auth::dkim::{CanonicalBytes, Canonicalization, Signer, SigningKey};
use posthaste_mime::{Attachment, ContentType, Message};

pub(crate) const DOMAIN: &str = "example.org";

/// A signed message.
pub(crate) struct Sample {
    /// What is in it and how it is signed.
    pub(crate) name: String,
    pub(crate) message: Vec<u8>,
    /// The keys that signed it, from the top.
    pub(crate) keys: &'static [Key],
}

/// One of three keys; the files of the RSA keys are for tests alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Rsa2048,
    Rsa4096,
    Ed25519,
}

impl Key {
    pub(crate) const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa4096, Self::Ed25519];

    pub(crate) fn selector(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa",
            Self::Rsa4096 => "rsa4096",
            Self::Ed25519 => "ed",
        }
    }

    /// The file, or the seed.
    pub(crate) fn signing_key(self) -> SigningKey {
        match self {
            Self::Rsa2048 => SigningKey::from_pem(include_str!("../../../crates/auth/tests/data/rsa2048.pem")),
            Self::Rsa4096 => SigningKey::from_pem(include_str!("../../../crates/auth/tests/data/rsa4096.pem")),
            Self::Ed25519 => SigningKey::from_ed25519_seed(&[7; 32]),
        }
        .unwrap()
    }
}

/// The TXT records of all keys, by their names.
pub(crate) fn records() -> HashMap<String, String> {
    Key::ALL
        .into_iter()
        .map(|key| {
            let selector = key.selector().parse().unwrap();
            let record = key.signing_key().dns_record_at(&selector, &DOMAIN.parse().unwrap());
            (record.name().to_owned(), record.text().to_owned())
        })
        .collect()
}

/// A message of text, HTML and an attachment, as posthaste-mime builds it.
pub(crate) fn multipart() -> Vec<u8> {
    Message::builder()
        .from("Ada Lovelace <ada@example.org>".parse().unwrap())
        .to("Zoë Müller <zoe@bücher.example>".parse().unwrap())
        .subject("Grüße mit Unterschrift, und lang genug für eine zweite Zeile im Kopf der Nachricht")
        .text("Two spaces  and a trailing one \n.dots\n\n\n")
        .html("<p>Grüße</p>")
        .attach(
            Attachment::new(
                "ü.bin",
                ContentType::parse("application/octet-stream").unwrap(),
                vec![0xa5; 70_000],
            )
            .unwrap(),
        )
        .build()
        .unwrap()
        .to_bytes()
        .unwrap()
        .to_vec()
}

fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let header = "From: Ada <ada@example.org>\r\nTo: bob@example.net\r\nSubject: The\r\n   Engine \t\r\n\
        Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nX-Empty:\r\n";
    let with = |more: &str, body: &str| format!("{header}{more}\r\n{body}").into_bytes();
    let eight_bit =
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
    let list = "List-Unsubscribe: <https://example.org/u?a=1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
    vec![
        ("multipart with an attachment", multipart()),
        (
            "8-bit text",
            with(eight_bit, "Grüße aus 東京,  weiß und grün \r\n\tEnde\r\n"),
        ),
        ("no body", with("", "")),
        ("a body of empty lines", with("", "\r\n\r\n \r\n\r\n")),
        (
            "empty lines at the end",
            with(list, "First \r\n\r\n\r\nlast\t \r\n \t\r\n\r\n\r\n"),
        ),
        ("no line end at the end", with("", "One\r\n.dot\r\n..two dots")),
    ]
}

fn signer(keys: &[Key], header: Canonicalization, body: Canonicalization) -> Signer {
    let mut builder = Signer::builder(DOMAIN.parse().unwrap())
        .canonicalization(header, body)
        .expire_after(Duration::from_secs(86_400));
    for key in keys {
        builder = builder.key(key.selector().parse().unwrap(), key.signing_key());
    }
    builder.build().unwrap()
}

/// The body goes in ahead of the header, in pieces; those that can be proven canonical are.
fn sign_ahead(signer: &Signer, message: &[u8], now: SystemTime) -> String {
    let header = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (header, body) = message.split_at(header);
    let mut hash = signer.body();
    for piece in body.chunks(1000) {
        match CanonicalBytes::new(Bytes::copy_from_slice(piece)) {
            Some(proven) => hash.update_canonical(&proven),
            None => hash.update(piece),
        }
    }
    signer.sign_body(header, hash, now).unwrap()
}

pub(crate) fn samples() -> Vec<Sample> {
    const KEYS: [&[Key]; 4] = [
        &[Key::Rsa2048],
        &[Key::Rsa4096],
        &[Key::Ed25519],
        &[Key::Rsa2048, Key::Ed25519],
    ];
    let ways = [Canonicalization::Simple, Canonicalization::Relaxed];
    let now = SystemTime::now();
    let mut samples = Vec::new();
    for keys in KEYS {
        for (header, body) in ways.iter().flat_map(|header| ways.map(|body| (*header, body))) {
            let signer = signer(keys, header, body);
            for (what, message) in messages() {
                let fields = match samples.len() % 3 {
                    0 => signer.sign([message.as_slice()], now).unwrap(),
                    1 => signer.sign(message.chunks(7), now).unwrap(),
                    _ => sign_ahead(&signer, &message, now),
                };
                let selectors: Vec<&str> = keys.iter().map(|key| key.selector()).collect();
                samples.push(Sample {
                    name: format!("{what}, {header}/{body}, {}", selectors.join(" and ")),
                    message: [fields.into_bytes(), message].concat(),
                    keys,
                });
            }
        }
    }
    samples
}
