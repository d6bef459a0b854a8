//! DKIM keys (RFC 6376, 8301, 8463).

use futures_util::future::join_all;
use posthaste_address::Domain;
use posthaste_auth::dkim::{Algorithm, KeyRecordError, PublicKey, Selector};
use posthaste_dns::{Record, RecordType, Resolver};

use crate::lookup::{look, texts};
use crate::{Code, Finding};

/// Selectors that many use.
const COMMON: [&str; 16] = [
    "default",
    "dkim",
    "mail",
    "google",
    "selector1",
    "selector2",
    "k1",
    "k2",
    "s1",
    "s2",
    "smtp",
    "key1",
    "pm",
    "fm1",
    "mta",
    "sig1",
];

pub(super) async fn check(
    resolver: &dyn Resolver,
    domain: &Domain,
    selectors: &[Selector],
    parked: bool,
) -> Vec<Finding> {
    if !selectors.is_empty() {
        let looked = join_all(
            selectors
                .iter()
                .map(|selector| key(resolver, domain, selector.as_str())),
        )
        .await;
        return keys(domain, looked);
    }
    // Who sends nothing needs no key.
    if parked {
        return Vec::new();
    }
    let looked = join_all(COMMON.iter().map(|selector| key(resolver, domain, selector))).await;
    let there = |finding: &Finding| !matches!(finding.code(), Code::DkimMissing | Code::DkimBroken | Code::DnsFailed);
    let looked: Vec<Looked> = looked
        .into_iter()
        .filter(|looked| looked.findings.iter().any(there))
        .collect();
    let name = format!("_domainkey.{domain}");
    if looked.is_empty() {
        let what = format!("no key at {} selectors that many use", COMMON.len());
        return vec![Finding::new(Code::DkimNotFound, &name, what).advise("name the selectors in use")];
    }
    let what = format!(
        "{} of {} selectors that many use have a key",
        looked.len(),
        COMMON.len()
    );
    let mut findings = vec![Finding::new(Code::DkimGuessed, &name, what)];
    findings.extend(keys(domain, looked));
    findings
}

struct Looked {
    findings: Vec<Finding>,
    algorithm: Option<Algorithm>,
}

fn keys(domain: &Domain, looked: Vec<Looked>) -> Vec<Finding> {
    let algorithms: Vec<Algorithm> = looked.iter().filter_map(|looked| looked.algorithm).collect();
    let mut findings: Vec<Finding> = looked.into_iter().flat_map(|looked| looked.findings).collect();
    if !algorithms.is_empty()
        && algorithms
            .iter()
            .all(|algorithm| *algorithm == Algorithm::Ed25519Sha256)
    {
        findings.push(
            Finding::new(
                Code::DkimEd25519Only,
                &format!("_domainkey.{domain}"),
                "all keys are Ed25519",
            )
            .advise("add an RSA key of 2048 bits, and sign with both"),
        );
    }
    findings
}

async fn key(resolver: &dyn Resolver, domain: &Domain, selector: &str) -> Looked {
    let name = format!("{selector}._domainkey.{domain}");
    let only = |finding| Looked {
        findings: vec![finding],
        algorithm: None,
    };
    let answer = match look(resolver, &name, RecordType::Txt).await {
        Ok(answer) => answer,
        Err(finding) => return only(finding),
    };
    let records = texts(&answer);
    match &records[..] {
        [] => only(absent(resolver, &name).await),
        [one] => judged(&name, one),
        several => only(
            Finding::new(Code::DkimSeveral, &name, format!("{} records", several.len()))
                .advise("keep one record for each selector"),
        ),
    }
}

async fn absent(resolver: &dyn Resolver, name: &str) -> Finding {
    let alias = match look(resolver, name, RecordType::Cname).await {
        Ok(answer) => answer,
        Err(finding) => return finding,
    };
    let target = alias
        .iter()
        .flat_map(|answer| answer.records())
        .find_map(|record| match record {
            Record::Cname(target) => Some(target.clone()),
            _ => None,
        });
    match target {
        Some(target) => Finding::new(
            Code::DkimDangling,
            name,
            format!("alias of {target}, where there is no key"),
        )
        .advise("have the operator publish the key, or remove the alias"),
        None => Finding::new(Code::DkimMissing, name, "no key").advise("publish the public key of this selector"),
    }
}

fn judged(name: &str, text: &str) -> Looked {
    let key = match PublicKey::parse(text) {
        Ok(key) => key,
        Err(error) => {
            return Looked {
                findings: vec![unusable(name, text, error)],
                algorithm: None,
            };
        }
    };
    let mut findings = Vec::new();
    let is_short = key.algorithm() == Algorithm::RsaSha256 && key.bits() < 2048;
    if is_short {
        let what = format!("RSA key of {} bits", key.bits());
        findings.push(Finding::new(Code::DkimShort, name, what).advise("make a key of 2048 bits, at a new selector"));
    }
    if key.is_testing() {
        findings.push(
            Finding::new(Code::DkimTesting, name, "on trial (`t=y`)").publish(name, Record::txt(key.dns_record())),
        );
    }
    if findings.is_empty() {
        let what = match key.algorithm() {
            Algorithm::RsaSha256 => format!("RSA key of {} bits", key.bits()),
            _ => "Ed25519 key".to_owned(),
        };
        findings.push(Finding::new(Code::DkimOk, name, what));
    }
    Looked {
        findings,
        algorithm: Some(key.algorithm()),
    }
}

fn unusable(name: &str, text: &str, error: KeyRecordError) -> Finding {
    let (code, advice) = match error {
        KeyRecordError::Revoked => (
            Code::DkimRevoked,
            "sign with another selector; remove the record once old mail is gone",
        ),
        KeyRecordError::TooShort => (Code::DkimTooShort, "make a key of 2048 bits, at a new selector"),
        KeyRecordError::HashNotAllowed => (Code::DkimSha1, "take `h=` out of the record, and sign with SHA-256"),
        KeyRecordError::KeyType => (
            Code::DkimKeyType,
            "publish an RSA key (`k=rsa`), and perhaps an Ed25519 one beside it",
        ),
        KeyRecordError::NotForEmail => (Code::DkimNotForMail, "take `s=` out of the record"),
        _ => (Code::DkimBroken, "publish the record again, as it was made"),
    };
    Finding::new(code, name, format!("{error}: {text}")).advise(advice)
}
