//! Policies, and what they make of a message.

use std::sync::Mutex;

use posthaste_address::Domain;
use posthaste_auth::dmarc::{self, Alignment, Input as Message, Method, PublicSuffix, Record as Policy, ReportAddress};
use posthaste_dns::{LookupError, LookupFuture, Record, RecordType, Resolver, Txt, Zone};
use serde_json::Value;

use super::block_on;
use crate::harness::{Input, Report};

/// A zone that remembers which TXT records it was asked for.
#[derive(Debug)]
struct Recording {
    zone: Zone,
    asked: Mutex<Vec<String>>,
}

impl Resolver for Recording {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        if kind == RecordType::Txt {
            self.asked.lock().expect("no panic").push(name.to_owned());
        }
        self.zone.lookup(name, kind)
    }
}

/// `dmarc-eval.json`.
pub fn evaluate(input: &Input, report: &mut Report) {
    let set = input.json("dmarc/dmarc-eval.json");
    for case in set["cases"].as_array().expect("cases") {
        let id = case["id"].as_str().unwrap_or("no id");
        let methods: &[Method] = match case["mode"].as_str() {
            Some("rfc9989") => &[Method::TreeWalk],
            Some("rfc7489") => &[Method::PublicSuffixList],
            _ => &[Method::TreeWalk, Method::PublicSuffixList],
        };
        report.check(id, methods.iter().try_for_each(|method| check(case, *method)));
    }
}

fn check(case: &Value, method: Method) -> Result<(), String> {
    let resolver = Recording {
        zone: zone(&case["zone"]),
        asked: Mutex::default(),
    };
    let expect = &case["expect"];
    let report = match case["from_domain"].as_str().map(str::parse::<Domain>) {
        Some(Ok(from)) => block_on(dmarc::evaluate(&message(case, from).method(method), &resolver)),
        _ => dmarc::Report::no_single_from(),
    };
    let differs =
        |what: &str, found: &dyn std::fmt::Debug| Err(format!("{method:?}: {what} is {found:?}, expected {expect}"));

    let result = report.result().as_str();
    if expect["result"].as_str().is_some_and(|expected| expected != result) {
        return differs("result", &result);
    }
    if let Some(allowed) = expect["result_in"].as_array()
        && !allowed.iter().any(|allowed| allowed == result)
    {
        return differs("result", &result);
    }
    if expect["policy"]
        .as_str()
        .is_some_and(|expected| Some(expected) != report.policy().map(|policy| policy.as_str()))
    {
        return differs("policy", &report.policy());
    }
    if expect["disposition"]
        .as_str()
        .is_some_and(|expected| expected != report.disposition().as_str())
    {
        return differs("disposition", &report.disposition());
    }
    if expect["policy_domain"]
        .as_str()
        .is_some_and(|expected| Some(expected) != report.policy_domain().map(Domain::as_str))
    {
        return differs("policy domain", &report.policy_domain());
    }
    if expect["spf_aligned"]
        .as_bool()
        .is_some_and(|expected| expected != report.is_spf_aligned())
    {
        return differs("SPF alignment", &report.is_spf_aligned());
    }
    if expect["dkim_aligned"]
        .as_bool()
        .is_some_and(|expected| expected != report.is_dkim_aligned())
    {
        return differs("DKIM alignment", &report.is_dkim_aligned());
    }
    let asked = resolver.asked.into_inner().expect("no panic");
    if let Some(queries) = expect["queries"].as_array()
        && asked
            .iter()
            .map(String::as_str)
            .ne(queries.iter().filter_map(Value::as_str))
    {
        return differs("the list of questions", &asked);
    }
    Ok(())
}

fn message(case: &Value, from: Domain) -> Message {
    let mut message = Message::new(from);
    for (method, results) in [("spf", &case["spf"]), ("dkim", &case["dkim"])] {
        for result in results.as_array().into_iter().flatten() {
            let Some(Ok(domain)) = result["domain"]
                .as_str()
                .map(|domain| domain.trim_end_matches('.').parse())
            else {
                continue;
            };
            message = match (result["result"].as_str(), method) {
                (Some("pass"), "spf") => message.spf_pass(domain),
                (Some("pass"), _) => message.dkim_pass(domain),
                (Some("temperror"), _) => message.undecided(domain),
                _ => message,
            };
        }
    }
    message
}

