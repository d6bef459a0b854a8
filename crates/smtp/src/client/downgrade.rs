//! An 8-bit message made one of 7 bits, for a server without 8BITMIME (RFC 6152 §3).

use bytes::Bytes;
use posthaste_mime::{RawMessage, RawPart, TransferEncoding};

/// The longest line of quoted-printable (RFC 2045 §6.7).
const MAX_LINE: usize = 76;

/// Fields that say what the octets of a message were.
const SIGNATURES: [&str; 3] = ["DKIM-Signature", "ARC-Message-Signature", "DomainKey-Signature"];

/// Writes the 8-bit bodies of a message as quoted-printable. `None` if the message does not allow it: it is signed or encrypted,
/// a header or something between the parts is not ASCII, or a body does not say that it is `8bit`.
pub(super) fn to_seven_bit(message: &Bytes) -> Option<Bytes> {
    let parsed = RawMessage::parse(message.clone()).ok()?;
    if SIGNATURES.iter().any(|name| parsed.field(name).is_some()) {
        return None;
    }
    let mut written = Vec::with_capacity(message.len() + message.len() / 4);
    // Up to where the message was written.
    let mut done = 0;
    for part in parsed.own_parts().ok()? {
        if !may_change(&part) {
            return None;
        }
        let is_wide = !part.encoded().is_ascii();
        let declared = matches!(
            part.transfer_encoding(),
            TransferEncoding::EightBit | TransferEncoding::Binary
        );
        if !declared {
            // What is inside a multipart that does not say so may yet be declared; the end decides.
            if is_wide && !part.is_multipart() {
                return None;
            }
            continue;
        }
        if part.is_message() && is_wide {
            return None;
        }
        let body = part.range()?;
        let field = part.field("Content-Transfer-Encoding")?;
        let field = field.raw();
        let header = message.get(done..body.start)?;
        // The last one before the body is that of this part.
        let at = header.windows(field.len()).rposition(|window| window == field)?;
        written.extend_from_slice(header.get(..at)?);
        let line_end: &[u8] = if field.ends_with(b"\n") { b"\r\n" } else { b"" };
        let encodes = is_wide && !part.is_multipart();
        let encoding: &[u8] = if encodes { b"quoted-printable" } else { b"7bit" };
        written.extend_from_slice(b"Content-Transfer-Encoding: ");
        written.extend_from_slice(encoding);
        written.extend_from_slice(line_end);
        written.extend_from_slice(header.get(at + field.len()..)?);
        done = body.start;
        if encodes {
            quoted_printable(part.encoded(), &mut written);
            done = body.end;
        }
    }
    written.extend_from_slice(message.get(done..)?);
    written.is_ascii().then(|| Bytes::from(written))
}

/// Whether nothing but the octets themselves depends on the octets of the part.
fn may_change(part: &RawPart) -> bool {
    let kind = part.content_type();
    !matches!(kind, "multipart/signed" | "multipart/encrypted") && !kind.starts_with("application/pkcs7-")
}

/// Writes lines as quoted-printable, each with its own end.
fn quoted_printable(body: &[u8], out: &mut Vec<u8>) {
    for line in body.split_inclusive(|&octet| octet == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut length = 0;
        for (index, &octet) in text.iter().enumerate() {
            let is_last = index + 1 == text.len();
            let plain = match octet {
                b'=' => false,
                b' ' | b'\t' => !is_last,
                // A dot, or From, at the start of a line tempts others to change it.
                b'.' | b'F' => length > 0,
                octet => octet.is_ascii_graphic(),
            };
            let width = if plain { 1 } else { 3 };
            // The last of a line may stand where the sign of a soft break would.
            if length + width > MAX_LINE - usize::from(!is_last) {
                out.extend_from_slice(b"=\r\n");
                length = 0;
            }
            if plain {
                out.push(octet);
            } else {
                out.extend_from_slice(format!("={octet:02X}").as_bytes());
            }
            length += width;
        }
        out.extend_from_slice(line.get(text.len()..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn convert(message: &str) -> Option<String> {
        let converted = to_seven_bit(&Bytes::from(message.to_owned()))?;
        Some(String::from_utf8(converted.to_vec()).unwrap())
    }

    const HEAD: &str = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";

    #[test]
    fn a_text_becomes_quoted_printable() {
        let long = "\u{e9}".repeat(30);
        let message = format!("{HEAD}Content-Transfer-Encoding: 8bit\r\nX: y\r\n\r\n.a\u{e9}=b \r\n{long}\r\n");
        let expected = format!(
            "{HEAD}Content-Transfer-Encoding: quoted-printable\r\nX: y\r\n\r\n=2Ea=C3=A9=3Db=20\r\n{}\r\n",
            soft(&long)
        );
        assert_eq!(convert(&message).unwrap(), expected);
    }

    /// The soft breaks, written the long way round.
    fn soft(text: &str) -> String {
        let octets: Vec<String> = text.bytes().map(|octet| format!("={octet:02X}")).collect();
        octets
            .chunks(25)
            .map(|line| line.concat())
            .collect::<Vec<_>>()
            .join("=\r\n")
    }

    #[test]
    fn parts_are_converted_where_they_stand() {
        let message = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\ncontent-transfer-encoding: 8bit\r\n\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nf\u{fc}r\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b--\r\n";
        let expected = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\
            --b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nf=C3=BCr\r\n\
            --b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b--\r\n";
        assert_eq!(convert(message).as_deref(), Some(expected));
    }

    #[test]
    fn what_must_not_change_does_not() {
        let eight = "Content-Transfer-Encoding: 8bit\r\n";
        for message in [
            format!("DKIM-Signature: v=1\r\n{HEAD}{eight}\r\nf\u{fc}r\r\n"),
            format!("{HEAD}\r\nf\u{fc}r\r\n"),
            format!("Subject: f\u{fc}r\r\n{HEAD}{eight}\r\nf\u{fc}r\r\n"),
            format!("Content-Type: multipart/signed; boundary=b\r\n{eight}\r\n--b\r\n{eight}\r\nf\u{fc}r\r\n--b--\r\n"),
            format!("Content-Type: multipart/mixed; boundary=b\r\n{eight}\r\n\u{fc}\r\n--b\r\n\r\nfor\r\n--b--\r\n"),
            format!("Content-Type: message/rfc822\r\n{eight}\r\n{HEAD}{eight}\r\nf\u{fc}r\r\n"),
        ] {
            assert_eq!(convert(&message), None, "{message}");
        }
    }

    proptest! {
        #[test]
        fn a_reader_gets_back_the_same_octets(lines in proptest::collection::vec("[ .F=a\u{e9}\t]{0,90}", 1..6)) {
            let body: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let message = format!("{HEAD}Content-Transfer-Encoding: 8bit\r\n\r\n{body}");
            let converted = convert(&message).unwrap();
            prop_assert!(converted.split("\r\n").all(|line| line.len() <= MAX_LINE));
            let parsed = RawMessage::parse(converted.into_bytes()).unwrap();
            let parts = parsed.parts().unwrap();
            prop_assert_eq!(parts[0].decoded().into_owned(), body.into_bytes());
        }
    }
}
