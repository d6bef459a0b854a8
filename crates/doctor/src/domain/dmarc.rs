//! DMARC (RFC 9989, 9990).

use futures_util::future::join_all;
use posthaste_address::Domain;
use posthaste_auth::dmarc::{self, Alignment, Input, Policy, Record, ReportAddress};
use posthaste_dns::{Record as Data, RecordType, Resolver};

use crate::lookup::{failed, look, starts_with, texts};
use crate::{Code, Finding, Severity};

/// How many report addresses are looked at.
const MOST_ADDRESSES: usize = 10;

pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain, parked: bool) -> Vec<Finding> {
    let name = format!("_dmarc.{domain}");
    let all = match look(resolver, &name, RecordType::Txt).await {
        Ok(answer) => texts(&answer),
        Err(finding) => return vec![finding],
    };
    let is_dmarc = |text: &&String| starts_with(&text.replace(' ', ""), "v=DMARC1");
    let records: Vec<&String> = all.iter().filter(is_dmarc).collect();
    match &records[..] {
        [] => inherited(resolver, domain, &name).await,
        [text] => match text.parse::<Record>() {
            Ok(record) => {
                let mut findings = judged(&name, domain, text, &record, parked);
                findings.extend(reports(resolver, &name, domain, &record).await);
                if !findings.iter().any(|finding| finding.severity() >= Severity::Warning) {
                    findings.insert(0, Finding::new(Code::DmarcOk, &name, text));
                }
                findings
            }
            Err(error) => vec![
                Finding::new(Code::DmarcSyntax, &name, format!("{error}: {text}"))
                    .publish(&name, Data::txt(first(domain))),
            ],
        },
        several => {
            let shown: Vec<&str> = several.iter().take(3).map(|text| text.as_str()).collect();
            let what = format!("{} DMARC records: {}", several.len(), shown.join(" | "));
            vec![Finding::new(Code::DmarcSeveral, &name, what).advise("keep one of them")]
        }
    }
}

