//! MTA-STS (RFC 8461).

use std::time::Duration;

use posthaste_address::Domain;
use posthaste_dns::{RecordType, Resolver};
use posthaste_publish::mta_sts::{Mode, Policy, Record, RecordError};

use crate::lookup::{look, starts_with, texts};
use crate::{Code, FetchError, Finding, Https, Severity};

/// Below this, protection is gone after a short failure.
const SHORT: Duration = Duration::from_secs(86_400);

pub(super) async fn check(
    resolver: &dyn Resolver,
    https: Option<&dyn Https>,
    domain: &Domain,
    parked: bool,
) -> Vec<Finding> {
    let name = format!("_mta-sts.{domain}");
    let all = match look(resolver, &name, RecordType::Txt).await {
        Ok(answer) => texts(&answer),
        Err(finding) => return vec![finding],
    };
    let url = format!("https://mta-sts.{domain}/.well-known/mta-sts.txt");
    let record = match Record::select(all.iter().filter(|text| starts_with(text, "v=STS"))) {
        Ok(record) => record,
        Err(RecordError::None) if !all.iter().any(|text| starts_with(text, "v=STS")) => {
            let policy = match https {
                Some(https) if !parked => https.get(&url).await.ok(),
                _ => None,
            };
            if policy.is_some_and(|body| Policy::parse(&body).is_ok()) {
                let finding = Finding::new(Code::StsNoRecord, &name, format!("no record, and a policy at {url}"));
                return vec![finding.publish(&name, posthaste_dns::Record::txt("v=STSv1; id=1"))];
            }
            if parked {
                return Vec::new();
            }
            let finding = Finding::new(Code::StsMissing, &name, "no MTA-STS");
            return vec![
                finding.advise("serve a policy over HTTPS, first with `mode: testing`, and publish the record"),
            ];
        }
        Err(error) => {
            let shown = all.first().cloned().unwrap_or_default();
            return vec![
                Finding::new(Code::StsRecord, &name, format!("{error}: {shown}"))
                    .advise("publish one record: `v=STSv1; id=1`"),
            ];
        }
    };
    let Some(https) = https else {
        return vec![Finding::new(
            Code::StsNotFetched,
            &name,
            format!("id {}; {url} was not fetched", record.id()),
        )];
    };
    let body = match https.get(&url).await {
        Ok(body) => body,
        Err(error) => {
            let advice = match error {
                FetchError::ContentType(_) => "serve it as text/plain",
                FetchError::Status(300..=399) => "serve it at that address: senders follow no redirects",
                _ => "serve the policy there, with a certificate for that host",
            };
            return vec![Finding::new(Code::StsUnreachable, &name, format!("{url}: {error}")).advise(advice)];
        }
    };
    let policy = match Policy::parse(&body) {
        Ok(policy) => policy,
        Err(error) => {
            return vec![
                Finding::new(Code::StsPolicy, &name, format!("{url}: {error}")).advise("correct the policy file"),
            ];
        }
    };
    let mut findings = judged(&name, &policy);
    findings.extend(unmatched(resolver, domain, &name, &policy).await);
    if !findings.iter().any(|finding| finding.severity() >= Severity::Warning) {
        let what = format!(
            "id {}, mode {}, for {} s",
            record.id(),
            policy.mode(),
            policy.max_age().as_secs()
        );
        findings.insert(0, Finding::new(Code::StsOk, &name, what));
    }
    findings
}

fn judged(name: &str, policy: &Policy) -> Vec<Finding> {
    let mut findings = Vec::new();
    match policy.mode() {
        Mode::Testing => findings.push(
            Finding::new(Code::StsTesting, name, "`mode: testing`")
                .advise("say `mode: enforce` once the TLS reports are clean"),
        ),
        Mode::None => findings.push(Finding::new(Code::StsNone, name, "`mode: none`")),
        _ => {}
    }
    if policy.max_age() < SHORT && policy.mode() != Mode::None {
        let what = format!("`max_age: {}`", policy.max_age().as_secs());
        findings.push(Finding::new(Code::StsShort, name, what).advise("say `max_age: 604800` or more"));
    }
    findings
}

async fn unmatched(resolver: &dyn Resolver, domain: &Domain, name: &str, policy: &Policy) -> Vec<Finding> {
    if policy.mode() == Mode::None {
        return Vec::new();
    }
    let Ok(Some(answer)) = look(resolver, domain.as_str(), RecordType::Mx).await else {
        return Vec::new();
    };
    let code = match policy.mode() {
        Mode::Testing => Code::StsExchangerTesting,
        _ => Code::StsExchanger,
    };
    // What is no host name cannot be in a policy; the exchangers themselves are looked at elsewhere.
    let is_name = |host: &str| host.parse::<std::net::IpAddr>().is_err() && !host.is_empty() && host != ".";
    let outside = answer.mx().filter(|(_, host)| is_name(host) && !policy.allows(host));
    outside
        .map(|(_, host)| {
            Finding::new(code, name, format!("the policy does not allow exchanger {host}"))
                .advise(format!("add `mx: {host}` to the policy, and change the record's id"))
        })
        .take(20)
        .collect()
}
