//! A message on the wire: the raw lines, and what an independent parser makes of them.

use std::time::{Duration, SystemTime};

use mail_parser::{Address, HeaderForm, HeaderValue, MessageParser, MimeHeaders as _};
use posthaste_mime::{Generator, Message, MessageBuilder};

/// Begins a message that is always the same.
pub(super) fn builder() -> MessageBuilder {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_402_461);
    Message::builder()
        .generator(&Generator::fixed(now, 42))
        .from("sender@posthaste.example".parse().unwrap())
        .to("recipient@rcpt.example".parse().unwrap())
}

/// Checks the raw lines: CRLF only, no NUL, at most 998 octets, ASCII unless SMTPUTF8 is needed, a head of fields.
pub(super) fn scan(bytes: &[u8], smtputf8: bool) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8: {e}"))?;
    if !smtputf8 && !text.is_ascii() {
        return Err("8-bit octets without SMTPUTF8".to_owned());
    }
    if text.contains('\0') {
        return Err("NUL".to_owned());
    }
    for line in text.split("\r\n") {
        if line.contains(['\r', '\n']) {
            return Err(format!("bare CR or LF in {line:?}"));
        }
        if line.len() > 998 {
            return Err(format!("line of {} octets", line.len()));
        }
    }
    for line in head(text).split("\r\n") {
        if line.trim().is_empty() {
            return Err("blank line in the head".to_owned());
        }
        let name = line.split(':').next().unwrap_or_default();
        let is_field = line.contains(':') && !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        if !line.starts_with([' ', '\t']) && !is_field {
            return Err(format!("neither field nor continuation: {line:?}"));
        }
        if name.eq_ignore_ascii_case("bcc") {
            return Err("a Bcc field".to_owned());
        }
    }
    Ok(())
}

/// Returns the head, without the empty line that ends it.
pub(super) fn head(text: &str) -> &str {
    text.split_once("\r\n\r\n").map_or(text, |(head, _)| head)
}

/// Checks RFC 2047 and line lengths of the head: words of at most 75 octets with whole characters and outside quotes,
/// lines of at most 78 octets where they could be folded.
pub(super) fn scan_folding(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    for line in head(&text).split("\r\n") {
        let inner = line.trim_start();
        if line.len() > 78 && inner.split_once(": ").map_or(inner, |(_, value)| value).contains(' ') {
            return Err(format!("could be folded: {line:?}"));
        }
        for (at, _) in line.match_indices("=?utf-8?") {
            let word = &line[at..];
            let end = word
                .match_indices("?=")
                .map(|(i, _)| i)
                .find(|i| *i > 9)
                .ok_or("encoded-word without end")?;
            check_word(&word[..end + 2])?;
            if line[..at].matches('"').count() % 2 == 1 {
                return Err(format!("encoded-word in quotes: {line:?}"));
            }
        }
    }
    Ok(())
}

fn check_word(word: &str) -> Result<(), String> {
    if word.len() > 75 {
        return Err(format!("encoded-word of {} octets", word.len()));
    }
    let body = &word[10..word.len() - 2];
    let decoded = match word.as_bytes()[8] {
        b'Q' => mail_parser::decoders::quoted_printable::quoted_printable_decode(body.replace('_', " ").as_bytes()),
        _ => mail_parser::decoders::base64::base64_decode(body.as_bytes()),
    };
    let decoded = decoded.ok_or_else(|| format!("cannot be decoded: {word}"))?;
    std::str::from_utf8(&decoded).map_err(|_| format!("splits a character: {word}"))?;
    Ok(())
}

/// What must not change from one value of a field to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Names of the fields of every part, lower case, in order.
    names: Vec<Vec<String>>,
    /// Type and decoded body of every leaf.
    bodies: Vec<(String, Vec<u8>)>,
    /// Mailboxes of each address field.
    mailboxes: Vec<(String, usize)>,
}

/// Reads a message with the independent parser.
pub(super) fn shape(bytes: &[u8]) -> Result<Shape, String> {
    let parsed = MessageParser::default()
        .parse(bytes)
        .ok_or("the parser finds no message")?;
    let names = parsed
        .parts
        .iter()
        .map(|part| {
            part.headers
                .iter()
                .map(|header| header.name().to_ascii_lowercase())
                .collect()
        })
        .collect();
    let bodies = parsed
        .parts
        .iter()
        .filter(|part| part.sub_parts().is_none())
        .map(|part| {
            let kind = part
                .content_type()
                .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("")));
            (kind.unwrap_or_default(), part.contents().to_vec())
        })
        .collect();
    let mailboxes = parsed
        .headers()
        .iter()
        .filter_map(|header| match header.value() {
            HeaderValue::Address(address) => {
                let count = match address {
                    Address::List(list) => list.len(),
                    Address::Group(groups) => groups.iter().map(|group| group.addresses.len()).sum(),
                };
                Some((header.name().to_ascii_lowercase(), count))
            }
            _ => None,
        })
        .collect();
    Ok(Shape {
        names,
        bodies,
        mailboxes,
    })
}

/// Reads the text of a top-level field.
pub(super) fn field_text(bytes: &[u8], name: &'static str) -> String {
    let parsed = MessageParser::default().parse(bytes).unwrap();
    let values = parsed.header_as(name, HeaderForm::Text);
    values
        .first()
        .and_then(|value| value.as_text())
        .unwrap_or_default()
        .to_owned()
}

/// Reads the first mailbox of an address field: name and address.
pub(super) fn field_mailbox(bytes: &[u8], name: &'static str) -> Option<(String, String)> {
    let parsed = MessageParser::default().parse(bytes)?;
    let address = parsed.header(name)?.as_address()?.first()?.clone();
    Some((
        address.name.unwrap_or_default().into_owned(),
        address.address.unwrap_or_default().into_owned(),
    ))
}
