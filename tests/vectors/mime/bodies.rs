//! `mime/body-roundtrip`: bodies and attachments arrive as they were given.

use mail_parser::{MessageParser, MimeHeaders as _};
use posthaste_mime::{Attachment, ContentType};
use serde_json::Value;

use super::{cases, string, wire};
use crate::harness::{Input, Report};

pub(super) fn run(input: &Input, report: &mut Report) {
    for case in cases(input, "mime/body-roundtrip.json") {
        let id = string(&case, "id").to_owned();
        let Some(body) = case.get("body").and_then(Value::as_str) else {
            report.unsupported(id, "the case has no text body");
            continue;
        };
        report.check(&id, alone(body).and_then(|()| together(body)));
    }
}

fn normalised(body: &str) -> String {
    body.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// The body as the only part, as text and as HTML.
fn alone(body: &str) -> Result<(), String> {
    let expected = normalised(body);
    for html in [false, true] {
        let builder = wire::builder();
        let builder = if html { builder.html(body) } else { builder.text(body) };
        let message = builder.build().map_err(|e| e.to_string())?;
        let bytes = message.to_bytes().map_err(|e| e.to_string())?;
        wire::scan(&bytes, false)?;
        encoded_lines(&bytes)?;
        dots_are_reversible(&bytes)?;
        let parsed = MessageParser::default().parse(&bytes).ok_or("no message")?;
        let read = parsed.parts[0].text_contents().unwrap_or_default();
        if read != expected {
            return Err(format!("html {html}: read as {}", shown(read)));
        }
    }
    Ok(())
}

/// The body as text, as HTML and as an attachment of one message, between boundaries.
fn together(body: &str) -> Result<(), String> {
    let expected = normalised(body);
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let attachment = Attachment::new("body.bin", kind, body.as_bytes().to_vec()).unwrap();
    let message = wire::builder()
        .text(body)
        .html(body)
        .attach(attachment)
        .build()
        .map_err(|e| e.to_string())?;
    let bytes = message.to_bytes().map_err(|e| e.to_string())?;
    wire::scan(&bytes, false)?;
    encoded_lines(&bytes)?;
    let parsed = MessageParser::default().parse(&bytes).ok_or("no message")?;
    for (what, read) in [("text", parsed.body_text(0)), ("html", parsed.body_html(0))] {
        let read = read.ok_or_else(|| format!("no {what}"))?;
        if read != expected {
            return Err(format!("{what} is read as {}", shown(&read)));
        }
    }
    let attached = parsed.attachment(0).ok_or("no attachment")?.contents();
    if attached != body.as_bytes() {
        return Err("the attachment differs".to_owned());
    }
    let boundaries = parsed
        .parts
        .iter()
        .filter_map(|part| part.content_type()?.attribute("boundary"));
    for boundary in boundaries {
        if expected.contains(boundary) {
            return Err("the boundary stands in the body".to_owned());
        }
    }
    Ok(())
}

/// Lines of encoded bodies have at most 76 octets.
fn encoded_lines(bytes: &[u8]) -> Result<(), String> {
    let parsed = MessageParser::default().parse(bytes).ok_or("no message")?;
    for part in &parsed.parts {
        if part
            .content_transfer_encoding()
            .is_none_or(|encoding| encoding == "7bit")
        {
            continue;
        }
        let raw = &bytes[part.raw_body_offset() as usize..part.raw_end_offset() as usize];
        if raw.split(|b| *b == b'\n').any(|line| line.len() > 77) {
            return Err("an encoded line of more than 76 octets".to_owned());
        }
    }
    Ok(())
}

/// Doubling leading dots and taking them off again gives the same message.
fn dots_are_reversible(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let stuffed: Vec<String> = text
        .split("\r\n")
        .map(|line| {
            if line.starts_with('.') {
                format!(".{line}")
            } else {
                line.to_owned()
            }
        })
        .collect();
    let wire = stuffed.join("\r\n");
    if wire.split("\r\n").any(|line| line == ".") {
        return Err("a line that ends the data early".to_owned());
    }
    let back: Vec<&str> = wire
        .split("\r\n")
        .map(|line| line.strip_prefix('.').unwrap_or(line))
        .collect();
    if back.join("\r\n") == text {
        Ok(())
    } else {
        Err("dots do not come back".to_owned())
    }
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(60).collect::<String>())
}
