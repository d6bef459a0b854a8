//! Files in the manner of dkimpy's tests: private keys, key records and messages, which their names tell apart.
//!
//! A private key must sign every message that has a From field and no signature, so that its own record verifies it; a
//! record must fit one of the private keys, unless its name says that it is bad; a signed message is verified with the
//! keys that are known for it.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_auth::dkim::{KeyError, SigningKey, verify};
use posthaste_dns::Zone;

use super::messages::{SHORT_KEY, every_signature_holds, signing_time, signs_for, signs_message};
use super::{block_on, on_the_wire};
use crate::harness::{Input, Report};

const FOLDER: &str = "dkim/dkimpy";

pub(super) fn files(input: &Input, report: &mut Report) {
    let keys: Vec<PathBuf> = input.files(FOLDER, &[".key", ".private"]);
    let messages = messages(input);
    for path in &keys {
        match text(path).map(|text| SigningKey::from_pem(&text)) {
            Some(Err(KeyError::Size { .. })) => report.unsupported(name(path), SHORT_KEY),
            _ => report.check(&name(path), signs_all(path, &messages)),
        }
    }
    for path in input.files(FOLDER, &[".txt", ".dns"]) {
        record(&path, &keys, report);
    }
    let rsa = text(&input.path(FOLDER).join("test.txt"));
    let records = known_records(input, rsa.as_deref());
    for (path, message) in &messages {
        match verdict(message, &records) {
            Some(outcome) => report.check(&name(path), outcome_for(path, message, outcome)),
            None => report.unsupported(name(path), "the key that signed it is not in the folder"),
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn text(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

fn messages(input: &Input) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = input.files(FOLDER, &[".msg", ".message", ".message.baddomain", ".mbox"]);
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let message = on_the_wire(&std::fs::read(&path).expect("a file that can be read"));
            (path, message)
        })
        .collect()
}

/// A private key in PEM, or the base64 of an Ed25519 seed.
fn private_key(path: &Path) -> Result<SigningKey, String> {
    let text = text(path).ok_or("not text")?;
    if text.starts_with("-----") {
        return SigningKey::from_pem(&text).map_err(|error| error.to_string());
    }
    let seed = STANDARD.decode(text).map_err(|error| error.to_string())?;
    SigningKey::from_ed25519_seed(&seed).map_err(|error| error.to_string())
}

fn has_field(message: &[u8], name: &str) -> bool {
    let text = String::from_utf8_lossy(message);
    let header = text.split("\r\n\r\n").next().unwrap_or_default();
    header.lines().any(|line| {
        line.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}

fn is_signed(message: &[u8]) -> bool {
    has_field(message, "DKIM-Signature:")
}

fn signs_all(path: &Path, messages: &[(PathBuf, Vec<u8>)]) -> Result<(), String> {
    let key = private_key(path)?;
    let record = key.dns_record();
    signs_for(key, &record)?;
    for (file, message) in messages.iter().filter(|(_, message)| !is_signed(message)) {
        let outcome = signs_message(private_key(path)?, &record, message);
        let refused = outcome.as_ref().is_err_and(|why| why == "message has no From field");
        if refused == has_field(message, "From:") || (!refused && outcome.is_err()) {
            return Err(format!("{}: {outcome:?}", name(file)));
        }
    }
    Ok(())
}

/// A record of a name that says that it is bad, or not for email, must not verify anything.
fn is_meant_to_fail(path: &Path) -> bool {
    let name = name(path);
    name.contains("bad") || name.contains("tlsrpt")
}

fn record(path: &Path, keys: &[PathBuf], report: &mut Report) {
    let Some(record) = text(path) else {
        return report.fail(name(path), "not text");
    };
    let fits = keys
        .iter()
        .any(|key| private_key(key).and_then(|key| signs_for(key, &record)).is_ok());
    match (fits, is_meant_to_fail(path)) {
        (true, false) | (false, true) => report.pass(&name(path)),
        (true, true) => report.fail(name(path), "verifies a signature"),
        // It belongs to a message, which is verified with it.
        (false, false) if posthaste_auth::dkim::PublicKey::parse(&record).is_ok() => report.pass(&name(path)),
        (false, false) => report.fail(name(path), "fits no key, and cannot be read"),
    }
}

/// The keys that the messages are signed with, by where they stood in the DNS.
fn known_records(input: &Input, rsa: Option<&str>) -> Vec<(String, String)> {
    let folder = input.path(FOLDER);
    let mut records = Vec::new();
    let mut add = |name: &str, record: Option<String>| records.extend(record.map(|record| (name.to_owned(), record)));
    add("test._domainkey.football.example.com", rsa.map(str::to_owned));
    add("test._domainkey.example.com", rsa.map(str::to_owned));
    add(
        "brisbane._domainkey.football.example.com",
        private_key(&folder.join("rfc8032_7_1.key"))
            .ok()
            .map(|key| key.dns_record()),
    );
    add("sed._domainkey.test.ex", text(&folder.join("eximtest.dns")));
    let gmail = text(&input.path("dkim/mimekit/gmail.pub")).map(|pem| {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        format!("k=rsa; p={base64}")
    });
    add("20120113._domainkey.gmail.com", gmail);
    records
}

/// What verifying gives: `None` where a signature can be read, but nobody knows its key.
fn verdict(message: &[u8], records: &[(String, String)]) -> Option<Result<(), String>> {
    if !is_signed(message) {
        return Some(Ok(()));
    }
    let known: Vec<(&str, &str)> = records
        .iter()
        .map(|(name, record)| (name.as_str(), record.as_str()))
        .collect();
    let verdicts = block_on(verify(message, &Zone::new(), signing_time(message)));
    let is_unknown = verdicts
        .iter()
        .all(|verdict| match (verdict.selector(), verdict.domain()) {
            (Some(selector), Some(domain)) => {
                let name = format!("{selector}._domainkey.{domain}");
                !known.iter().any(|(known, _)| *known == name)
            }
            _ => false,
        });
    if is_unknown {
        None
    } else {
        Some(every_signature_holds(message, &known))
    }
}

/// A message must verify, unless its name says that it is bad, or its signature is another message's.
fn outcome_for(path: &Path, message: &[u8], outcome: Result<(), String>) -> Result<(), String> {
    if !is_signed(message) {
        let verdicts = block_on(verify(message, &Zone::new(), signing_time(message)));
        return if verdicts.is_empty() {
            Ok(())
        } else {
            Err("has verdicts without a signature".to_owned())
        };
    }
    match (outcome, is_meant_to_fail(path) || name(path).contains("no_t")) {
        (Ok(()), true) => Err("verifies".to_owned()),
        (Err(_), true) => Ok(()),
        (outcome, false) => outcome,
    }
}
