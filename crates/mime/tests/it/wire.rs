//! What every message on the wire must be like, seen line by line.

use std::time::{Duration, SystemTime};

use mail_parser::{HeaderForm, MessageParser, MimeHeaders as _};
use posthaste_mime::{Generator, Message, MessageBuilder};

/// Gives the same dates and ids each time.
pub(crate) fn generator() -> Generator {
    Generator::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_402_461), 42)
}

/// Begins a message that is always the same, and valid.
pub(crate) fn builder() -> MessageBuilder {
    Message::builder()
        .generator(&generator())
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
}

/// Writes `message` and checks it: CRLF only, no NUL, lines of at most 998 octets, ASCII unless SMTPUTF8 is needed.
pub(crate) fn bytes(message: &Message) -> Vec<u8> {
    let expected = message.encoded_len();
    let bytes = message.to_bytes().unwrap().to_vec();
    assert_eq!(bytes.len() as u64, expected, "the length that was announced");
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    assert!(text.is_ascii() || message.needs_smtputf8(), "8-bit text");
    assert!(!text.contains('\0'), "NUL");
    for line in text.split("\r\n") {
        assert!(!line.contains(['\r', '\n']), "bare CR or LF in {line:?}");
        assert!(line.len() <= 998, "{} octets in a line", line.len());
    }
    let (head, _) = text.split_once("\r\n\r\n").expect("an empty line");
    for line in head.split("\r\n") {
        assert!(!line.trim().is_empty(), "white space alone in a line of the head");
        assert!(
            line.starts_with([' ', '\t']) || line.contains(':'),
            "neither field nor continuation: {line:?}"
        );
    }
    assert!(!head.to_ascii_lowercase().contains("\nbcc:"), "Bcc in the head");
    bytes
}

/// Finds `wanted` in `bytes`.
pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Reads the text of the top-level field `name` with the independent parser.
pub(crate) fn text_of(bytes: &[u8], name: &'static str) -> String {
    let parsed = MessageParser::default().parse(bytes).expect("a message");
    let values = parsed.header_as(name, HeaderForm::Text);
    values
        .first()
        .and_then(|value| value.as_text())
        .unwrap_or_default()
        .to_owned()
}

/// Lists the parts in order, as the independent parser sees them: type, and the path of types that leads there.
pub(crate) fn tree(bytes: &[u8]) -> String {
    fn describe(message: &mail_parser::Message<'_>, id: u32, out: &mut String) {
        let part = &message.parts[id as usize];
        match part.content_type() {
            Some(kind) => {
                out.push_str(kind.ctype());
                out.push('/');
                out.push_str(kind.subtype().unwrap_or_default());
            }
            None => out.push('?'),
        }
        if let Some(children) = part.sub_parts() {
            out.push('(');
            for (index, child) in children.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                describe(message, *child, out);
            }
            out.push(')');
        }
    }
    let parsed = MessageParser::default().parse(bytes).expect("a message");
    let mut out = String::new();
    describe(&parsed, 0, &mut out);
    out
}
