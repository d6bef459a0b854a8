//! DKIM with others: dkimpy, Mail::DKIM, opendkim and the crate mail-auth verify what we sign, we verify what dkimpy signs.

pub(crate) mod samples;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::{AuthenticatedMessage, DkimResult, MessageAuthenticator, Parameters, ResolverCache, Txt};
use posthaste_auth::dkim::{DkimResult as Verified, verify};
use posthaste_dns::{Record, Zone};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::samples::{DOMAIN, Key, Sample, multipart, records, samples};
use crate::Case;
use crate::programs::{Program, json, output, script};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "mail_auth_verifies_what_we_sign",
        needs: &[],
        run: mail_auth_verifies,
    },
    Case {
        name: "dkimpy_verifies_what_we_sign",
        needs: &[Program::Dkimpy],
        run: dkimpy_verifies,
    },
    Case {
        name: "mail_dkim_verifies_what_we_sign",
        needs: &[Program::MailDkim],
        run: mail_dkim_verifies,
    },
    Case {
        name: "opendkim_verifies_what_we_sign",
        needs: &[Program::OpenDkim],
        run: opendkim_verifies,
    },
    Case {
        name: "dkimpy_mail_dkim_and_opendkim_see_a_changed_body",
        needs: &[Program::Dkimpy, Program::MailDkim, Program::OpenDkim],
        run: a_change_is_seen,
    },
    Case {
        name: "we_verify_what_dkimpy_signs_with_every_canonicalization",
        needs: &[Program::Dkimpy],
        run: dkimpy_signs,
    },
];

/// A body that was changed before its last line end, as canonicalisation does not see.
fn change_body(message: &mut [u8]) {
    *message.last_mut().unwrap() = b'!';
    let at = message.len() / 2;
    message[at] ^= 1;
}

/// Messages as files, each as it is on the wire: its last line has an end. And the records of their keys beside them.
struct Files {
    folder: TempDir,
    messages: Vec<PathBuf>,
}

