//! Header fields (RFC 5322).

use posthaste_address::{Domain, EmailAddress};
use posthaste_mime::RawDefect;

use super::draft::Draft;
use crate::{Code, Finding};

/// Gives what is wrong, and the domain of the one author.
pub(super) fn check(draft: &Draft) -> (Vec<Finding>, Option<Domain>) {
    let mut findings = Vec::new();
    let author = author(draft, &mut findings);
    let header = &draft.header;
    if header.count("Date") == 0 {
        findings.push(Finding::new(Code::HeaderMissing, "Date", "no Date").advise("add the time of sending"));
    }
    if header.count("Message-ID") == 0 {
        let finding = Finding::new(Code::HeaderNoId, "Message-ID", "no Message-ID");
        findings.push(finding.advise("add an identifier that nobody else uses, at a domain of your own"));
    }
    if header
        .field("Subject")
        .is_none_or(|field| field.decoded().trim().is_empty())
    {
        findings.push(Finding::new(Code::SubjectEmpty, "Subject", "no subject").advise("say what it is about"));
    }
    if header.count("Return-Path") > 0 {
        findings.push(
            Finding::new(Code::HeaderReturnPath, "Return-Path", "Return-Path is there already")
                .advise("take it out, and give the address as the reverse-path (MAIL FROM)"),
        );
    }
    if header.count("Bcc") > 0 {
        findings.push(
            Finding::new(Code::HeaderBcc, "Bcc", "Bcc is there")
                .advise("take it out, and name those addresses in the envelope only"),
        );
    }
    for defect in &draft.defects {
        findings.push(match defect {
            // Said with the authors.
            RawDefect::Repeated { field: "from" } => continue,
            RawDefect::Repeated { field } => {
                Finding::new(Code::HeaderRepeated, field, defect.to_string()).advise("keep one of them")
            }
            _ => Finding::new(Code::HeaderDefect, "message", defect.to_string())
                .advise("have a library write the message"),
        });
    }
    if let Some(field) = header.fields().find(|field| !field.raw().is_ascii()) {
        let finding = Finding::new(Code::HeaderEightBit, field.name(), "not ASCII");
        findings.push(finding.advise("encode it as RFC 2047 has it; addresses must be ASCII for most servers"));
    }
    findings.extend(reply_to(draft, author.as_ref()));
    (findings, author)
}

fn author(draft: &Draft, findings: &mut Vec<Finding>) -> Option<Domain> {
    let count = draft.header.count("From");
    let mut several = |what: String| {
        findings.push(
            Finding::new(Code::FromSeveral, "From", what).advise("name one author; others can be named in the text"),
        );
    };
    if count > 1 {
        several(format!("{count} From fields"));
        return None;
    }
    let authors = match draft.header.from() {
        Ok(authors) => authors,
        Err(error) => {
            findings.push(Finding::new(Code::FromMissing, "From", error.to_string()).advise("add one address"));
            return None;
        }
    };
    let [author] = &authors[..] else {
        if authors.is_empty() {
            findings.push(Finding::new(Code::FromMissing, "From", "no address").advise("add one address"));
        } else {
            several(format!("{} authors", authors.len()));
        }
        return None;
    };
    let domain = author.address().domain().clone();
    if domain.registrable().is_none() {
        let finding = Finding::new(
            Code::FromDomain,
            "From",
            format!("{domain} is no domain that somebody registered"),
        );
        findings.push(finding.advise("send from a domain of your own"));
    }
    Some(domain)
}

/// The same name that somebody registered.
pub(super) fn same_organisation(one: &Domain, other: &Domain) -> bool {
    one == other || (one.registrable().is_some() && one.registrable() == other.registrable())
}

fn reply_to(draft: &Draft, author: Option<&Domain>) -> Option<Finding> {
    let list = draft.header.addresses("Reply-To").ok()?;
    let other: &EmailAddress = list
        .mailboxes()
        .map(|mailbox| mailbox.address())
        .find(|address| author.is_some_and(|author| !same_organisation(author, address.domain())))?;
    Some(
        Finding::new(Code::ReplyTo, "Reply-To", format!("answers go to {other}"))
            .advise("take answers at the author's domain"),
    )
}
