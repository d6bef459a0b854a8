//! What domains publish about TLS: TLSA records, MTA-STS records and policies, TLS-RPT records.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use posthaste_publish::{
    mta_sts::{self, MxPattern, Policy, mx_matches},
    tls_rpt,
};
use posthaste_smtp::{Dane, TlsaAnswer, TlsaRecord};
use serde_json::Value;

use crate::harness::{Input, Report, Set, time};

/// Deviations accepted on purpose: none.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "tls/dane",
            run: dane,
        },
        Set {
            name: "tls/mta-sts",
            run: mta_sts,
        },
        Set {
            name: "tls/tlsrpt-records",
            run: tls_rpt,
        },
    ]
}

fn dane(input: &Input, report: &mut Report) {
    let set = input.json("tls/dane.json");
    let now = set["now"].as_str().and_then(time).expect("the time of the set");
    let chains: BTreeMap<&str, Vec<Vec<u8>>> = set["chains"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, chain)| {
            let der = |text: &Value| BASE64.decode(text.as_str()?).ok();
            (name.as_str(), cases(chain).iter().filter_map(der).collect())
        })
        .collect();
    for case in cases(&set["cases"]) {
        let part = |name: &str| case[name].as_str().unwrap_or_default();
        let found = dane_case(case, &chains[part("chain")], now);
        report.check(part("id"), same("result", found, &case["expect"]));
    }
}

fn dane_case(case: &Value, chain: &[Vec<u8>], now: SystemTime) -> &'static str {
    let part = |name: &str| case[name].as_str().unwrap_or_default();
    let number = |value: &Value| {
        value
            .as_u64()
            .and_then(|number| u8::try_from(number).ok())
            .expect("an octet")
    };
    let record = |record: &Value| {
        let data = hex(record[3].as_str().unwrap_or_default());
        TlsaRecord::new(number(&record[0]), number(&record[1]), number(&record[2]), data)
    };
    let answer = match part("tlsa_dnssec") {
        secure if secure.starts_with("secure") => TlsaAnswer::Secure(cases(&case["tlsa"]).iter().map(record).collect()),
        "insecure" => TlsaAnswer::Insecure,
        _ => TlsaAnswer::Failed,
    };
    let dane = Dane::from_answer(answer).map(|dane| dane.with_name(part("recipient_domain")));
    match dane {
        Err(_) => "tempfail-do-not-deliver",
        Ok(Dane::Encrypt) => "unusable-encrypt-unauthenticated",
        Ok(Dane::Authenticate(verifier)) => match verifier.verify(chain, part("mx_host"), now) {
            Ok(_) => "pass",
            Err(_) => "fail",
        },
        Ok(_) => "no-dane-opportunistic",
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |index: usize| u8::from_str_radix(text.get(2 * index..2 * index + 2).unwrap_or("?"), 16);
    (0..text.len() / 2)
        .map(|index| digit(index).expect("hexadecimal digits"))
        .collect()
}

fn mta_sts(input: &Input, report: &mut Report) {
    let set = input.json("tls/mta-sts.json");
    for (part, check) in [
        ("txt", txt as fn(&Value) -> Result<(), String>),
        ("policy", policy),
        ("mx_match", mx_match),
    ] {
        for (index, case) in cases(&set[part]).iter().enumerate() {
            report.check(&format!("{part} {index}"), check(case));
        }
    }
    for case in cases(&set["flow"]) {
        let id = case["id"].as_str().unwrap_or_default();
        report.unsupported(format!("flow {id}"), "needs delivery by MX, which is not built yet");
    }
}

fn tls_rpt(input: &Input, report: &mut Report) {
    let set = input.json("tls/tlsrpt-records.json");
    for (index, case) in cases(&set["cases"]).iter().enumerate() {
        let record = tls_rpt::Record::select(texts(case));
        let found: Vec<&str> = record
            .iter()
            .flat_map(tls_rpt::Record::uris)
            .map(tls_rpt::ReportUri::as_str)
            .collect();
        let wanted: Vec<&str> = cases(&case["rua"]).iter().filter_map(Value::as_str).collect();
        let valid = record.is_ok();
        let outcome = same("valid", valid, &case["valid"]).and_then(|()| match found == wanted {
            true => Ok(()),
            false => Err(format!("rua {found:?}, expected {wanted:?}")),
        });
        report.check(&index.to_string(), outcome);
    }
}

fn cases(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The texts at a name, each made of strings.
fn texts(case: &Value) -> Vec<String> {
    let strings = |record: &Value| cases(record).iter().filter_map(Value::as_str).collect();
    cases(&case["txt"]).iter().map(strings).collect()
}

/// Compares where there is something to compare with: null leaves it open.
fn same(what: &str, found: impl Into<Value>, expected: &Value) -> Result<(), String> {
    let found = found.into();
    if expected.is_null() || found == *expected {
        Ok(())
    } else {
        Err(format!("{what} {found}, expected {expected}"))
    }
}

fn txt(case: &Value) -> Result<(), String> {
    let record = mta_sts::Record::select(texts(case));
    same("valid", record.is_ok(), &case["valid"])?;
    let id = record.as_ref().ok().map(mta_sts::Record::id);
    if case["valid"].is_null() || id == case["policy_id"].as_str() {
        Ok(())
    } else {
        Err(format!("id {id:?}, expected {}", case["policy_id"]))
    }
}

fn policy(case: &Value) -> Result<(), String> {
    let body = match case["body"].as_str() {
        Some(body) => body.to_owned(),
        None => {
            let repeat = &case["body_repeat"];
            let part = |name: &str| repeat[name].as_str().unwrap_or_default();
            let times = repeat["times"].as_u64().unwrap_or(0).try_into().unwrap_or(0);
            part("prefix").to_owned() + &part("unit").repeat(times)
        }
    };
    let policy = Policy::parse(body.as_bytes());
    same("valid", policy.is_ok(), &case["valid"])?;
    let expect = &case["expect"];
    if expect["bounded"] == true && body.len() > Policy::MAX_OCTETS && policy.is_ok() {
        return Err(format!("{} octets were read", body.len()));
    }
    if let Ok(policy) = policy {
        same("mode", policy.mode().as_str(), &expect["mode"])?;
        same("max_age", policy.max_age().as_secs(), &expect["max_age"])?;
        let patterns: Vec<String> = policy.patterns().iter().map(MxPattern::to_string).collect();
        same("mx", patterns, &expect["mx"])?;
    }
    Ok(())
}

fn mx_match(case: &Value) -> Result<(), String> {
    let part = |name: &str| case[name].as_str().unwrap_or_default();
    same("match", mx_matches(part("pattern"), part("mx_host")), &case["match"])
}
