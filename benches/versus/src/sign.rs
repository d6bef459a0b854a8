//! DKIM-signing one message: posthaste-auth, mail-auth, and the private-key operation with its hash, which is the floor.

use std::time::{Duration, SystemTime};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, Curve25519SeedBin, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::DkimSigner;
use posthaste_auth::dkim::{Signer, SigningKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::race::{Race, Runner};

/// The fields of the message below.
const HEADERS: [&str; 7] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
];

/// A kind of key.
#[derive(Clone, Copy)]
pub enum Kind {
    Rsa,
    Ed25519,
}

/// A key that was made for this run.
pub struct Key {
    kind: Kind,
    der: Vec<u8>,
    seed: Vec<u8>,
    public: Vec<u8>,
}

impl Key {
    pub fn generate(kind: Kind) -> Self {
        match kind {
            Kind::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
                let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key");
                Self {
                    kind,
                    der: der.as_ref().to_vec(),
                    seed: Vec::new(),
                    public: Vec::new(),
                }
            }
            Kind::Ed25519 => {
                let pair = Ed25519KeyPair::generate().expect("a key");
                let seed: Curve25519SeedBin<'_> = pair.seed().and_then(|seed| seed.as_be_bytes()).expect("a seed");
                Self {
                    kind,
                    der: pair.to_pkcs8v1().expect("a key").as_ref().to_vec(),
                    seed: seed.as_ref().to_vec(),
                    public: pair.public_key().as_ref().to_vec(),
                }
            }
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// A signature of this key over a text as DKIM makes it, and the public half, parsed.
    pub fn sign_bare(&self, text: &[u8]) -> (ParsedPublicKey, Vec<u8>) {
        match self.kind {
            Kind::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(&self.der).expect("a key");
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
                    .expect("signs");
                let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
                (public.expect("a key"), signature)
            }
            Kind::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8(&self.der).expect("a key");
                let signature = pair.sign(digest(&SHA256, text).as_ref()).as_ref().to_vec();
                let public = ParsedPublicKey::new(&ED25519, pair.public_key().as_ref());
                (public.expect("a key"), signature)
            }
        }
    }

    pub fn ours(&self) -> SigningKey {
        SigningKey::from_der(&self.der).expect("a key")
    }

    pub fn signer(&self) -> Signer {
        let domain = "example.org".parse().expect("valid");
        let selector = "s1".parse().expect("valid");
        Signer::builder(domain)
            .key(selector, self.ours())
            .build()
            .expect("a signer")
    }

    /// mail-auth's signer, as a function from the message to the field.
    pub fn mail_auth(&self) -> Box<dyn Fn(&[u8]) -> String> {
        match self.kind {
            Kind::Rsa => {
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.der.as_slice()));
                let key = RsaKey::<Sha256>::from_key_der(der).expect("a key");
                let signer = DkimSigner::from_key(key)
                    .domain("example.org")
                    .selector("s1")
                    .headers(HEADERS);
                Box::new(move |message| signer.sign(message).expect("signs").to_header())
            }
            Kind::Ed25519 => {
                let key = Ed25519Key::from_seed_and_public_key(&self.seed, &self.public).expect("a key");
                let signer = DkimSigner::from_key(key)
                    .domain("example.org")
                    .selector("s1")
                    .headers(HEADERS);
                Box::new(move |message| signer.sign(message).expect("signs").to_header())
            }
        }
    }

    /// An RSA key as lettre reads it: what stands in PKCS#8 behind the 26 octets that say what it is.
    pub fn pkcs1_pem(&self) -> String {
        let lines: Vec<String> = self.der[26..].chunks(48).map(|line| STANDARD.encode(line)).collect();
        let text = lines.join("\n");
        format!("-----BEGIN RSA PRIVATE KEY-----\n{text}\n-----END RSA PRIVATE KEY-----\n")
    }

    /// The private-key operation itself, over what a hash gave.
    pub fn bare(&self) -> Box<dyn Fn(&[u8]) -> usize> {
        match self.kind {
            Kind::Rsa => {
                let pair = RsaKeyPair::from_pkcs8(&self.der).expect("a key");
                Box::new(move |hash| {
                    let mut signature = vec![0; pair.public_modulus_len()];
                    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), hash, &mut signature)
                        .expect("signs");
                    signature.len()
                })
            }
            Kind::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&self.seed).expect("a key");
                Box::new(move |hash| pair.sign(hash).as_ref().len())
            }
        }
    }
}

/// A message of about `size` octets.
pub fn message(size: usize) -> Vec<u8> {
    let mut message = b"From: Ada <ada@example.org>\r\nTo: bob@example.net\r\nSubject: Hello\r\n\
        Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\n"
        .to_vec();
    while message.len() < size {
        message.extend_from_slice(b"A line of text that is as long as lines of text in mails tend to be.\r\n");
    }
    message
}

pub fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// One message, signed with all of `keys`: by one signer of ours, by one signer of mail-auth's for each, and by the operations
/// over one hash of the message.
fn race(question: &'static str, keys: &[Key], size: usize) -> Race {
    let [ours, theirs, bare] = std::array::from_fn(|_| message(size));
    let mut builder = Signer::builder("example.org".parse().expect("valid"));
    for (number, key) in keys.iter().enumerate() {
        let selector = format!("s{number}").parse().expect("valid");
        builder = builder.key(selector, key.ours());
    }
    let signer = builder.build().expect("a signer");
    let mail_auth: Vec<_> = keys.iter().map(Key::mail_auth).collect();
    let operations: Vec<_> = keys.iter().map(Key::bare).collect();
    let runners = vec![
        Runner::new("posthaste-auth", move || {
            signer.sign([ours.as_slice()], now()).expect("signs").len()
        }),
        Runner::new("mail-auth 0.13, once for each key", move || {
            mail_auth.iter().map(|sign| sign(&theirs).len()).sum()
        }),
        Runner::new("floor: SHA-256 of the message, the private-key operations", move || {
            let hash = digest(&SHA256, &bare);
            operations.iter().map(|sign| sign(hash.as_ref())).sum()
        }),
    ];
    Race::new(question, runners)
}

pub fn races() -> Vec<Race> {
    let (rsa, ed25519) = (|| Key::generate(Kind::Rsa), || Key::generate(Kind::Ed25519));
    vec![
        race("sign 5 KB, RSA-2048", &[rsa()], 5_000),
        race("sign 5 KB, Ed25519", &[ed25519()], 5_000),
        race("sign 5 KB, RSA-2048 and Ed25519", &[rsa(), ed25519()], 5_000),
        race("sign 1 MB, Ed25519", &[ed25519()], 1_000_000),
    ]
}
