//! Mail exchangers (RFC 5321 §5.1, 7505) and DANE (RFC 7672).

use std::net::IpAddr;

use futures_util::future::join_all;
use posthaste_address::Domain;
use posthaste_dns::{Dnssec, Record, RecordType, Resolver};

use crate::lookup::look;
use crate::{Code, Finding, Severity};

/// How many exchangers are looked at.
const MOST: usize = 20;

pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain) -> Vec<Finding> {
    let name = domain.as_str();
    let answer = match look(resolver, name, RecordType::Mx).await {
        Ok(answer) => answer,
        Err(finding) => return vec![finding],
    };
    let Some(answer) = answer else {
        return vec![without(resolver, name).await];
    };
    let mut hosts: Vec<(u16, String)> = answer
        .mx()
        .map(|(preference, host)| (preference, host.to_owned()))
        .collect();
    hosts.sort();
    let is_null = |host: &str| host.is_empty() || host == ".";
    if hosts.iter().any(|(_, host)| is_null(host)) {
        let null = Finding::new(Code::MxNull, name, "null MX: takes no mail");
        let beside = Finding::new(
            Code::MxNullBeside,
            name,
            format!("a null MX beside {} others", hosts.len() - 1),
        )
        .advise("remove the null MX, or all others");
        return vec![if hosts.len() == 1 { null } else { beside }];
    }
    let mut findings = Vec::new();
    if hosts.len() > MOST {
        let what = format!("{} exchangers; the first {MOST} were looked at", hosts.len());
        findings.push(
            Finding::new(Code::MxTooMany, name, what).advise("name ten at most; give one name several addresses"),
        );
        hosts.truncate(MOST);
    }
    let looked = join_all(hosts.iter().map(|(_, host)| exchanger(resolver, name, host))).await;
    findings.extend(looked.into_iter().flatten());
    if !findings.iter().any(|finding| finding.severity() >= Severity::Warning) {
        let shown: Vec<String> = hosts
            .iter()
            .map(|(preference, host)| format!("{preference} {host}"))
            .collect();
        findings.insert(0, Finding::new(Code::MxOk, name, shown.join(", ")));
    }
    findings.extend(dane(resolver, &hosts, answer.dnssec()).await);
    findings
}

/// Without MX, mail goes to the domain's own address.
async fn without(resolver: &dyn Resolver, name: &str) -> Finding {
    for kind in [RecordType::A, RecordType::Aaaa] {
        match look(resolver, name, kind).await {
            Err(finding) => return finding,
            Ok(Some(_)) => {
                return Finding::new(Code::MxMissing, name, "no MX; the domain itself has an address")
                    .advise("publish the exchangers, or a null MX (`0 .`) if it takes no mail");
            }
            Ok(None) => {}
        }
    }
    Finding::new(Code::MxNowhere, name, "no MX and no address")
        .advise("publish the exchangers, or a null MX (`0 .`) if it takes no mail")
}

async fn exchanger(resolver: &dyn Resolver, name: &str, host: &str) -> Vec<Finding> {
    if host.parse::<IpAddr>().is_ok() || host.starts_with('[') {
        let what = format!("exchanger {host} is an address");
        return vec![Finding::new(Code::MxAddress, name, what).advise("give the address a name, and publish that")];
    }
    let mut findings = Vec::new();
    match look(resolver, host, RecordType::Cname).await {
        Ok(None) => {}
        Ok(Some(answer)) => {
            let target = answer.records().iter().find_map(|record| match record {
                Record::Cname(target) => Some(target.as_str()),
                _ => None,
            });
            let what = format!("exchanger {host} is an alias of {}", target.unwrap_or_default());
            findings.push(Finding::new(Code::MxAlias, name, what).advise("publish the name that the alias leads to"));
        }
        Err(finding) => return vec![finding],
    }
    let mut addresses: Vec<IpAddr> = Vec::new();
    for kind in [RecordType::A, RecordType::Aaaa] {
        match look(resolver, host, kind).await {
            Ok(answer) => {
                addresses.extend(answer.iter().flat_map(|answer| answer.a()).map(IpAddr::V4));
                addresses.extend(answer.iter().flat_map(|answer| answer.aaaa()).map(IpAddr::V6));
            }
            Err(finding) => {
                findings.push(finding);
                return findings;
            }
        }
    }
    if addresses.is_empty() {
        let what = format!("exchanger {host} has no address");
        findings
            .push(Finding::new(Code::MxUnresolved, name, what).advise("publish its address, or remove the exchanger"));
    }
    if let Some(address) = addresses.into_iter().find(|address| is_private(*address)) {
        let what = format!("exchanger {host} has the private address {address}");
        findings.push(Finding::new(Code::MxPrivate, name, what).advise("publish the address that the internet sees"));
    }
    findings
}

/// Says whether an address is for private use, loopback, link-local or shared (RFC 6890); documentation addresses are not
/// meant.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_broadcast()
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

async fn dane(resolver: &dyn Resolver, hosts: &[(u16, String)], mx: Dnssec) -> Vec<Finding> {
    let names: Vec<String> = hosts.iter().map(|(_, host)| format!("_25._tcp.{host}")).collect();
    let answers = join_all(names.iter().map(|name| look(resolver, name, RecordType::Tlsa))).await;
    let mut findings = Vec::new();
    let mut good = 0;
    for (name, answer) in names.iter().zip(answers) {
        match answer {
            // That TLSA cannot be looked up keeps senders with DANE from delivering (RFC 7672 §2.1.2).
            Err(finding) => findings.push(finding),
            Ok(None) => {}
            Ok(Some(answer)) => {
                let is_signed = answer.dnssec() == Dnssec::Secure && mx == Dnssec::Secure;
                if !answer.tlsa().any(|tlsa| matches!(tlsa.usage, 2 | 3)) {
                    let finding = Finding::new(Code::DaneUsage, name, "only usages that are not for mail");
                    findings.push(finding.advise("publish `3 1 1` with the hash of the key"));
                } else if is_signed {
                    good += 1;
                    findings.push(Finding::new(Code::DaneOk, name, "TLSA record, signed"));
                } else {
                    let finding = Finding::new(
                        Code::DaneInsecure,
                        name,
                        "TLSA record, but not all is signed with DNSSEC",
                    );
                    findings.push(
                        finding.advise("sign the zones of the domain and of the exchanger, or remove the record"),
                    );
                }
            }
        }
    }
    if good > 0 && good < names.len() {
        let subject = names.first().map_or("", String::as_str);
        let what = format!("{good} of {} exchangers have a TLSA record", names.len());
        findings.push(Finding::new(Code::DanePartial, subject, what).advise("publish one for each"));
    }
    findings
}
