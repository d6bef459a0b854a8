//! Folders of messages: each is read, edited and written byte for byte, and compared with what others found in it.
//!
//! `mime4j` says what a reader reports, as XML. The other folders say nothing, so the fields and the number of parts are
//! compared with those of an independent parser, where nothing is odd about the message and readers must agree.

use mail_parser::{MessageParser, PartType};
use posthaste_mime::{HeaderName, HeaderValue, JunkLines, RawField, RawMessage, RawOptions, RawPart};

use crate::harness::{Input, Report};

pub(super) fn run(input: &Input, report: &mut Report, folder: &str, endings: &[&str]) {
    for file in input.files(folder, endings) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with("LICENSE") {
            let bytes = std::fs::read(&file).unwrap();
            let outcome = edit_and_write(&bytes).and_then(|()| compare_with_parser(&bytes));
            report.check(&name, outcome);
        }
    }
}

pub(super) fn run_mime4j(input: &Input, report: &mut Report) {
    for file in input.files("mime/mime4j", &[".msg"]) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).unwrap();
        let expected = |ending: &str| {
            let path = file.with_file_name(name.replace(".msg", ending));
            std::fs::read(path).ok()
        };
        // Their reader has the same choice as ours; the name of the file says which one was made.
        let junk_lines = if name.starts_with("malformedHeaderStartsBody") {
            JunkLines::StartBody
        } else {
            JunkLines::Keep
        };
        if let Err(why) = edit_and_write(&bytes) {
            report.fail(name, why);
            continue;
        }
        let message = RawMessage::parse_with(bytes, &RawOptions::new().junk_lines(junk_lines)).unwrap();
        let parts = message.parts().unwrap();
        let exact = described(&parts, &exact_body);
        let Some(expected_exact) = expected(".xml") else {
            report.fail(name, "no expectation beside it");
            continue;
        };
        if junk_lines == JunkLines::StartBody && exact != expected_exact {
            // Theirs loses the line behind the one that started the body.
            let less = described(&parts, &|part| without_second_line(&exact_body(part)));
            if less == expected_exact {
                report.unsupported(name, "deviation: no line of a body that junk begins is lost");
            } else {
                report.fail(name, difference(&exact, &expected_exact));
            }
            continue;
        }
        if message.body().ends_with(b"--\n") && with_line_break_as_epilogue(&exact) == expected_exact {
            report.unsupported(
                name,
                "deviation: the line break behind the last delimiter is no epilogue, be it LF alone",
            );
            continue;
        }
        if exact != expected_exact {
            report.fail(name, difference(&exact, &expected_exact));
            continue;
        }
        if let Some(expected_kinds) = expected("_decoded.xml") {
            let kinds = described(&parts, &body_kind);
            let expected_kinds = without_names(&expected_kinds);
            if junk_lines == JunkLines::Keep && kinds != expected_kinds {
                report.fail(name, difference(&kinds, &expected_kinds));
                continue;
            }
        }
        report.pass(&name);
    }
}

/// Reads `bytes`, writes them again, and edits them in every way: nothing else may change.
fn edit_and_write(bytes: &[u8]) -> Result<(), String> {
    let message = RawMessage::parse(bytes.to_vec()).map_err(|e| e.to_string())?;
    if message.to_bytes() != bytes || message.to_rope().len() != bytes.len() as u64 {
        return Err("the octets change when nothing is edited".to_owned());
    }
    let (name, value) = (HeaderName::new("X-Edit").unwrap(), HeaderValue::new("1").unwrap());
    let others: Vec<RawField> = message.fields().collect();
    let mut edited = message.clone();
    edited.prepend(&name, &value);
    edited.append(&name, &value);
    edited.replace(&name, &HeaderValue::new("é").unwrap());
    let again = RawMessage::parse(edited.to_bytes()).map_err(|e| e.to_string())?;
    let kept: Vec<RawField> = again.fields().filter(|field| !field.is("X-Edit")).collect();
    let same = |a: &RawField, b: &RawField| a.raw().trim_ascii_end() == b.raw().trim_ascii_end();
    if again.count("X-Edit") != 2 || kept.len() != others.len() || !kept.iter().zip(&others).all(|(a, b)| same(a, b)) {
        return Err("another field changes when one is put in".to_owned());
    }
    edited.remove("X-Edit");
    // The only thing that stays is a line break that was missing.
    if !message
        .defects()
        .iter()
        .any(|defect| defect.to_string().contains("empty line"))
        && edited.to_bytes() != bytes
    {
        return Err("the octets change when what was put in is taken out".to_owned());
    }
    if let Ok(parts) = message.parts() {
        for part in &parts {
            if part.decoded().len() != part.decoded_len() {
                return Err("the decoded length is not that of the decoded body".to_owned());
            }
            let _ = (part.defects(), part.text(), part.extension(), part.is_attachment());
        }
    }
    for field in message.fields() {
        if field.decoded().contains(['\r', '\n', '\0']) {
            return Err(format!("{} shows a control", field.name()));
        }
    }
    let _ = (
        message.recipients(),
        message.from(),
        message.sender(),
        message.message_id(),
    );
    Ok(())
}

