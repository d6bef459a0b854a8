//! `mime/header-roundtrip`: what goes into a subject, a free header or a display name comes out of it.

use posthaste_address::Mailbox;
use posthaste_mime::{HeaderName, HeaderValue, Message};
use serde_json::Value;

use super::{cases, holds_controls, string, wire};
use crate::harness::{Input, Report};

pub(super) fn run(input: &Input, report: &mut Report) {
    for case in cases(input, "mime/header-roundtrip.json") {
        let id = string(&case, "id").to_owned();
        let text = if string(&case, "field") == "mailbox" {
            string(&case, "name")
        } else {
            string(&case, "value")
        };
        if holds_controls(text) {
            let why = "deviation: control characters are refused in headers";
            match unstructured(text) {
                Err(error) if error.contains("control") => report.unsupported(id, why),
                other => report.fail(id, format!("not refused: {other:?}")),
            }
            continue;
        }
        match string(&case, "field") {
            "unstructured" => report.check(&id, unstructured(text)),
            "mailbox" => report.check(&id, mailbox(&case)),
            other => report.unsupported(id, format!("unknown field {other:?}")),
        }
    }
}

fn unstructured(text: &str) -> Result<(), String> {
    let value = HeaderValue::new(text).map_err(|e| e.to_string())?;
    let message = wire::builder()
        .subject(text)
        .header(HeaderName::new("X-Free").unwrap(), value)
        .build()
        .map_err(|e| e.to_string())?;
    let bytes = checked(&message)?;
    for name in ["Subject", "X-Free"] {
        let read = wire::field_text(&bytes, name);
        if read != text {
            return Err(format!("{name} is read as {read:?}"));
        }
    }
    Ok(())
}

fn mailbox(case: &Value) -> Result<(), String> {
    let (name, address) = (string(case, "name"), string(case, "address"));
    let parsed: posthaste_address::EmailAddress = address.parse().map_err(|e| format!("address: {e}"))?;
    let mailbox = Mailbox::with_name(name, parsed.clone()).map_err(|e| format!("name: {e}"))?;
    let message = wire::builder().reply_to(mailbox).build().map_err(|e| e.to_string())?;
    let bytes = checked(&message)?;
    let read = wire::field_mailbox(&bytes, "Reply-To").ok_or("no mailbox is read")?;
    if read != (name.to_owned(), parsed.to_string()) {
        return Err(format!("read as {read:?}"));
    }
    if parsed.to_unicode() != address && parsed.to_string() != address {
        return Err(format!("the address became {parsed}"));
    }
    Ok(())
}

fn checked(message: &Message) -> Result<Vec<u8>, String> {
    let bytes = message.to_bytes().to_vec();
    wire::scan(&bytes, message.needs_smtputf8())?;
    wire::scan_folding(&bytes)?;
    Ok(bytes)
}
