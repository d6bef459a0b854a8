//! Charsets other than UTF-8.

mod octets;
mod words;

use std::str::FromStr;

use encoding_rs::Encoding;

use crate::HeaderError;

pub(crate) use octets::write as write_octets;
pub(crate) use words::unstructured;

/// Names a charset in which text is written, for readers that know no UTF-8.
///
/// Text is written in it exactly or not at all: a character that the charset does not have is an error that names it,
/// never a question mark or another character that looks like it.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{BuildProblem, Charset, Message};
///
/// let japanese = Charset::from_label("iso-2022-jp")?;
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .subject("こんにちは")
///     .text("お元気ですか。\n")
///     .charset(japanese);
/// assert!(message.clone().build().is_ok());
///
/// let error = message.text("👋").build().unwrap_err();
/// assert!(matches!(error.problems(), [BuildProblem::NotInCharset { field: "text", character: '👋', .. }]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Charset(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Utf8,
    Ascii,
    Latin1,
    Other(&'static Encoding),
}

impl Charset {
    /// UTF-8: what everything is written in unless another charset is asked for.
    pub const UTF_8: Self = Self(Kind::Utf8);

    /// Finds the charset of a label such as `iso-2022-jp`, `Shift_JIS`, `iso-8859-1`, `windows-1252` or `gbk`, whatever its
    /// case.
    ///
    /// Labels mean what the Encoding Standard says, `gb2312` GBK for one; but `iso-8859-1` and `us-ascii` mean themselves.
    ///
    /// # Errors
    ///
    /// [`HeaderError::Syntax`] for the field `charset` when no such charset is known, or mail cannot be written in it, as in
    /// UTF-16.
    pub fn from_label(label: &str) -> Result<Self, HeaderError> {
        const ASCII: [&str; 3] = ["us-ascii", "ascii", "ansi_x3.4-1968"];
        const LATIN_1: [&str; 7] = [
            "iso-8859-1",
            "iso8859-1",
            "iso_8859-1",
            "latin1",
            "l1",
            "cp819",
            "ibm819",
        ];
        let label = label.trim_matches([' ', '\t']);
        let is = |known: &&str| known.eq_ignore_ascii_case(label);
        if ASCII.iter().any(is) {
            return Ok(Self(Kind::Ascii));
        }
        if LATIN_1.iter().any(is) {
            return Ok(Self(Kind::Latin1));
        }
        match Encoding::for_label_no_replacement(label.as_bytes()) {
            Some(encoding) if encoding == encoding_rs::UTF_8 => Ok(Self::UTF_8),
            Some(encoding) if encoding.output_encoding() == encoding && encoding != encoding_rs::X_USER_DEFINED => {
                Ok(Self(Kind::Other(encoding)))
            }
            _ => Err(HeaderError::Syntax {
                field: "charset",
                expected: "the name of a charset that mail can be written in",
            }),
        }
    }

    /// Returns the name that stands in the message.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Utf8 => "utf-8",
            Kind::Ascii => "us-ascii",
            Kind::Latin1 => "iso-8859-1",
            Kind::Other(encoding) => encoding.name(),
        }
    }

    /// Writes `text`.
    ///
    /// Each line begins and ends in ASCII, as RFC 1468 asks of ISO-2022-JP.
    ///
    /// # Errors
    ///
    /// The first character that the charset does not have, and where it stands, in bytes.
    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, (char, usize)> {
        let encoding = match self.0 {
            Kind::Utf8 => return Ok(text.as_bytes().to_vec()),
            Kind::Ascii => return single_octets(text, 0x7F),
            Kind::Latin1 => return single_octets(text, 0xFF),
            Kind::Other(encoding) => encoding,
        };
        let mut out = Vec::with_capacity(text.len());
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\r', '\n']);
            if content.is_ascii() && !content.contains(['\u{e}', '\u{f}', '\u{1b}']) {
                out.extend_from_slice(content.as_bytes());
            } else {
                let (octets, _, lossy) = encoding.encode(content);
                if lossy || !is_exact(encoding, &octets, content) {
                    return Err(first_foreign(encoding, content, offset));
                }
                out.extend_from_slice(&octets);
            }
            out.extend_from_slice(line.get(content.len()..).unwrap_or_default().as_bytes());
            offset += line.len();
        }
        Ok(out)
    }
}

