//! `mime/filenames`: attachment names arrive exactly, and can be stored safely.

use mail_parser::{MessageParser, MimeHeaders as _};
use posthaste_mime::{Attachment, ContentType, FileName};
use serde_json::Value;

use super::{cases, string, wire};
use crate::harness::{Input, Report};

pub(super) fn run(input: &Input, report: &mut Report) {
    for (index, case) in cases(input, "mime/filenames.json").iter().enumerate() {
        let id = format!("{index} {:?}", string(case, "filename"));
        report.check(&id, sent(case).and_then(|()| stored(case)));
    }
}

/// The name arrives exactly; where the case leaves the choice, it is refused or arrives exactly.
fn sent(case: &Value) -> Result<(), String> {
    let name = string(case, "filename");
    let expected = case.get("decoded_equals").and_then(Value::as_str);
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let attachment = match Attachment::new(name, kind, &b"data"[..]) {
        Ok(attachment) => attachment,
        Err(error) if expected.is_none() && error.field().contains("filename") => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let message = wire::builder()
        .text("body")
        .attach(attachment)
        .build()
        .map_err(|e| e.to_string())?;
    let bytes = message.to_bytes().map_err(|e| e.to_string())?;
    wire::scan(&bytes, false)?;
    wire::scan_folding(&bytes)?;
    let parsed = MessageParser::default().parse(&bytes).ok_or("no message")?;
    let read = parsed
        .attachment(0)
        .and_then(|part| part.attachment_name())
        .unwrap_or_default();
    if read == expected.unwrap_or(name) {
        Ok(())
    } else {
        Err(format!("read as {read:?}"))
    }
}

/// The stored name is the expected one; where the case leaves the choice, it has no separators and goes nowhere else.
fn stored(case: &Value) -> Result<(), String> {
    let safe = FileName::safe_basename(string(case, "filename"));
    if let Some(expected) = case.get("safe_basename").and_then(Value::as_str) {
        return if safe == expected {
            Ok(())
        } else {
            Err(format!("stored as {safe:?}"))
        };
    }
    let harmless = !safe.is_empty()
        && safe != "."
        && safe != ".."
        && safe.len() <= 255
        && !safe
            .chars()
            .any(|c| c.is_control() || matches!(c, '/' | '\\' | ':' | '\u{202a}'..='\u{202e}'));
    if harmless {
        Ok(())
    } else {
        Err(format!("stored as {safe:?}"))
    }
}