/// Compares the fields and the number of parts with those that an independent parser finds, if nothing is odd.
fn compare_with_parser(bytes: &[u8]) -> Result<(), String> {
    let message = RawMessage::parse(bytes.to_vec()).map_err(|e| e.to_string())?;
    let Ok(parts) = message.parts() else {
        return Ok(());
    };
    let is_odd = |part: &RawPart| {
        let defects = part.defects();
        defects
            .iter()
            .any(|defect| !defect.to_string().starts_with("LF without CR"))
    };
    if parts.iter().any(is_odd) {
        return Ok(());
    }
    let theirs = MessageParser::default()
        .parse(bytes)
        .ok_or("the other parser finds no message")?;
    // The other parser shows no raw field that is not UTF-8.
    let own: Vec<String> = message
        .fields()
        .filter(|field| std::str::from_utf8(field.raw()).is_ok())
        .map(|field| field.name().to_ascii_lowercase())
        .collect();
    let names: Vec<String> = theirs
        .headers_raw()
        .map(|(name, _)| name.trim().to_ascii_lowercase())
        .collect();
    if own != names {
        return Err(format!("the fields are {own:?}, the other parser's {names:?}"));
    }
    let count = count_parts(&theirs);
    if parts.len() != count {
        return Err(format!("{} parts, the other parser has {count}", parts.len()));
    }
    Ok(())
}

fn count_parts(message: &mail_parser::Message<'_>) -> usize {
    message
        .parts
        .iter()
        .map(|part| match &part.body {
            PartType::Message(inner) => 1 + count_parts(inner),
            _ => 1,
        })
        .sum()
}

/// Describes the parts as the XML of mime4j does.
fn described(parts: &[RawPart], body: &dyn Fn(&RawPart) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    describe_message(parts, 0, body, &mut out);
    out
}

fn describe_message(parts: &[RawPart], index: usize, body: &dyn Fn(&RawPart) -> Vec<u8>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<message>\r\n");
    describe(parts, index, body, out);
    out.extend_from_slice(b"</message>\r\n");
}

/// Describes a part: these trees are small, so this may recurse.
fn describe(parts: &[RawPart], index: usize, body: &dyn Fn(&RawPart) -> Vec<u8>, out: &mut Vec<u8>) {
    let part = &parts[index];
    out.extend_from_slice(b"<header>\r\n");
    for field in part.fields() {
        element("field", without_break(field.raw()), out);
    }
    out.extend_from_slice(b"</header>\r\n");
    let children = (index + 1..parts.len()).filter(|child| parts[*child].parent() == Some(index));
    if part.is_multipart() && part.content_type_parameters().get("boundary").is_some() {
        out.extend_from_slice(b"<multipart>\r\n");
        if let Some(preamble) = part.preamble() {
            element("preamble", preamble, out);
        }
        for child in children {
            out.extend_from_slice(b"<body-part>\r\n");
            describe(parts, child, body, out);
            out.extend_from_slice(b"</body-part>\r\n");
        }
        if let Some(epilogue) = part.epilogue().filter(|epilogue| !epilogue.is_empty()) {
            element("epilogue", epilogue, out);
        }
        out.extend_from_slice(b"</multipart>\r\n");
    } else if part.is_message() {
        for child in children {
            describe_message(parts, child, body, out);
        }
    } else {
        out.extend_from_slice(&body(part));
    }
}

fn exact_body(part: &RawPart) -> Vec<u8> {
    let mut out = Vec::new();
    element("body", part.encoded(), &mut out);
    out
}

/// What stands for the body of a part where it is in a file of its own.
fn body_kind(part: &RawPart) -> Vec<u8> {
    let kind = if part.content_type().starts_with("text/") {
        "text-body"
    } else {
        "binary-body"
    };
    format!("<{kind}/>\r\n").into_bytes()
}

fn element(name: &str, text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("<{name}>\r\n").as_bytes());
    for byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
    out.extend_from_slice(format!("</{name}>\r\n").as_bytes());
}

fn without_break(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// Drops the second line of a described body.
fn without_second_line(body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = body.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() > 2 {
        // The first is the opening tag.
        let gone = lines.remove(2);
        if let Some(tag) = gone.windows(2).position(|pair| pair == b"</") {
            lines.insert(2, &gone[tag..]);
        }
    }
    lines.concat()
}

/// Puts an epilogue of one LF behind the last part.
fn with_line_break_as_epilogue(described: &[u8]) -> Vec<u8> {
    const END: &[u8] = b"</multipart>\r\n</message>\r\n";
    let start = described.strip_suffix(END).unwrap_or(described);
    [start, b"<epilogue>\r\n\n</epilogue>\r\n", END].concat()
}

/// Drops the names of files.
fn without_names(xml: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = xml;
    while let Some(at) = rest.windows(7).position(|window| window == b" name=\"") {
        let is_body = rest[..at].ends_with(b"-body");
        let end = at + 7 + rest[at + 7..].iter().position(|byte| *byte == b'"').unwrap_or(0) + 1;
        out.extend_from_slice(&rest[..if is_body { at } else { end }]);
        rest = &rest[end..];
    }
    out.extend_from_slice(rest);
    out
}

fn difference(own: &[u8], expected: &[u8]) -> String {
    let at = own.iter().zip(expected).take_while(|(a, b)| a == b).count();
    let around = |text: &[u8]| {
        let end = text.len().min(at + 40);
        String::from_utf8_lossy(&text[at.saturating_sub(40).min(end)..end]).into_owned()
    };
    format!("at {at}: {:?}, not {:?}", around(own), around(expected))
}