/// Tells whether readers get `text` back, not another that looks alike.
fn is_exact(encoding: &'static Encoding, octets: &[u8], text: &str) -> bool {
    encoding
        .decode_without_bom_handling_and_without_replacement(octets)
        .is_some_and(|read| read == text)
}

fn first_foreign(encoding: &'static Encoding, text: &str, start: usize) -> (char, usize) {
    let mut buffer = [0; 4];
    let foreign = text.char_indices().find(|(_, character)| {
        let alone = &*character.encode_utf8(&mut buffer);
        let (octets, _, lossy) = encoding.encode(alone);
        lossy || !is_exact(encoding, &octets, alone)
    });
    let (offset, character) = foreign.unwrap_or((0, char::REPLACEMENT_CHARACTER));
    (character, start + offset)
}

fn single_octets(text: &str, last: u8) -> Result<Vec<u8>, (char, usize)> {
    text.char_indices()
        .map(|(offset, character)| match u8::try_from(u32::from(character)) {
            Ok(octet) if octet <= last => Ok(octet),
            _ => Err((character, offset)),
        })
        .collect()
}

/// Shows the name.
impl std::fmt::Display for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Shows the name.
impl std::fmt::Debug for Charset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Charset").field(&self.name()).finish()
    }
}

impl Default for Charset {
    fn default() -> Self {
        Self::UTF_8
    }
}

impl FromStr for Charset {
    type Err = HeaderError;

    fn from_str(label: &str) -> Result<Self, HeaderError> {
        Self::from_label(label)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn charset(label: &str) -> Charset {
        Charset::from_label(label).unwrap()
    }

    #[test]
    fn labels_are_known_whatever_their_case() {
        for (label, name) in [
            ("UTF8", "utf-8"),
            (" Latin1", "iso-8859-1"),
            ("ascii", "us-ascii"),
            ("cp1252", "windows-1252"),
            ("sjis", "Shift_JIS"),
            ("ISO-2022-jp", "ISO-2022-JP"),
            ("gb2312", "GBK"),
            ("big5", "Big5"),
            ("koi8-r", "KOI8-R"),
        ] {
            assert_eq!(charset(label).name(), name);
        }
        for label in [
            "",
            "x",
            "utf-16",
            "utf-16le",
            "hz-gb-2312",
            "iso-2022-kr",
            "x-user-defined",
            "replacement",
            "a\r\nb",
        ] {
            assert_eq!(label.parse::<Charset>().unwrap_err().field(), "charset", "{label:?}");
        }
    }

    #[test]
    fn what_a_charset_lacks_is_named() {
        assert_eq!(charset("iso-8859-1").encode("é€"), Err(('€', 2)));
        assert_eq!(charset("us-ascii").encode("aé"), Err(('é', 1)));
        assert_eq!(charset("windows-1252").encode("€é\r\nā"), Err(('ā', 7)));
        assert_eq!(charset("windows-1252").encode("€é").unwrap(), b"\x80\xE9");
        // Encoders would write these as others that look alike.
        assert_eq!(charset("iso-2022-jp").encode("aｱ"), Err(('ｱ', 1)));
        assert_eq!(charset("shift_jis").encode("¥"), Err(('¥', 0)));
        assert_eq!(charset("iso-2022-jp").encode("a\u{1b}$B"), Err(('\u{1b}', 1)));
    }

    #[test]
    fn lines_of_iso_2022_jp_begin_and_end_in_ascii() {
        let octets = charset("iso-2022-jp").encode("日\r\n¥\r\nab本").unwrap();
        assert_eq!(octets, b"\x1b$BF|\x1b(B\r\n\x1b(J\\\x1b(B\r\nab\x1b$BK\\\x1b(B");
        assert!(octets.is_ascii());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "[a-zé日本語\u{20ac}\u{30a2}\u{3042}ж한中¥\r\n ]{0,40}") {
            for label in ["iso-2022-jp", "shift_jis", "euc-jp", "gbk", "gb18030", "big5", "euc-kr", "windows-1251", "iso-8859-15"] {
                let encoding = Encoding::for_label(label.as_bytes()).unwrap();
                match charset(label).encode(&text) {
                    Ok(octets) => {
                        let (read, _, lossy) = encoding.decode(&octets);
                        prop_assert!(!lossy && read == text);
                    }
                    Err((character, offset)) => prop_assert!(text.get(offset..).unwrap().starts_with(character)),
                }
            }
        }
    }
}
