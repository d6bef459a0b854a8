//! Charsets of text that was received.

use encoding_rs::Encoding;

/// A charset that can be read, by the labels of the Encoding Standard. What is called US-ASCII or ISO-8859-1 is read as
/// windows-1252, of which they are parts: the names are mixed up in practice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charset(&'static Encoding);

impl Charset {
    /// Finds the charset of a name, whatever its case.
    pub(super) fn of(name: &str) -> Option<Self> {
        Encoding::for_label_no_replacement(name.as_bytes()).map(Self)
    }

    /// Reads `bytes`; U+FFFD stands for what is no text.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        self.0.decode_without_bom_handling(bytes).0.into_owned()
    }

    /// Reads `bytes` if all of them are text.
    pub(super) fn decode_exactly(self, bytes: &[u8]) -> Option<String> {
        let text = self.0.decode_without_bom_handling_and_without_replacement(bytes)?;
        Some(text.into_owned())
    }
}

/// Reads octets without a declared charset: UTF-8 (RFC 6532), else `fallback` if ASCII is ASCII in it.
pub(super) fn undeclared(bytes: &[u8], fallback: Option<&str>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => fallback
            .and_then(Charset::of)
            .filter(|charset| charset.0.is_ascii_compatible())
            .unwrap_or(Charset(encoding_rs::UTF_8))
            .decode(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: &str) {
        assert_eq!(Charset::of(name).unwrap().decode(bytes), expected, "{name}");
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!(Charset::of(" UTF-8 "), Charset::of("utf8"));
        assert_eq!(Charset::of("US-ASCII"), Charset::of("latin1"));
        assert_eq!(Charset::of("x-unknown"), None);
        assert_eq!(Charset::of("hz-gb-2312"), None);
    }

    #[test]
    fn octets_become_characters() {
        check("iso-8859-1", b"\x80\xE9", "€é");
        check("iso-8859-15", b"\xA4\xE9", "€é");
        check("koi8-r", b"\xF0", "П");
        check("gb18030", b"\x94\x39\xDA\x33", "💩");
        check("iso-2022-jp", b"\x1B$B$\"\x1B(B", "あ");
        check("utf-8", b"a\xFF", "a\u{FFFD}");
        assert_eq!(Charset::of("utf-8").unwrap().decode_exactly(b"a\xFF"), None);
        assert_eq!(undeclared(b"\xE9", Some("iso-8859-1")), "é");
        assert_eq!(undeclared(b"\xE9", Some("utf-16")), "\u{FFFD}");
        assert_eq!(undeclared(b"\xC3\xA9", Some("iso-8859-1")), "é");
    }
}
