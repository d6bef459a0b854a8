//! Bodies, files and size.

use posthaste_mime::Policy;

use super::{Context, draft::Draft};
use crate::{Code, Finding};

/// What Yahoo takes, encoding included; some take more, many take less.
const RECEIVERS: u64 = 25 * 1024 * 1024;

pub(super) fn check(draft: &Draft, context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_empty = |body: &Option<String>| body.as_deref().is_none_or(|text| text.trim().is_empty());
    match (is_empty(&draft.text), is_empty(&draft.html)) {
        (true, false) => {
            let finding = Finding::new(Code::BodyNoText, "body", "HTML without a text part");
            findings.push(finding.advise("add a text part that says the same"));
        }
        (true, true) if !draft.has_files => {
            findings.push(Finding::new(Code::BodyEmpty, "body", "neither text nor HTML").advise("write something"));
        }
        _ => {}
    }
    if let Some(limit) = context.size_limit.filter(|limit| draft.size > *limit) {
        let what = format!("{} octets; {limit} are allowed", draft.size);
        findings.push(Finding::new(Code::SizeLimit, "message", what).advise("link to large files"));
    } else if draft.size > RECEIVERS {
        let what = format!("{} octets", draft.size);
        findings.push(Finding::new(Code::SizeReceivers, "message", what).advise("link to large files"));
    }
    let policy = Policy::ses_raw();
    for name in &draft.file_names {
        if policy.check_attachment_name(name).is_err() {
            let finding = Finding::new(Code::AttachmentBlocked, "attachments", name);
            findings.push(finding.advise("link to the file, or send another format"));
        }
    }
    findings
}
