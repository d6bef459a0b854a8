//! DKIM with others: dkimpy and the crate mail-auth verify what we sign, we verify what dkimpy signs.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};
use posthaste_auth::dkim::{DkimResult as Verified, Signer, SigningKey, verify};
use posthaste_dns::Zone;
use posthaste_mime::{Attachment, ContentType, Message};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::Case;
use crate::programs::{Program, json, output, script};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "mail_auth_verifies_our_rsa_and_ed25519_signatures",
        needs: &[],
        run: mail_auth_verifies,
    },
    Case {
        name: "dkimpy_verifies_our_rsa_and_ed25519_signatures",
        needs: &[Program::Dkimpy],
        run: dkimpy_verifies,
    },
    Case {
        name: "dkimpy_sees_a_changed_body",
        needs: &[Program::Dkimpy],
        run: a_change_is_seen,
    },
    Case {
        name: "we_verify_what_dkimpy_signs_with_every_canonicalization",
        needs: &[Program::Dkimpy],
        run: dkimpy_signs,
    },
];

const DOMAIN: &str = "example.org";

/// An RSA and an Ed25519 key, as PEM and as dkimpy reads them.
struct Keys {
    rsa_pem: String,
    ed25519_pem: String,
    ed25519_seed: String,
}

impl Keys {
    fn generate() -> Self {
        let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let seed = [7; 32];
        // RFC 8410 §7: a version, the algorithm's identifier, and the seed.
        let header = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let der = STANDARD.encode([header.as_slice(), &seed].concat());
        Self {
            rsa_pem: rsa.serialize_pem().replace("\r\n", "\n"),
            ed25519_pem: format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n"),
            ed25519_seed: STANDARD.encode(seed),
        }
    }

    fn rsa(&self) -> SigningKey {
        SigningKey::from_pem(&self.rsa_pem).unwrap()
    }

    fn ed25519(&self) -> SigningKey {
        SigningKey::from_pem(&self.ed25519_pem).unwrap()
    }

    /// The TXT records of both.
    fn records(&self) -> [(String, String); 2] {
        [("rsa", self.rsa()), ("ed", self.ed25519())]
            .map(|(selector, key)| (format!("{selector}._domainkey.{DOMAIN}"), key.dns_record()))
    }
}

fn message() -> Vec<u8> {
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

/// The message with both signatures before it.
fn signed(keys: &Keys) -> Vec<u8> {
    let message = message();
    let signer = Signer::builder(DOMAIN.parse().unwrap())
        .key("rsa".parse().unwrap(), keys.rsa())
        .key("ed".parse().unwrap(), keys.ed25519())
        .build()
        .unwrap();
    let fields = signer.sign([message.as_slice()], SystemTime::now()).unwrap();
    [fields.into_bytes(), message].concat()
}

fn change_body(message: &mut [u8]) {
    *message.last_mut().unwrap() = b'!';
    let at = message.len() / 2;
    message[at] ^= 1;
}

fn dkimpy(message: &[u8], keys: &Keys) -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    let [file, records] = ["message.eml", "records.json"].map(|name| folder.path().join(name));
    std::fs::write(&file, message).unwrap();
    std::fs::write(&records, json!(HashMap::from(keys.records())).to_string()).unwrap();
    json(script(Program::Dkimpy, "dkim_verify.py").args([file, records]))
}

/// Answers mail-auth's questions from memory, so that none goes to the network.
struct Records(HashMap<Box<str>, Txt>);

impl ResolverCache<Box<str>, Txt> for Records {
    fn get<Q: Hash + Eq + ?Sized>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        self.0.get(name).cloned()
    }

    fn remove<Q: Hash + Eq + ?Sized>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

fn mail_auth(message: &[u8], keys: &Keys) -> Vec<bool> {
    let records = Records(HashMap::from(keys.records().map(|(name, text)| {
        let key = DomainKey::parse(text.as_bytes()).unwrap();
        (format!("{name}.").into_boxed_str(), Txt::DomainKey(key.into()))
    })));
    let message = AuthenticatedMessage::parse(message).unwrap();
    let runtime = Runtime::new().unwrap();
    let _guard = runtime.enter();
    let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
    let parameters = Parameters::new(&message).with_txt_cache(&records);
    let verdicts = runtime.block_on(authenticator.verify_dkim(parameters));
    verdicts
        .iter()
        .map(|verdict| *verdict.result() == DkimResult::Pass)
        .collect()
}

fn mail_auth_verifies() {
    let keys = Keys::generate();
    let mut message = signed(&keys);
    assert_eq!(mail_auth(&message, &keys), [true, true]);
    change_body(&mut message);
    assert_eq!(mail_auth(&message, &keys), [false, false]);
}

fn dkimpy_verifies() {
    let keys = Keys::generate();
    assert_eq!(dkimpy(&signed(&keys), &keys), json!([true, true]));
}

fn a_change_is_seen() {
    let keys = Keys::generate();
    let mut message = signed(&keys);
    change_body(&mut message);
    let verdicts = dkimpy(&message, &keys);
    assert_eq!(verdicts.as_array().unwrap().len(), 2);
    for verdict in verdicts.as_array().unwrap() {
        assert!(
            verdict.as_str().is_some_and(|text| text.contains("body hash mismatch")),
            "{verdicts}"
        );
    }
}

fn dkimpy_signs() {
    let keys = Keys::generate();
    let message = message();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("message.eml"), &message).unwrap();
    std::fs::write(path("rsa"), &keys.rsa_pem).unwrap();
    std::fs::write(path("ed"), &keys.ed25519_seed).unwrap();
    let mut zone = String::new();
    for (name, text) in keys.records() {
        let (first, second) = text.split_at(text.len().min(200));
        zone += &format!("{name}. 300 IN TXT \"{first}\" \"{second}\"\n");
    }
    let zone = Zone::parse(&zone).unwrap();
    let runtime = Runtime::new().unwrap();

    for (selector, algorithm) in [("rsa", "rsa-sha256"), ("ed", "ed25519-sha256")] {
        for (header, body) in [
            ("simple", "simple"),
            ("simple", "relaxed"),
            ("relaxed", "simple"),
            ("relaxed", "relaxed"),
        ] {
            let mut command = script(Program::Dkimpy, "dkim_sign.py");
            command
                .args([path("message.eml"), path(selector)])
                .args([selector, DOMAIN, algorithm, header, body]);
            let mut signed = [output(&mut command), message.clone()].concat();
            let verdicts = runtime.block_on(verify(&signed, &zone, SystemTime::now()));
            assert_eq!(verdicts.len(), 1);
            assert_eq!(
                verdicts[0].result(),
                Verified::Pass,
                "{algorithm} {header}/{body}: {verdicts:?}"
            );
            change_body(&mut signed);
            let verdicts = runtime.block_on(verify(&signed, &zone, SystemTime::now()));
            assert_eq!(
                verdicts[0].result(),
                Verified::Fail,
                "{algorithm} {header}/{body}: {verdicts:?}"
            );
        }
    }
}
