//! How to leave (RFC 2369, 8058).

use super::{Context, draft::Draft};
use crate::lookup::starts_with;
use crate::{Code, Finding};

const LIST: &str = "List-Unsubscribe";
const POST: &str = "List-Unsubscribe-Post";

pub(super) fn check(draft: &Draft, context: &Context) -> Vec<Finding> {
    if !context.bulk {
        return Vec::new();
    }
    let Some(field) = draft.header.field(LIST) else {
        let finding = Finding::new(Code::UnsubscribeMissing, LIST, "no List-Unsubscribe");
        return vec![
            finding.advise(
                "add List-Unsubscribe with an https URI, and List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            ),
        ];
    };
    let value = String::from_utf8_lossy(&field.value()).into_owned();
    let has_https = value
        .split('<')
        .skip(1)
        .any(|uri| starts_with(uri.trim_start(), "https://"));
    let post = draft
        .header
        .field(POST)
        .map(|field| String::from_utf8_lossy(&field.value()).trim().to_owned());
    let mut findings = Vec::new();
    if !has_https {
        findings.push(
            Finding::new(Code::UnsubscribeClick, LIST, format!("no https URI in: {value}"))
                .advise("add an https URI that leaves the list when it is posted to"),
        );
    }
    match post.as_deref() {
        Some("List-Unsubscribe=One-Click") => {}
        Some(other) => findings.push(
            Finding::new(Code::UnsubscribeClick, POST, format!("it says: {other}"))
                .advise("say `List-Unsubscribe=One-Click`"),
        ),
        None => findings.push(
            Finding::new(Code::UnsubscribeClick, POST, "no List-Unsubscribe-Post")
                .advise("say `List-Unsubscribe=One-Click`"),
        ),
    }
    if let Some(signed) = &context.signed_fields {
        for name in [LIST, POST] {
            if !signed.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                let finding = Finding::new(Code::UnsubscribeUnsigned, name, "not among the fields that are signed");
                findings.push(finding.advise("have the signer cover it"));
            }
        }
    }
    if findings.is_empty() {
        findings.push(Finding::new(Code::UnsubscribeOk, LIST, "one click leaves"));
    }
    findings
}