impl Files {
    fn write<'a>(messages: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let messages = messages.into_iter().enumerate().map(|(index, message)| {
            let path = folder.path().join(format!("{index}.eml"));
            let end: &[u8] = if message.ends_with(b"\r\n") { b"" } else { b"\r\n" };
            std::fs::write(&path, [message, end].concat()).unwrap();
            path
        });
        Self {
            messages: messages.collect(),
            folder,
        }
    }

    /// Writes the records, and returns where.
    fn records(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("records");
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// What a verifier says of each signature of each message.
type Verdicts = Vec<Vec<String>>;

fn of_script(program: Program, name: &str, files: &Files) -> Verdicts {
    let records = files.records(&json!(records()).to_string());
    let verdicts = json(script(program, name).arg(records).args(&files.messages));
    let of_message = |verdicts: &serde_json::Value| {
        let verdicts = verdicts.as_array().unwrap().iter();
        verdicts
            .map(|verdict| verdict.as_str().map_or_else(|| verdict.to_string(), str::to_owned))
            .collect()
    };
    verdicts.as_array().unwrap().iter().map(of_message).collect()
}

fn dkimpy(files: &Files) -> Verdicts {
    of_script(Program::Dkimpy, "dkim_verify.py", files)
}

fn mail_dkim(files: &Files) -> Verdicts {
    of_script(Program::MailDkim, "mail_dkim_verify.pl", files)
}

/// opendkim in its test mode: it prints the Authentication-Results that it would add.
fn opendkim(files: &Files) -> Verdicts {
    let lines: String = records()
        .iter()
        .map(|(name, text)| format!("{name} {text}\n"))
        .collect();
    let configuration = files.folder.path().join("opendkim.conf");
    let settings = format!("Mode v\nTestDNSData {}\n", files.records(&lines).display());
    std::fs::write(&configuration, settings).unwrap();
    let verdicts_of = |path: &PathBuf| {
        let mut command = Program::OpenDkim.command();
        // It fails where a signature does, and says which; less loud, it does not show the field.
        let written = command
            .args(["-vvv", "-x"])
            .arg(&configuration)
            .arg("-t")
            .arg(path)
            .output()
            .unwrap()
            .stdout;
        let text = String::from_utf8(written).unwrap();
        let words = text.split([' ', '\t', '\n', ';']);
        words
            .filter_map(|word| word.strip_prefix("dkim=").map(str::to_owned))
            .collect()
    };
    files.messages.iter().map(verdicts_of).collect()
}

/// Says what was verified, if a verifier finds what it should in each sample.
fn check(verifier: &str, samples: &[Sample], verdicts: &Verdicts, expected: impl Fn(Key) -> &'static str) {
    assert_eq!(verdicts.len(), samples.len());
    for (sample, verdicts) in samples.iter().zip(verdicts) {
        let expected: Vec<&str> = sample.keys.iter().map(|key| expected(*key)).collect();
        assert_eq!(*verdicts, expected, "{verifier}: {}", sample.name);
    }
    let signatures: usize = samples.iter().map(|sample| sample.keys.len()).sum();
    println!("   {verifier}: {} messages, {signatures} signatures", samples.len());
}

fn of_samples(samples: &[Sample]) -> Files {
    Files::write(samples.iter().map(|sample| sample.message.as_slice()))
}

fn dkimpy_verifies() {
    let samples = samples();
    check("dkimpy", &samples, &dkimpy(&of_samples(&samples)), |_| "true");
}

/// The version that Debian has knows no Ed25519; beside an RSA signature it is told to be invalid, and no more.
fn mail_dkim_verifies() {
    let mut samples = samples();
    samples.retain(|sample| sample.keys != [Key::Ed25519]);
    let verdicts: Verdicts = mail_dkim(&of_samples(&samples))
        .into_iter()
        .map(|of_message| {
            of_message
                .into_iter()
                .map(|verdict| verdict.split(' ').next().unwrap_or_default().to_owned())
                .collect()
        })
        .collect();
    check("Mail::DKIM", &samples, &verdicts, |key| match key {
        Key::Ed25519 => "invalid",
        _ => "pass",
    });
}

fn opendkim_verifies() {
    let samples = samples();
    check("opendkim", &samples, &opendkim(&of_samples(&samples)), |_| "pass");
}

fn a_change_is_seen() {
    let mut samples = samples();
    samples.retain(|sample| sample.name.starts_with("multipart") && sample.keys.contains(&Key::Rsa2048));
    for sample in &mut samples {
        change_body(&mut sample.message);
    }
    let files = of_samples(&samples);
    let rsa =
        |verdicts: Verdicts| -> Vec<String> { verdicts.into_iter().map(|of_message| of_message[0].clone()).collect() };
    for verdict in rsa(dkimpy(&files)) {
        assert!(verdict.contains("body hash mismatch"), "dkimpy: {verdict}");
    }
    for verdict in rsa(mail_dkim(&files)) {
        assert!(verdict.starts_with("fail"), "Mail::DKIM: {verdict}");
    }
    for verdict in rsa(opendkim(&files)) {
        assert!(verdict.starts_with("fail"), "opendkim: {verdict}");
    }
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

/// mail-auth, which answers its own questions from memory.
pub(crate) struct MailAuth {
    runtime: Runtime,
    authenticator: MessageAuthenticator,
    records: Records,
}

impl MailAuth {
    pub(crate) fn new() -> Self {
        let records = records().into_iter().map(|(name, text)| {
            let key = DomainKey::parse(text.as_bytes()).unwrap();
            (format!("{name}.").into_boxed_str(), Txt::DomainKey(key.into()))
        });
        let records = Records(records.collect());
        let runtime = Runtime::new().unwrap();
        let guard = runtime.enter();
        let authenticator = MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).unwrap();
        drop(guard);
        Self {
            runtime,
            authenticator,
            records,
        }
    }

    /// Says whether the chain of a message holds.
    pub(crate) fn passes_arc(&self, message: &[u8]) -> bool {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let parameters = Parameters::new(&message).with_txt_cache(&self.records);
        let output = self.runtime.block_on(self.authenticator.verify_arc(parameters));
        *output.result() == DkimResult::Pass
    }

    fn verdicts(&self, message: &[u8]) -> Vec<String> {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let parameters = Parameters::new(&message).with_txt_cache(&self.records);
        let verdicts = self.runtime.block_on(self.authenticator.verify_dkim(parameters));
        let passes = verdicts.iter().map(|verdict| *verdict.result() == DkimResult::Pass);
        passes
            .map(|passes| if passes { "pass" } else { "no pass" }.to_owned())
            .collect()
    }
}

/// To mail-auth, lines of white space at the end of a relaxed body are not empty. RFC 6376 §3.4.4 takes the white space off
/// first, and so do the others.
fn mail_auth_verifies() {
    let mut samples = samples();
    samples.retain(|sample| !(sample.name.contains("empty lines") && sample.name.contains("/relaxed")));
    let mail_auth = MailAuth::new();
    let verdicts: Verdicts = samples
        .iter()
        .map(|sample| mail_auth.verdicts(&sample.message))
        .collect();
    check("mail-auth", &samples, &verdicts, |_| "pass");
    for sample in samples {
        let mut message = sample.message;
        if sample.name.starts_with("multipart") {
            change_body(&mut message);
            assert!(mail_auth.verdicts(&message).iter().all(|verdict| verdict == "no pass"));
        }
    }
}

fn dkimpy_signs() {
    let message = multipart();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("message.eml"), &message).unwrap();
    std::fs::write(path("rsa"), include_str!("../../crates/auth/tests/data/rsa2048.pem")).unwrap();
    std::fs::write(path("ed"), STANDARD.encode([7; 32])).unwrap();
    let mut zone = Zone::new();
    for (name, text) in records() {
        zone.insert(&name, Record::txt(text)).unwrap();
    }
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
