//! The domain itself.

use posthaste_address::Domain;
use posthaste_auth::spf::Record;
use posthaste_dns::{Dnssec, LookupError, RecordType, Resolver};

use crate::lookup::{failed, look, texts};
use crate::{Code, Finding};

/// A name that nobody publishes on purpose.
const NOBODY: &str = "no-such-name-posthaste-doctor";

pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain) -> Vec<Finding> {
    let name = domain.as_str();
    let mut findings = Vec::new();
    let status = match resolver.lookup(name, RecordType::Soa).await {
        Ok(answer) => answer.dnssec(),
        Err(LookupError::NxDomain(_) | LookupError::InvalidName) => {
            let finding = Finding::new(Code::DomainNonexistent, name, "the name does not exist");
            return vec![finding.advise("register it, or look at the delegation")];
        }
        Err(LookupError::NoData(negative)) => negative.dnssec,
        Err(error) => {
            findings.push(failed(name, RecordType::Soa, &error));
            return findings;
        }
    };
    findings.push(match status {
        Dnssec::Secure => Finding::new(Code::DnssecSecure, name, "signed with DNSSEC"),
        Dnssec::Insecure => Finding::new(Code::DnssecUnsigned, name, "not signed with DNSSEC")
            .advise("sign the zone, and put its DS record at the parent"),
        Dnssec::Bogus => Finding::new(Code::DnssecBogus, name, "signed, and the signatures are wrong"),
        _ => Finding::new(
            Code::DnssecUnknown,
            name,
            "whether it is signed with DNSSEC is not known",
        ),
    });
    if domain.registrable().is_none() {
        findings.push(
            Finding::new(Code::DomainPublicSuffix, name, "a public suffix")
                .advise("send mail from a name below it; its DMARC record says `psd=y`"),
        );
    }
    if let Ok(answer @ Some(_)) = look(resolver, &format!("{NOBODY}.{name}"), RecordType::Txt).await {
        let text = texts(&answer).into_iter().next().unwrap_or_default();
        findings.push(
            Finding::new(
                Code::DomainWildcardText,
                &format!("*.{name}"),
                format!("every name has a text: {text}"),
            )
            .advise("publish texts at the names that they are for"),
        );
    }
    findings
}

/// Says whether the domain refuses all mail, both ways.
pub(super) async fn is_parked(resolver: &dyn Resolver, domain: &Domain) -> bool {
    let text = look(resolver, domain.as_str(), RecordType::Txt).await;
    let refuses = text.is_ok_and(|answer| {
        let records: Vec<String> = texts(&answer)
            .into_iter()
            .filter(|text| Record::is_spf(text.as_bytes()))
            .collect();
        matches!(&records[..], [one] if one.trim().eq_ignore_ascii_case("v=spf1 -all"))
    });
    refuses
        && look(resolver, domain.as_str(), RecordType::Mx)
            .await
            .is_ok_and(|answer| {
                let hosts: Vec<&str> = answer
                    .iter()
                    .flat_map(|answer| answer.mx())
                    .map(|(_, host)| host)
                    .collect();
                hosts == ["."] || hosts == [""]
            })
}