/// Names with their records by type, or with an `rcode`.
fn zone(names: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, entry) in names.as_object().into_iter().flatten() {
        let failure = match entry["rcode"].as_str() {
            Some("SERVFAIL") => Some(LookupError::ServFail),
            Some("TIMEOUT") => Some(LookupError::Timeout),
            Some("REFUSED") => Some(LookupError::Refused),
            _ => None,
        };
        if let Some(failure) = failure {
            for kind in RecordType::ALL {
                drop(zone.fail(name, *kind, failure.clone()));
            }
        }
        for text in entry["TXT"].as_array().into_iter().flatten() {
            let record = match text {
                Value::Array(strings) => Txt::from_segments(strings.iter().filter_map(Value::as_str)),
                text => Txt::new(text.as_str().unwrap_or_default()),
            };
            drop(zone.insert(name, Record::Txt(record)));
        }
        for address in entry["A"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            drop(zone.insert(name, Record::A(address.parse().expect("an address"))));
        }
        for address in entry["AAAA"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            drop(zone.insert(name, Record::Aaaa(address.parse().expect("an address"))));
        }
        for exchange in entry["MX"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (preference, exchange) = exchange.split_once(' ').unwrap_or(("10", exchange));
            drop(zone.insert(name, Record::mx(preference.parse().unwrap_or(10), exchange)));
        }
        if let Some(target) = entry["CNAME"].as_str() {
            drop(zone.insert(name, Record::Cname(target.to_owned())));
        }
    }
    zone
}

/// `dmarc-records.json`.
pub fn records(input: &Input, report: &mut Report) {
    let set = input.json("dmarc/dmarc-records.json");
    for case in set["cases"].as_array().expect("cases") {
        let record = case["record"].as_str().unwrap_or_default();
        report.check(record, check_record(record, case));
    }
}

fn check_record(record: &str, case: &Value) -> Result<(), String> {
    let expect = &case["expect"];
    let policy: Policy = match (record.parse(), case["valid"].as_bool()) {
        (Ok(_), Some(false)) => return Err("was taken for a policy".to_owned()),
        (Err(_), Some(false) | None) => return Ok(()),
        (Err(error), Some(true)) => return Err(format!("{error}")),
        (Ok(policy), _) => policy,
    };
    let alignment = |alignment| if alignment == Alignment::Strict { "s" } else { "r" };
    let words = [
        ("p", policy.policy().as_str()),
        ("sp", policy.subdomain_policy().as_str()),
        ("np", policy.nonexistent_policy().as_str()),
        ("adkim", alignment(policy.dkim_alignment())),
        ("aspf", alignment(policy.spf_alignment())),
        ("t", if policy.is_testing() { "y" } else { "n" }),
        ("fo", policy.failure_options()),
        (
            "psd",
            match policy.public_suffix() {
                PublicSuffix::Yes => "y",
                PublicSuffix::No => "n",
                _ => "u",
            },
        ),
    ];
    for (tag, found) in words {
        if expect[tag].as_str().is_some_and(|expected| expected != found) {
            return Err(format!("{tag} is {found}, expected {expect}"));
        }
    }
    for (tag, found) in [("rua", policy.aggregate_reports()), ("ruf", policy.failure_reports())] {
        if let Some(expected) = expect[tag].as_array()
            && found
                .iter()
                .map(ReportAddress::address)
                .ne(expected.iter().filter_map(Value::as_str))
        {
            return Err(format!("{tag} is {found:?}, expected {expect}"));
        }
        for (address, size) in expect[format!("{tag}_max")].as_object().into_iter().flatten() {
            let found = found
                .iter()
                .find(|report| report.address() == address)
                .and_then(ReportAddress::max_size);
            if found != size.as_u64() {
                return Err(format!("the limit of {address} is {found:?}, expected {size}"));
            }
        }
    }
    Ok(())
}