/// The record to begin with.
fn first(domain: &Domain) -> String {
    format!("v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
}

async fn inherited(resolver: &dyn Resolver, domain: &Domain, name: &str) -> Vec<Finding> {
    let report = dmarc::evaluate(&Input::new(domain.clone()), resolver).await;
    if let Some(error) = report.error() {
        return vec![failed(name, RecordType::Txt, error)];
    }
    let (Some(above), Some(record), Some(policy)) = (report.policy_domain(), report.record(), report.policy()) else {
        return vec![
            Finding::new(Code::DmarcMissing, name, "no DMARC record, here or above")
                .publish(name, Data::txt(first(domain))),
        ];
    };
    let what = format!("none here; that of _dmarc.{above} asks for {policy}");
    let mut findings = vec![Finding::new(Code::DmarcInherited, name, &what)];
    if policy == Policy::None {
        findings.push(
            Finding::new(Code::DmarcNone, name, what)
                .advise(format!("set `sp=` of _dmarc.{above} to quarantine, then reject")),
        );
    }
    if record.is_testing() {
        findings.push(Finding::new(Code::DmarcTesting, name, "`t=y` above").advise("take `t=y` out of the record"));
    }
    findings
}

fn strength(policy: Policy) -> u8 {
    match policy {
        Policy::Reject => 2,
        Policy::Quarantine => 1,
        _ => 0,
    }
}

fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split(';')
        .filter_map(|tag| tag.split_once('='))
        .find(|(known, _)| known.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn judged(name: &str, domain: &Domain, text: &str, record: &Record, parked: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut push = |code, what: String, advice: &str| findings.push(Finding::new(code, name, what).advise(advice));
    let read = record.policy();
    if tag(text, "p").is_none_or(|word| !word.eq_ignore_ascii_case(read.as_str())) {
        let what = format!("`p=` is missing or not a policy; read as {read}: {text}");
        push(Code::DmarcSyntax, what, "say `p=none`, `p=quarantine` or `p=reject`");
    } else if read == Policy::None {
        let advice = "read the reports until all own mail passes, then ask for `p=quarantine`, later `p=reject`";
        push(Code::DmarcNone, format!("`p=none` in: {text}"), advice);
    }
    let (own, sub, absent) = (read, record.subdomain_policy(), record.nonexistent_policy());
    if strength(sub) < strength(own) {
        push(
            Code::DmarcSubdomains,
            format!("`p={own}`, but `sp={sub}`"),
            "take `sp=` out of the record",
        );
    }
    if strength(absent) < strength(sub) {
        push(
            Code::DmarcNonexistent,
            format!("`np={absent}`"),
            "say `np=reject`: what does not exist sends nothing",
        );
    }
    if let Some(percent) = tag(text, "pct") {
        push(
            Code::DmarcPercent,
            format!("`pct={percent}`"),
            "take `pct=` out; `t=y` is for trying out",
        );
    }
    if record.is_testing() {
        push(
            Code::DmarcTesting,
            "`t=y`".to_owned(),
            "take `t=y` out once the reports look right",
        );
    }
    let written =
        |name: &str| tag(text, name).map_or(0, |list| list.split(',').filter(|uri| !uri.trim().is_empty()).count());
    for (tag, read) in [
        ("rua", record.aggregate_reports().len()),
        ("ruf", record.failure_reports().len()),
    ] {
        if written(tag) > read {
            let what = format!(
                "{} of {} addresses in `{tag}=` are no mailto URI",
                written(tag) - read,
                written(tag)
            );
            push(
                Code::DmarcReportAddress,
                what,
                "write `mailto:` in front of each address",
            );
        }
    }
    if written("rua") == 0 && !parked {
        push(
            Code::DmarcNoReports,
            "no `rua=`".to_owned(),
            &format!("add `rua=mailto:dmarc@{domain}`"),
        );
    }
    if !record.failure_reports().is_empty() {
        push(
            Code::DmarcFailureReports,
            "`ruf=` is there".to_owned(),
            "make sure that those who read them may",
        );
    }
    for (tag, alignment) in [("adkim", record.dkim_alignment()), ("aspf", record.spf_alignment())] {
        if alignment == Alignment::Strict && !parked {
            push(
                Code::DmarcStrict,
                format!("`{tag}=s`"),
                "keep it only if no subdomain sends for this domain",
            );
        }
    }
    findings
}

async fn reports(resolver: &dyn Resolver, name: &str, domain: &Domain, record: &Record) -> Vec<Finding> {
    let addresses = record.aggregate_reports().iter().chain(record.failure_reports());
    let mut hosts: Vec<Domain> = Vec::new();
    for host in addresses
        .map(ReportAddress::domain)
        .filter_map(|host| host.parse::<Domain>().ok())
    {
        let is_own = host.registrable().is_some() && host.registrable() == domain.registrable();
        if !is_own && !hosts.contains(&host) && hosts.len() < MOST_ADDRESSES {
            hosts.push(host);
        }
    }
    let checks = hosts.iter().map(|host| authorised(resolver, name, domain, host));
    join_all(checks).await.into_iter().flatten().collect()
}

/// Says whether the other domain wants the reports (RFC 9990 §4).
async fn authorised(resolver: &dyn Resolver, name: &str, domain: &Domain, host: &Domain) -> Option<Finding> {
    let wanted = format!("{domain}._report._dmarc.{host}");
    match look(resolver, &wanted, RecordType::Txt).await {
        Err(finding) => Some(finding),
        Ok(answer) if texts(&answer).iter().any(|text| starts_with(text, "v=DMARC1")) => None,
        Ok(_) => Some(
            Finding::new(
                Code::DmarcReportUnauthorized,
                name,
                format!("reports go to {host}, and {wanted} has no record"),
            )
            .publish(&wanted, Data::txt("v=DMARC1")),
        ),
    }
}
