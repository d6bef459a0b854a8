//! A reverse-path of its own.

use posthaste_address::Domain;
use posthaste_dns::{RecordType, Resolver};

use crate::lookup::look;
use crate::{Code, Finding, Severity};

pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain, mail_from: &Domain) -> Vec<Finding> {
    let name = mail_from.as_str();
    let mut findings = super::spf::check(resolver, mail_from).await;
    match look(resolver, name, RecordType::Mx).await {
        Err(finding) => findings.push(finding),
        Ok(Some(answer)) if answer.mx().any(|(_, host)| !host.is_empty() && host != ".") => {}
        Ok(_) => findings.push(
            Finding::new(Code::MailFromMx, name, "no MX for bounces")
                .advise("publish the exchanger that takes the bounces"),
        ),
    }
    if mail_from.registrable().is_none() || mail_from.registrable() != domain.registrable() {
        findings.push(
            Finding::new(
                Code::MailFromUnaligned,
                name,
                format!("not of the same organisation as {domain}"),
            )
            .advise(format!("use a name below {domain}")),
        );
    }
    if !findings.iter().any(|finding| finding.severity() >= Severity::Warning) {
        findings.push(Finding::new(
            Code::MailFromOk,
            name,
            "takes bounces, and SPF counts for DMARC",
        ));
    }
    findings
}
