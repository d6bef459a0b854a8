//! Whether DMARC can pass (RFC 9989 §4.4), with relaxed alignment.

use posthaste_address::Domain;

use super::{Context, draft::Draft, header::same_organisation};
use crate::{Code, Finding};

pub(super) fn check(draft: &Draft, context: &Context, author: &Domain) -> Vec<Finding> {
    let mut signers = context.signers.clone();
    signers.extend(signed_by(draft));
    let sender = context.mail_from.as_ref().map(|address| address.domain());
    let spf = sender.is_some_and(|sender| same_organisation(sender, author));
    let dkim = signers.iter().any(|signer| same_organisation(signer, author));
    let names: Vec<&str> = signers.iter().map(Domain::as_str).collect();
    let path = sender.map_or("the null one", Domain::as_str);
    let mut findings = Vec::new();
    if signers.is_empty() {
        let finding = Finding::new(Code::AlignUnsigned, "From", "no domain signs it");
        findings.push(finding.advise(format!("sign it with a key of {author}")));
    }
    let sign = format!("sign it also with a key of {author}");
    match (spf, dkim) {
        (true, true) => findings.push(Finding::new(
            Code::AlignOk,
            "From",
            format!("{author} stands together with the reverse-path and a signature"),
        )),
        (false, false) => {
            let what = format!(
                "{author} stands neither together with the reverse-path ({path}) nor with a signature ({})",
                names.join(", ")
            );
            findings.push(Finding::new(Code::AlignNone, "From", what).advise(sign));
        }
        (true, false) if !signers.is_empty() => {
            let what = format!("signed by {}, not for {author}", names.join(", "));
            findings.push(Finding::new(Code::AlignDkim, "From", what).advise(sign));
        }
        (true, false) => {}
        (false, true) => {
            let finding = Finding::new(
                Code::AlignSpf,
                "From",
                format!("the reverse-path ({path}) is not that of {author}"),
            );
            findings.push(finding.advise(format!("use a reverse-path below {author}, with an SPF record")));
        }
    }
    findings
}

/// The domains of the signatures that are there already.
fn signed_by(draft: &Draft) -> Vec<Domain> {
    let tag = |value: &str| {
        value
            .split(';')
            .find_map(|tag| tag.trim().strip_prefix("d=").and_then(|name| name.trim().parse().ok()))
    };
    let fields = draft.header.fields_named("DKIM-Signature").take(10);
    fields
        .filter_map(|field| tag(&String::from_utf8_lossy(&field.value())))
        .collect()
}
