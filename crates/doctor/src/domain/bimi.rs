//! BIMI: a logo beside the mail.

use posthaste_address::Domain;
use posthaste_auth::dmarc::{self, Input, Policy};
use posthaste_dns::{RecordType, Resolver};
use posthaste_publish::bimi::{Record, record_name};

use crate::lookup::{look, starts_with, texts};
use crate::{Code, Finding};

/// Nobody has to have one: without a record nothing is said.
pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain) -> Vec<Finding> {
    let name = record_name("default", domain.as_str());
    let all = match look(resolver, &name, RecordType::Txt).await {
        Ok(answer) => texts(&answer),
        Err(finding) => return vec![finding],
    };
    let Some(text) = all.iter().find(|text| starts_with(text, "v=BIMI")) else {
        return Vec::new();
    };
    let record = match text.parse::<Record>() {
        Ok(record) => record,
        Err(error) => {
            return vec![
                Finding::new(Code::BimiRecord, &name, format!("{error}: {text}")).advise("correct the record"),
            ];
        }
    };
    if record.is_declined() {
        return vec![Finding::new(Code::BimiOk, &name, "no logo is wanted")];
    }
    let mut findings = Vec::new();
    let report = dmarc::evaluate(&Input::new(domain.clone()), resolver).await;
    let is_enforced = report.record().is_some_and(|record| {
        let all = record.policy() != Policy::None && record.subdomain_policy() != Policy::None;
        all && !record.is_testing()
    });
    if report.error().is_none() && !is_enforced {
        let finding = Finding::new(Code::BimiPolicy, &name, "DMARC asks for too little");
        findings.push(finding.advise("say `p=quarantine` or `p=reject` in DMARC, and no weaker `sp=`"));
    }
    if record.certificate().is_none() {
        findings.push(Finding::new(Code::BimiCertificate, &name, "no certificate (`a=`)"));
    }
    if findings.is_empty() {
        findings.push(Finding::new(Code::BimiOk, &name, text));
    }
    findings
}
