//! `mime/header-roundtrip`: what goes into a subject, a free header or a display name comes out of it.

use posthaste_address::Mailbox;
use posthaste_mime::{HeaderName, HeaderValue, Message};
use serde_json::Value;

use super::{cases, holds_controls, string, wire};
use crate::harness::{Input, Report};

pub(super) fn run(input: &Input, report: &mut Report) {
    for case in cases(input, "mime/header-roundtrip.json") {
        let id = string(&case, "id").to_owned();
        let (text, outcome) = match string(&case, "field") {
            "unstructured" => (string(&case, "value"), unstructured(string(&case, "value"))),
            "mailbox" => (string(&case, "name"), mailbox(&case)),
            other => {
                report.unsupported(id, format!("unknown field {other:?}"));
                continue;
            }
        };
        match outcome {
            Ok(()) if holds_controls(text) => report.fail(id, "control characters are not refused"),
            Err(_) if text.chars().any(char::is_control) || holds_controls(text) => {
                report.unsupported(id, "deviation: control characters are refused in headers");
            }
            outcome => report.check(&id, outcome),
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
    let mailbox = if name.is_empty() {
        Mailbox::new(parsed.clone())
    } else {
        Mailbox::with_name(name, parsed.clone()).map_err(|e| format!("name: {e}"))?
    };
    let message = wire::builder().reply_to(mailbox).build().map_err(|e| e.to_string())?;
    let bytes = checked(&message)?;
    let (read_name, read_address) = wire::field_mailbox(&bytes, "Reply-To").ok_or("no mailbox is read")?;
    let written = parsed.to_string();
    // The independent parser takes the quotes off local parts.
    if read_name != name || (read_address != written && read_address != unquoted(&written)) {
        return Err(format!("read as {read_name:?} {read_address:?}"));
    }
    let same = |text: String| text.to_lowercase() == address.to_lowercase();
    if !same(parsed.to_unicode()) && !same(written.clone()) && unquoted(&written) != unquoted(address) {
        return Err(format!("the address became {written}"));
    }
    Ok(())
}

fn unquoted(address: &str) -> String {
    address.replace(['"', '\\'], "")
}

fn checked(message: &Message) -> Result<Vec<u8>, String> {
    let bytes = message.to_bytes().map_err(|e| e.to_string())?.to_vec();
    wire::scan(&bytes, message.needs_smtputf8())?;
    wire::scan_folding(&bytes)?;
    Ok(bytes)
}
