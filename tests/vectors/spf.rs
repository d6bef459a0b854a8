//! SPF: whole scenarios of DNS data and what check_host makes of them.

use std::{future::Future, net::IpAddr, pin::pin, task};

use posthaste_auth::spf::{self, Limits, Query};
use posthaste_dns::{LookupError, Record, RecordType, Txt, Zone};
use serde_json::Value;

use crate::harness::{Input, Report, Set};

/// Deviations accepted on purpose: none.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![Set {
        name: "spf/rfc7208",
        run: rfc7208,
    }]
}

fn rfc7208(input: &Input, report: &mut Report) {
    let scenarios = input.json("spf/rfc7208.json");
    for scenario in scenarios.as_array().expect("a list of scenarios") {
        let description = scenario["description"].as_str().unwrap_or("no description");
        let zone = zone(&scenario["zonedata"]);
        for (name, test) in scenario["tests"].as_object().expect("tests by name") {
            report.check(&format!("{description}: {name}"), check(&zone, test));
        }
    }
}

/// Builds the zone of a scenario: names, each with a list of `{TYPE: data}` and `"TIMEOUT"`.
fn zone(data: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, entries) in data.as_object().expect("entries by name") {
        let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
        let pairs = || entries.iter().filter_map(Value::as_object).flatten();
        // Records of the type SPF, which is no more, are served as TXT, unless the entry says what TXT there is.
        let own_text = pairs().any(|(kind, _)| kind == "TXT");
        let mut served = Vec::new();
        for (kind, value) in pairs() {
            let (kind, record) = match kind.as_str() {
                "SPF" if own_text => continue,
                "SPF" | "TXT" => (RecordType::Txt, text(value)),
                other => {
                    let kind = RecordType::from_name(other).unwrap_or_else(|| panic!("{name}: type {other}"));
                    (kind, record(kind, value))
                }
            };
            served.push(kind);
            match (value.as_str(), record) {
                // A name that no query can hold is no loss.
                (Some("TIMEOUT"), _) => drop(zone.fail(name, kind, LookupError::Timeout)),
                (Some("NONE"), _) => drop(served.pop()),
                (_, record) => drop(zone.insert(name, record)),
            }
        }
        // What is listed is served even so; every other question times out.
        if entries.iter().any(|entry| entry == "TIMEOUT") {
            for kind in RecordType::ALL.iter().copied().filter(|kind| !served.contains(kind)) {
                drop(zone.fail(name, kind, LookupError::Timeout));
            }
        }
    }
    zone
}

fn text(value: &Value) -> Record {
    match value {
        Value::Array(strings) => Record::Txt(Txt::from_segments(strings.iter().filter_map(Value::as_str))),
        other => Record::txt(other.as_str().unwrap_or_default()),
    }
}

fn record(kind: RecordType, value: &Value) -> Record {
    let word = value.as_str().unwrap_or_default();
    match kind {
        RecordType::Mx => Record::mx(
            value[0]
                .as_u64()
                .and_then(|preference| preference.try_into().ok())
                .unwrap_or_default(),
            value[1].as_str().unwrap_or_default(),
        ),
        RecordType::Ptr => Record::Ptr(word.to_owned()),
        RecordType::Cname => Record::Cname(word.to_owned()),
        _ if word == "TIMEOUT" => Record::txt(""),
        RecordType::A => Record::A(word.parse().unwrap_or_else(|e| panic!("A {word}: {e}"))),
        RecordType::Aaaa => Record::Aaaa(word.parse().unwrap_or_else(|e| panic!("AAAA {word}: {e}"))),
        other => panic!("type {other}"),
    }
}

fn check(zone: &Zone, test: &Value) -> Result<(), String> {
    let field = |name: &str| test[name].as_str().unwrap_or_default();
    let ip: IpAddr = field("host").parse().map_err(|error| format!("host: {error}"))?;
    let (helo, mail_from) = (field("helo"), field("mailfrom"));
    let query = Query::new(ip, helo, mail_from);
    let found = ready(spf::check_host(&query, zone, &Limits::default()));

    let result = found.result().as_str();
    let accepted = match &test["result"] {
        Value::Array(several) => several.iter().any(|one| one == result),
        one => one == result,
    };
    if !accepted {
        return Err(format!(
            "{result} instead of {} ({:?})",
            test["result"],
            found.problem()
        ));
    }
    let expected = match test["explanation"].as_str() {
        // The checker's own words, of which we have none.
        Some("DEFAULT") => None,
        Some(words) => Some(words),
        None => return Ok(()),
    };
    if found.explanation() != expected {
        return Err(format!("explanation {:?} instead of {expected:?}", found.explanation()));
    }
    Ok(())
}

/// Finishes a future that waits for nothing, as lookups in a zone do.
fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut task::Context::from_waker(task::Waker::noop())) {
        task::Poll::Ready(output) => output,
        task::Poll::Pending => panic!("a zone answers at once"),
    }
}
