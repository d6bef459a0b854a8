//! Messages that others signed, and the keys for them: as DNS lines on top of the message, or as files beside it.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_auth::dkim::{DkimResult, KeyError, Signer, SigningKey, verify};
use posthaste_dns::{Record, Zone};

use super::{block_on, on_the_wire};
use crate::harness::{Input, Report};

/// Why a private key of 1024 bits is not signed with.
pub(super) const SHORT_KEY: &str = "deviation: a private RSA key is shorter than 2048 bits";

/// The keys that RFC 8463 appendix A publishes, for every message that is signed with them.
const RFC_8463: [(&str, &str); 2] = [
    (
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ),
    (
        "test._domainkey.football.example.com",
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Q\
         vx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ),
];

/// Lines `name record`, an empty line, and a message whose every signature holds, unless its key is not there.
pub(super) fn with_records(input: &Input, report: &mut Report) {
    for path in input.files("dkim/mail-auth", &[".txt"]) {
        let text = std::fs::read(&path).expect("a file that can be read");
        let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") else {
            report.fail(name(&path), "no empty line behind the records");
            continue;
        };
        let records = String::from_utf8_lossy(&text[..end]);
        let records: Vec<(&str, &str)> = records.lines().filter_map(|line| line.split_once(' ')).collect();
        report.check(
            &name(&path),
            every_signature_holds(&on_the_wire(&text[end + 2..]), &records),
        );
    }
}

/// Messages, and keys in files: `gmail.pub`, and a private key to sign with that has its record beside it.
pub(super) fn with_key_files(input: &Input, report: &mut Report) {
    let folder = input.path("dkim/mimekit");
    let gmail = public_key_record(&folder.join("gmail.pub"));
    let mut records: Vec<(&str, &str)> = RFC_8463.to_vec();
    records.extend(gmail.as_deref().map(|record| ("20120113._domainkey.gmail.com", record)));
    for path in input.files("dkim/mimekit", &[".msg"]) {
        let message = on_the_wire(&std::fs::read(&path).expect("a file that can be read"));
        report.check(&name(&path), every_signature_holds(&message, &records));
    }
    for path in input.files("dkim/mimekit", &[".pem"]) {
        let public = path.with_extension("pub");
        let key = SigningKey::from_pem(&std::fs::read_to_string(&path).expect("a file that can be read"));
        if let Err(KeyError::Size { .. }) = key {
            report.unsupported(name(&path), SHORT_KEY);
            continue;
        }
        let outcome = match (key, public_key_record(&public)) {
            (Ok(key), Some(record)) => signs_for(key, &record),
            (Ok(_), None) => Err("no public key beside it".to_owned()),
            (Err(error), _) => Err(error.to_string()),
        };
        report.check(&name(&path), outcome);
    }
    for path in input.files("dkim/mimekit", &[".bind9"]) {
        let text = std::fs::read_to_string(&path).expect("a file that can be read");
        let private = std::fs::read_to_string(path.with_extension("pem")).unwrap_or_default();
        if let Err(KeyError::Size { .. }) = SigningKey::from_pem(&private) {
            report.unsupported(name(&path), SHORT_KEY);
            continue;
        }
        report.check(
            &name(&path),
            zone_file_holds_the_key(&text, &path.with_extension("pem")),
        );
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The record of a public key in PEM.
fn public_key_record(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let base64: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    Some(format!("v=DKIM1; k=rsa; p={base64}"))
}

/// Verifies a message with these keys: each signature whose key is there must pass, and one at least must have its key.
pub(super) fn every_signature_holds(message: &[u8], records: &[(&str, &str)]) -> Result<(), String> {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.insert(name, Record::txt(record))
            .map_err(|error| error.to_string())?;
    }
    let verdicts = block_on(verify(message, &zone, signing_time(message)));
    let mut passed = 0;
    for verdict in &verdicts {
        let key = verdict
            .selector()
            .zip(verdict.domain())
            .map(|(selector, domain)| format!("{selector}._domainkey.{domain}"));
        let has_key = key.is_some_and(|key| records.iter().any(|(name, _)| name.eq_ignore_ascii_case(&key)));
        match verdict.result() {
            DkimResult::Pass => passed += 1,
            other if has_key => return Err(format!("{other}: {:?}", verdict.reason())),
            _ => {}
        }
    }
    if passed > 0 {
        Ok(())
    } else {
        Err(format!("{} signatures, none passed: {verdicts:?}", verdicts.len()))
    }
}

/// When the message was signed, as far as it says so: the latest `t=`.
pub(super) fn signing_time(message: &[u8]) -> SystemTime {
    let text = String::from_utf8_lossy(message);
    let latest = text
        .split(['\r', '\n', ';', ' ', '\t'])
        .filter_map(|tag| tag.strip_prefix("t=")?.parse().ok())
        .filter(|time| *time < 10_000_000_000)
        .max();
    UNIX_EPOCH + Duration::from_secs(latest.unwrap_or(1_500_000_000))
}

/// What this key signs, verifies with this record.
pub(super) fn signs_for(key: SigningKey, record: &str) -> Result<(), String> {
    let message = b"From: ada@example.com\r\nTo: bob@example.net\r\nSubject: Keys\r\n\r\nOne line.\r\n";
    signs_message(key, record, message)
}

/// What this key signs of a message, verifies with this record.
pub(super) fn signs_message(key: SigningKey, record: &str, message: &[u8]) -> Result<(), String> {
    let domain = "example.com".parse().expect("a domain");
    let signer = Signer::builder(domain)
        .key("test".parse().expect("a selector"), key)
        .build()
        .map_err(|error| error.to_string())?;
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut signed = signer
        .sign([message], now)
        .map_err(|error| error.to_string())?
        .into_bytes();
    signed.extend_from_slice(message);
    every_signature_holds(&signed, &[("test._domainkey.example.com", record)])
}

/// The record in a zone file is that of the private key beside it.
fn zone_file_holds_the_key(text: &str, private: &Path) -> Result<(), String> {
    let zone = Zone::parse(text).map_err(|error| error.to_string())?;
    let record = zone
        .records()
        .find_map(|(_, record)| {
            if let Record::Txt(text) = record {
                Some(text.to_text().into_owned())
            } else {
                None
            }
        })
        .ok_or("no TXT record")?;
    let key = std::fs::read_to_string(private).map_err(|error| error.to_string())?;
    signs_for(SigningKey::from_pem(&key).map_err(|error| error.to_string())?, &record)
}
