//! What domains publish about TLS: MTA-STS records and policies, TLS-RPT records.

use posthaste_publish::{
    mta_sts::{self, MxPattern, Policy, mx_matches},
    tls_rpt,
};
use serde_json::Value;

use crate::harness::{Input, Report, Set};

/// Deviations accepted on purpose: none.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
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
