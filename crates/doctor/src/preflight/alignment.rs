//! Whether DMARC can pass (RFC 9989 §4.4).

use posthaste_address::Domain;
use posthaste_auth::dmarc::Alignment;

use super::{Context, draft::Draft, header::same_organisation};
use crate::{Code, Finding};

/// Domains whose operators alone send for them.
const MAILBOXES: [&str; 14] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "ymail.com",
    "rocketmail.com",
    "aol.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "mac.com",
    "gmx.net",
];

pub(super) fn check(draft: &Draft, context: &Context, author: &Domain) -> Vec<Finding> {
    let mut signers = context.signers.clone();
    signers.extend(signed_by(draft));
    let sender = context.mail_from.as_ref().map(|address| address.domain());
    let spf = sender.is_some_and(|sender| is_aligned(context.spf_alignment, sender, author));
    let is_signer = |signer: &Domain| is_aligned(context.dkim_alignment, signer, author);
    let dkim = signers.iter().any(is_signer);
    let names: Vec<&str> = signers.iter().map(Domain::as_str).collect();
    let path = sender.map_or("the null one", Domain::as_str);
    let mut findings = Vec::new();
    if MAILBOXES.contains(&author.as_str()) && !dkim {
        let finding = Finding::new(
            Code::FromMailbox,
            "From",
            format!("{author} is a provider of mailboxes"),
        );
        findings.push(finding.advise("send from a domain of your own, or through the provider"));
    }
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
            let place = match context.spf_alignment {
                Alignment::Strict => "at",
                _ => "at or below",
            };
            findings.push(finding.advise(format!("use a reverse-path {place} {author}, with an SPF record")));
        }
    }
    findings
}

/// The same domain if the record asks for that, else the same organisation.
fn is_aligned(alignment: Alignment, domain: &Domain, author: &Domain) -> bool {
    match alignment {
        Alignment::Strict => domain == author,
        _ => same_organisation(domain, author),
    }
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
