//! Names of sending addresses (RFC 8601 §3, iprev).

use std::net::IpAddr;

use futures_util::future::join_all;
use posthaste_address::Domain;
use posthaste_auth::spf::{self, Limits, Query};
use posthaste_dns::{RecordType, Resolver, reverse_name};

use super::mx::is_private;
use crate::lookup::look;
use crate::{Code, Finding};

/// How many names of an address are looked at.
const MOST: usize = 10;

pub(super) async fn check(resolver: &dyn Resolver, sender: &Domain, address: IpAddr) -> Vec<Finding> {
    let subject = address.to_string();
    if is_private(address) {
        let finding = Finding::new(Code::ReversePrivate, &subject, "a private address");
        return vec![finding.advise("name the address that the internet sees")];
    }
    let mut findings = vec![named(resolver, &subject, address).await];
    let mail_from = format!("postmaster@{sender}");
    let query = Query::new(address, sender.as_str(), &mail_from);
    let report = spf::check_host(&query, resolver, &Limits::default()).await;
    if matches!(
        report.result(),
        spf::Result::Fail | spf::Result::SoftFail | spf::Result::Neutral
    ) {
        let what = format!("SPF of {sender} says {} of it", report.result());
        let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
        findings.push(
            Finding::new(Code::SpfAddressFails, &subject, what).advise(format!("add `{kind}:{address}` to the record")),
        );
    }
    findings
}

async fn named(resolver: &dyn Resolver, subject: &str, address: IpAddr) -> Finding {
    let names: Vec<String> = match look(resolver, &reverse_name(address), RecordType::Ptr).await {
        Ok(answer) => answer
            .iter()
            .flat_map(|answer| answer.ptr())
            .map(str::to_owned)
            .take(MOST)
            .collect(),
        Err(finding) => return finding,
    };
    if names.is_empty() {
        let finding = Finding::new(Code::ReverseMissing, subject, "the address has no name");
        return finding.advise("have the owner of the network publish a PTR record with the host's name");
    }
    let kind = if address.is_ipv4() {
        RecordType::A
    } else {
        RecordType::Aaaa
    };
    let answers = join_all(names.iter().map(|name| look(resolver, name, kind))).await;
    let mut failure = None;
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            Err(finding) => failure = Some(finding),
            Ok(None) => {}
            Ok(Some(answer)) => {
                let mut back = answer.a().map(IpAddr::V4).chain(answer.aaaa().map(IpAddr::V6));
                if back.any(|back| back == address) {
                    return match is_generic(name, address) {
                        true => Finding::new(Code::ReverseGeneric, subject, format!("named {name}"))
                            .advise("give the host a name that says what it is, such as mail1.example.org"),
                        false => Finding::new(Code::ReverseOk, subject, format!("named {name}, which leads back")),
                    };
                }
            }
        }
    }
    let unconfirmed = || {
        let what = format!("named {}, which does not lead back", names.join(", "));
        Finding::new(Code::ReverseUnconfirmed, subject, what)
            .advise(format!("publish {address} as an address of that name"))
    };
    failure.unwrap_or_else(unconfirmed)
}

/// Says whether a name is made of the address, as those of dial-up lines are.
fn is_generic(name: &str, address: IpAddr) -> bool {
    let name = name.to_ascii_lowercase();
    let IpAddr::V4(address) = address else { return false };
    let numbers: Vec<&str> = name
        .split(|c: char| !c.is_ascii_digit())
        .filter(|number| !number.is_empty())
        .collect();
    let own = address.octets().map(|octet| octet.to_string());
    let found = own.iter().filter(|octet| numbers.contains(&octet.as_str())).count();
    let words = [
        "dynamic",
        "dyn",
        "pool",
        "dhcp",
        "dialup",
        "dsl",
        "cable",
        "ppp",
        "broadband",
    ];
    let labels: Vec<&str> = name.split(['.', '-']).collect();
    found >= 3 || words.iter().any(|word| labels.contains(word))
}
