//! Signatures that no honest signer makes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_auth::dkim::SigningKey;
use posthaste_dns::{Record, Zone};

/// Where the key of `d=example.org; s=s` stands.
pub(crate) const KEY_NAME: &str = "s._domainkey.example.org";

/// When everything here happens.
pub(crate) const NOW: u64 = 1_700_000_000;

const SEED: [u8; 32] = [7; 32];

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// The record of the key that [`Forged`] signs with.
pub(crate) fn key_record() -> String {
    SigningKey::from_ed25519_seed(&SEED).unwrap().dns_record()
}

/// A zone of TXT records.
pub(crate) fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.insert(name, Record::txt(record)).unwrap();
    }
    zone
}

/// A zone with that key.
pub(crate) fn zone_with_key() -> Zone {
    zone(&[(KEY_NAME, &key_record())])
}

/// A signature to be made by hand, relaxed/relaxed; fields and body must be in canonical form already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forged<'a> {
    pub(crate) algorithm: &'a str,
    /// Tags besides `v`, `a`, `c`, `h`, `bh` and `b`.
    pub(crate) tags: &'a str,
    pub(crate) names: &'a str,
    /// What `bh=` is of.
    pub(crate) body: &'a str,
}

impl Default for Forged<'_> {
    fn default() -> Self {
        Self {
            algorithm: "ed25519-sha256",
            tags: "d=example.org; s=s",
            names: "from:subject",
            body: BODY,
        }
    }
}

pub(crate) const FIELDS: &[(&str, &str)] = &[("from", "ada@example.org"), ("subject", "hello")];

pub(crate) const BODY: &str = "First line\r\n";

impl Forged<'_> {
    /// The field, signing these fields.
    pub(crate) fn field(&self, fields: &[(&str, &str)]) -> String {
        let body_hash = STANDARD.encode(digest(&SHA256, self.body.as_bytes()));
        let (algorithm, tags, names) = (self.algorithm, self.tags, self.names);
        let value = format!("v=1; a={algorithm}; c=relaxed/relaxed; {tags}; h={names}; bh={body_hash}; b=");
        let mut rest: Vec<(&str, &str)> = fields.to_vec();
        let mut input = String::new();
        for name in names.split(':') {
            if let Some(last) = rest.iter().rposition(|(field, _)| field.eq_ignore_ascii_case(name)) {
                let (name, value) = rest.remove(last);
                input += &format!("{name}:{value}\r\n");
            }
        }
        input += &format!("dkim-signature:{value}");
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
        let signature = STANDARD.encode(pair.sign(digest(&SHA256, input.as_bytes()).as_ref()));
        format!("DKIM-Signature: {value}{signature}\r\n")
    }

    /// The usual message with this signature on top.
    pub(crate) fn message(&self) -> String {
        self.field(FIELDS) + &text(FIELDS, BODY)
    }
}

/// Fields and a body as a message.
pub(crate) fn text(fields: &[(&str, &str)], body: &str) -> String {
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("{fields}\r\n{body}")
}

/// The record of an RSA key of so many bits, which nobody has the private half of.
pub(crate) fn rsa_record(bits: usize) -> String {
    let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
    modulus[0] = 0xff >> (modulus.len() * 8 - bits);
    let mut number = modulus;
    if number[0] & 0x80 != 0 {
        number.insert(0, 0);
    }
    let key = der(0x30, &[der(0x02, &number), der(0x02, &[1, 0, 1])].concat());
    let algorithm = der(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
    let bits = der(0x03, &[vec![0], key].concat());
    let spki = der(0x30, &[algorithm, bits].concat());
    format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(spki))
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().position(|octet| *octet != 0).unwrap_or(7)..];
    let mut out = vec![tag];
    if content.len() >= 128 {
        out.push(0x80 | u8::try_from(significant.len()).unwrap());
    }
    out.extend_from_slice(significant);
    out.extend_from_slice(content);
    out
}
